import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { slide } from "./keys";
import { callClock } from "./sync";

/** Where a stretch stands in its lane, set through the CSSOM: the policy allows no styles in the
 * page. */
export function placed(fromMs: number, toMs: number, ofMs: number) {
  return (el: HTMLElement | null) => {
    if (!el) return;
    el.style.left = `${(100 * fromMs) / ofMs}%`;
    el.style.width = `${(100 * Math.max(0, toMs - fromMs)) / ofMs}%`;
  };
}

/** A mark of a lane: a stretch, or a moment. */
export function Mark({ from, to, of, kind, title }: { from: number; to: number; of: number; kind: string; title: string }) {
  return <span ref={placed(from, to, of)} class={`mark ${kind}`} title={title} />;
}

interface Props {
  kind: string;
  name: string;
  ms: number;
  of: number;
  /** What stands at this moment of the lane, for those who do not see it. */
  said: string;
  onSeek: (ms: number) => void;
  children: ComponentChildren;
}

/** One lane is a slider over the whole call: a press or a drag seeks, and so do the keys. */
export function Lane({ kind, name, ms, of, said, onSeek, children }: Props) {
  const scale = useRef<HTMLDivElement>(null);
  const press = (e: PointerEvent) => {
    const box = scale.current?.getBoundingClientRect();
    if (box?.width) onSeek(((e.clientX - box.left) / box.width) * of);
  };
  return (
    <div class="lane" data-lane={kind}>
      <span class="name">{name}</span>
      <div
        ref={scale}
        class="scale"
        role="slider"
        tabIndex={0}
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={Math.round(of)}
        aria-valuenow={Math.round(ms)}
        aria-valuetext={said ? `${callClock(ms)} · ${said}` : callClock(ms)}
        onPointerDown={(e) => {
          if (e.button !== 0) return;
          e.currentTarget.setPointerCapture(e.pointerId);
          press(e);
        }}
        onPointerMove={(e) => e.currentTarget.hasPointerCapture(e.pointerId) && press(e)}
        onKeyDown={(e) => {
          const to = e.ctrlKey || e.altKey || e.metaKey ? undefined : slide(e.code, ms, of);
          if (to === undefined) return;
          e.preventDefault();
          onSeek(to);
        }}
      >
        {children}
        <span ref={placed(ms, ms, of)} class="mark now" />
      </div>
    </div>
  );
}
