/** Microphone and camera, each asked for alone; a refusal of any never stops a call. */
import type { DeviceState } from "../lib/wire.gen";

export interface Taken {
  state: DeviceState;
  track: MediaStreamTrack | null;
}

function why(err: unknown): DeviceState {
  switch ((err as { name?: string }).name) {
    case "NotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "denied";
  }
}

async function take(want: MediaStreamConstraints): Promise<Taken> {
  if (!navigator.mediaDevices) return { state: "none", track: null };
  try {
    const stream = await navigator.mediaDevices.getUserMedia(want);
    return { state: "on", track: stream.getTracks()[0] ?? null };
  } catch (err) {
    return { state: why(err), track: null };
  }
}

export function takeMic(): Promise<Taken> {
  return take({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
}

/** 640x480 at 20 fps or more: a signer needs the pictures more than the pixels. */
export function takeCamera(facing: "user" | "environment"): Promise<Taken> {
  return take({ video: { facingMode: { ideal: facing }, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 25, max: 30 } } });
}
