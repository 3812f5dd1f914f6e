import type { OfferMade } from "../lib/wire.gen";

/** The sounds of the console. They differ in rhythm, not only in pitch. */
export type Sound = "voice" | "video" | "silent" | "transfer" | "alarm";

/** One beep of a pattern, milliseconds from its start and hertz. */
export interface Beep {
  at: number;
  ms: number;
  hz: number;
}

/** UX.md 1.4: five sounds of at most 400 ms. The silent one is a soft tick. */
export const patterns: Record<Sound, { beeps: Beep[]; gain: number }> = {
  voice: { beeps: [{ at: 0, ms: 300, hz: 880 }], gain: 1 },
  video: { beeps: [{ at: 0, ms: 110, hz: 740 }, { at: 170, ms: 180, hz: 988 }], gain: 1 },
  silent: { beeps: [{ at: 0, ms: 60, hz: 1320 }, { at: 280, ms: 60, hz: 1320 }], gain: 0.5 },
  transfer: { beeps: [{ at: 0, ms: 90, hz: 660 }, { at: 130, ms: 90, hz: 660 }, { at: 290, ms: 100, hz: 660 }], gain: 1 },
  alarm: { beeps: [{ at: 0, ms: 100, hz: 1046 }, { at: 140, ms: 100, hz: 784 }, { at: 280, ms: 120, hz: 523 }], gain: 1 },
};

/** The rhythm that tells what comes in. */
export function soundOf(offer: Pick<OfferMade, "kind" | "transfer">): Sound {
  return offer.transfer ? "transfer" : offer.kind;
}

/** The quietest the volume slider goes: an operator who is ready can always hear. */
export const leastVolume = 0.15;

export function clampVolume(v: number): number {
  return Number.isFinite(v) ? Math.min(1, Math.max(leastVolume, v)) : 0.6;
}

/** Ramp of every beep: a sudden edge hurts in a headset. */
const rampS = 0.05;

/**
 * Plays the sounds through WebAudio. The context is made in unlock, which must be called from a
 * click: that is what "Go on duty" is for. It owns the context and the repeating timer until close.
 */
export class Ringer {
  #context: AudioContext | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #playing: Sound | undefined;
  volume = 0.6;

  /** Resolves to whether sound can be heard now. */
  async unlock(): Promise<boolean> {
    this.#context ??= new AudioContext();
    await Promise.race([this.#context.resume(), new Promise((done) => setTimeout(done, 1000))]);
    return this.audible;
  }

  get audible(): boolean {
    return this.#context?.state === "running";
  }

  /** The context, for the level meter. */
  get context(): AudioContext | undefined {
    return this.#context;
  }

  play(sound: Sound): void {
    const ctx = this.#context;
    if (ctx?.state !== "running") return;
    const { beeps, gain } = patterns[sound];
    const top = 0.35 * gain * clampVolume(this.volume);
    for (const b of beeps) beep(ctx, b, top);
  }

  /** Repeats a sound every two seconds; undefined stops. */
  ring(sound: Sound | undefined): void {
    if (sound === this.#playing) return;
    clearInterval(this.#timer);
    this.#playing = sound;
    if (!sound) return;
    this.play(sound);
    this.#timer = setInterval(() => this.play(sound), 2000);
  }

  async close(): Promise<void> {
    this.ring(undefined);
    await this.#context?.close();
    this.#context = undefined;
  }
}

function beep(ctx: AudioContext, b: Beep, top: number): void {
  const tone = new OscillatorNode(ctx, { frequency: b.hz, type: "sine" });
  const gain = new GainNode(ctx, { gain: 0 });
  const start = ctx.currentTime + 0.01 + b.at / 1000;
  const end = start + b.ms / 1000;
  const ramp = Math.min(rampS, b.ms / 3000);
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(top, start + ramp);
  gain.gain.setValueAtTime(top, end - ramp);
  gain.gain.linearRampToValueAtTime(0, end);
  tone.connect(gain).connect(ctx.destination);
  tone.start(start);
  tone.stop(end);
}
