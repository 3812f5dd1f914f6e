import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { placed } from "./Lane";
import { draw, drawable, type Shape, shapeOf, TooLarge } from "./peaks";
import type { Media } from "./rest";

export type WaveState = "loading" | "shown" | "silent" | "large" | "failed";

const stretches = 1200;
const silence = 0.002; // -54 dB: below it nobody would hear anything

/** The sound of one side, decoded once. */
export function useWave(m: Media, wanted = true): { state: WaveState; shape: Shape | undefined } {
  const [shape, setShape] = useState<Shape>();
  const [state, setState] = useState<WaveState>(!m.audio ? "silent" : drawable(m) ? "loading" : "large");
  useEffect(() => {
    if (!wanted || !m.audio || !drawable(m)) return undefined;
    const stop = new AbortController();
    shapeOf(m.url, stretches, stop.signal).then(
      (s) => {
        if (stop.signal.aborted) return;
        setShape(s);
        setState(Math.max(...s.peaks) > silence ? "shown" : "silent");
      },
      (err) => !stop.signal.aborted && setState(err instanceof TooLarge ? "large" : "failed"),
    );
    return () => stop.abort();
  }, [m.url]);
  return { state, shape };
}

/** The sound drawn where it stands in the call, or why it is not. */
export function Wave({ m, of, theme, state, shape }: { m: Media; of: number; theme: string; state: WaveState; shape: Shape | undefined }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const el = ref.current;
    if (!el || !shape) return;
    placed(m.offsetMs, m.offsetMs + shape.seconds * 1000, of)(el);
    draw(el, shape.peaks, getComputedStyle(el).color);
  }, [shape, of, theme]);
  return (
    <>
      <canvas ref={ref} class="wave" data-state={state} width={stretches} height={96} aria-hidden="true" />
      {state !== "shown" && <span class="wavewords">{t(`wave.${state}`)}</span>}
    </>
  );
}
