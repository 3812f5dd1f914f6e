import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useConsole } from "../context";

/** One line or row of bars. Where nothing is known there is undefined, which is not 0. */
export interface Series { name: string; values: (number | undefined)[]; kind: "bars" | "line"; colour: "blue" | "grey" | "green" | "yellow"; dashed?: boolean }

interface Props { labels: string[]; series: Series[]; name: string; height?: number; fill?: boolean; format?: (v: number) => string }

/** A plot over steps with names; with fill it takes what height there is. Whoever cannot see it has its table: the plot itself says only its name. */
export function Plot({ labels, series, name, height: own = 200, fill = false, format = String }: Props) {
  const { theme } = useConsole();
  const box = useRef<HTMLDivElement>(null);
  const key = JSON.stringify([labels, series]);
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const tall = () => (fill ? Math.max(90, el.clientHeight) : own);
    const make = () => {
      el.replaceChildren();
      return new uPlot(optionsOf(el, { labels, series, height: tall(), format }), [labels.map((_, i) => i), ...series.map((s) => s.values.map((v) => v ?? null))], el);
    };
    let plot = make();
    const size = new ResizeObserver(() => {
      if (Math.abs(plot.width - el.clientWidth) > 1 || Math.abs(plot.height - tall()) > 1) plot.setSize({ width: el.clientWidth, height: tall() });
    });
    size.observe(el);
    const print = matchMedia("print");
    const again = () => {
      plot.destroy();
      plot = make(); // colours of paper, and those of the screen again
    };
    print.addEventListener("change", again);
    return () => {
      print.removeEventListener("change", again);
      size.disconnect();
      plot.destroy();
    };
  }, [key, theme, own, fill]);
  return (
    <figure class={fill ? "plot fill" : "plot"}>
      <div ref={box} role="img" aria-label={name} style={fill ? {} : { height: `${own}px` }} />
      {series.length > 1 && <figcaption>{series.map((s) => <span key={s.name} class={`key in-${s.colour} as-${s.kind}`}>{s.name}</span>)}</figcaption>}
    </figure>
  );
}

function optionsOf(el: HTMLElement, p: Omit<Required<Props>, "name" | "fill">): uPlot.Options {
  const css = getComputedStyle(el);
  const colour = (name: string) => css.getPropertyValue(name).trim();
  const inks = { blue: colour("--blue-text"), grey: colour("--hint"), green: colour("--green-text"), yellow: colour("--yellow-text") };
  const font = `13px ${css.fontFamily}`;
  const grid = { stroke: colour("--line"), width: 1 };
  const axis = { font, stroke: colour("--hint"), grid, ticks: grid };
  return {
    width: el.clientWidth || 400,
    height: p.height,
    cursor: { show: false },
    legend: { show: false },
    scales: { x: { time: false, range: [-0.6, p.labels.length - 0.4] }, y: { range: (_u, _min, max) => [0, Math.max(1, (max ?? 1) * 1.08)] } },
    axes: [
      { ...axis, size: 34, grid: { show: false }, incrs: [1, 2, 3, 4, 6, 7, 12, 14, 28, 60, 90], space: widest(p.labels), values: (_u, at) => at.map((i) => p.labels[i] ?? "") },
      { ...axis, size: (_u, values) => 18 + 8 * Math.max(1, ...(values ?? []).map((v) => v.length)), space: 36, incrs: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000], values: (_u, at) => at.map(p.format) },
    ],
    series: [{}, ...p.series.map((s) => ({
      label: s.name, stroke: inks[s.colour], width: 2, points: { show: s.kind === "line" && p.labels.length < 40, size: 5 },
      ...(s.dashed ? { dash: [6, 4] } : {}),
      ...(s.kind === "bars" ? { paths: uPlot.paths.bars?.({ size: [0.72, 48] }) ?? null, fill: inks[s.colour], points: { show: false } } : {}),
    } as uPlot.Series))],
  };
}

/** Room for the longest label, in pixels. */
function widest(labels: string[]): number {
  return 14 + 7.5 * Math.max(1, ...labels.map((l) => l.length));
}
