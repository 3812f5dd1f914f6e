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
function camera(which: MediaTrackConstraints): Promise<Taken> {
  return take({ video: { ...which, width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 25, max: 30 } } });
}

/** The camera that looks away from the person, where there is one: it shows what happens. */
export function takeCamera(): Promise<Taken> {
  return camera({ facingMode: { ideal: "environment" } });
}

async function cameraList(): Promise<string[]> {
  try {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((d) => d.kind === "videoinput").map((d) => d.deviceId);
  } catch {
    return [];
  }
}

export async function countCameras(): Promise<number> {
  return (await cameraList()).length;
}

/** The camera on the other side, or the next one where sides are not told. The one in use is let go
 * first, because many phones open only one at a time; if the other refuses, it comes back. */
export async function flipCamera(now: MediaStreamTrack): Promise<Taken> {
  const { facingMode, deviceId } = now.getSettings();
  const list = await cameraList();
  now.stop();
  const next = list[(list.indexOf(deviceId ?? "") + 1) % list.length];
  const other: MediaTrackConstraints = facingMode
    ? { facingMode: { exact: facingMode === "environment" ? "user" : "environment" } }
    : next
      ? { deviceId: { exact: next } }
      : {};
  const got = await camera(other);
  return got.track || !deviceId ? got : camera({ deviceId: { exact: deviceId } });
}
