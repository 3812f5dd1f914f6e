import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { Media } from "./rest";
import { follow } from "./sync";

/** The one clock that every element follows. */
export interface Player {
  ms: number;
  playing: boolean;
  now(): number;
  isPlaying(): boolean;
  toggle(): void;
  seek(ms: number): void;
  setSpeed(s: number): void;
  join(el: HTMLMediaElement, m: Media): () => void;
  /** Marks the beginning of a stretch, then its end and plays it again and again, then ends that. */
  loop(): void;
  looped: { from: number; to: number } | undefined;
  /** The beginning was marked, the end not yet. */
  looping: boolean;
}

const beat = 100; // ms between two looks at the elements

export function usePlayer(durationMs: number): Player {
  const [ms, show] = useState(0);
  const [playing, setPlaying] = useState(false);
  const clock = useRef({ at: 0, since: 0, on: false, speed: 1 });
  const elements = useRef(new Map<HTMLMediaElement, Media>());
  const [stretch, setStretch] = useState<{ from: number; to?: number }>();
  const again = useRef(stretch);
  again.current = stretch;
  const now = () => {
    const c = clock.current;
    return Math.min(durationMs, c.on ? c.at + (performance.now() - c.since) * c.speed : c.at);
  };
  const set = (at: number, on: boolean, speed: number) => {
    clock.current = { at, since: performance.now(), on, speed };
    setPlaying(on);
    show(at);
  };
  const steer = () => {
    const c = clock.current;
    for (const [el, m] of elements.current) {
      const w = follow(now() / 1000, el.currentTime, m.offsetMs / 1000, m.durationMs / 1000, c.on, c.speed);
      if (w.seek !== undefined && !el.seeking) el.currentTime = w.seek;
      el.playbackRate = w.rate;
      if (w.play && el.paused) void el.play().catch(() => undefined);
      if (!w.play && !el.paused) el.pause();
    }
  };
  useEffect(() => {
    const timer = setInterval(() => {
      const c = clock.current;
      const l = again.current;
      if (c.on && l?.to !== undefined && now() >= l.to) set(l.from, true, c.speed);
      else if (c.on && now() >= durationMs) set(durationMs, false, c.speed);
      steer();
      if (clock.current.on) show(now());
    }, beat);
    return () => clearInterval(timer);
  }, [durationMs]);
  const fixed = useMemo(
    () => ({
      now,
      isPlaying: () => clock.current.on,
      toggle: () => set(now() >= durationMs ? 0 : now(), !clock.current.on, clock.current.speed),
      seek: (to: number) => set(Math.max(0, Math.min(durationMs, to)), clock.current.on, clock.current.speed),
      setSpeed: (s: number) => set(now(), clock.current.on, s),
      join: (el: HTMLMediaElement, m: Media) => {
        elements.current.set(el, m);
        return () => void elements.current.delete(el);
      },
    }),
    [durationMs],
  );
  const loop = () => {
    const l = again.current;
    const here = now();
    if (!l) setStretch({ from: here });
    else if (l.to === undefined && Math.abs(here - l.from) > 200) setStretch({ from: Math.min(l.from, here), to: Math.max(l.from, here) });
    else setStretch(undefined);
  };
  const looped = stretch?.to === undefined ? undefined : { from: stretch.from, to: stretch.to };
  return { ...fixed, ms, playing, loop, looped, looping: stretch !== undefined && stretch.to === undefined };
}

/** One side of the call. */
export function Side({ m, player, name }: { m: Media; player: Player; name: string }) {
  const ref = useRef<HTMLMediaElement>(null);
  const [muted, mute] = useState(false);
  useEffect(() => (ref.current ? player.join(ref.current, m) : undefined), [m]);
  return (
    <section class="panel side" aria-label={name}>
      <h2>{name}</h2>
      {m.video ? <video ref={ref as never} src={m.url} preload="auto" playsInline muted={muted} aria-label={name} /> : <audio ref={ref as never} src={m.url} preload="auto" muted={muted} />}
      <div class="row">
        <button type="button" aria-pressed={muted} onClick={() => mute(!muted)}>{t("mute")}</button>
        <input class="grow" type="range" aria-label={t("volume", { who: name })} min="0" max="1" step="0.05" defaultValue="1" onInput={(e) => ref.current && (ref.current.volume = Number(e.currentTarget.value))} />
      </div>
    </section>
  );
}
