import type { DeviceState } from "../lib/wire.gen";

/** Opens a device and says in one word why not. */
export async function openDevice(
  devices: Pick<MediaDevices, "getUserMedia">,
  want: MediaStreamConstraints,
): Promise<{ track: MediaStreamTrack; state: "on" } | { track: null; state: DeviceState }> {
  try {
    const stream = await devices.getUserMedia(want);
    const track = stream.getTracks()[0];
    return track ? { track, state: "on" } : { track: null, state: "none" };
  } catch (err) {
    return { track: null, state: reasonOf(err) };
  }
}

/** The word for an error of getUserMedia. */
export function reasonOf(err: unknown): DeviceState {
  switch (err instanceof Error ? err.name : "") {
    case "NotAllowedError": case "SecurityError": return "denied";
    case "NotFoundError": case "OverconstrainedError": return "none";
    default: return "busy";
  }
}

export const micWish: MediaStreamConstraints = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
};
export const cameraWish: MediaStreamConstraints = { video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 20 } } };

/** Measures how loud a track is. It owns its WebAudio nodes until close. */
export class Level {
  readonly #source: MediaStreamAudioSourceNode;
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;

  constructor(context: AudioContext, track: MediaStreamTrack) {
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source.connect(this.#analyser);
  }

  /** 0 for silence (-60 dBFS and less) to 1 for full scale. */
  read(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return meter(this.#samples);
  }

  close(): void {
    this.#source.disconnect();
  }
}

/** Pure: loudness of samples in -1..1 on a scale people read as even. */
export function meter(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  const dB = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (dB + 60) / 60));
}
