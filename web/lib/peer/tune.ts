/** How a connection is used, as the gateway says (media.tune). */
import type { MediaTune } from "../wire.gen";

/** What holds where nothing was said. */
export const plain: Omit<MediaTune, "pc" | "rev"> = { red: false, jitterMs: 0, video: "on", videoKbps: 0, leastKbps: 0, shown: "on", why: "" };

/** Movement comes before sharpness: people sign. */
export const fewestFps = 20;

/** What the camera's one encoding is set to. Pure. */
export function encoding(t: Pick<MediaTune, "video" | "videoKbps">): RTCRtpEncodingParameters {
  const e: RTCRtpEncodingParameters = { active: t.video !== "off" };
  if (t.video === "thin") {
    e.maxFramerate = fewestFps;
    // A picture of a phone is 640 wide: half of it is enough for hands, a third for an outline.
    e.scaleResolutionDownBy = t.videoKbps > 0 && t.videoKbps < 100 ? 3 : 2;
  }
  if (t.videoKbps > 0) e.maxBitrate = 1000 * t.videoKbps;
  return e;
}

/** Whether a comes after b: the greatest rev of one pc counts, whichever way it came. Pure. */
export function newer(a: MediaTune, b: MediaTune | null, pc: string): boolean {
  return a.pc === pc && (b === null || b.pc !== pc || a.rev > b.rev);
}

/** Sets what the camera's sender may send. It may be called before there is a track. */
export async function tuneVideo(sender: RTCRtpSender | undefined, t: Pick<MediaTune, "video" | "videoKbps">): Promise<void> {
  if (!sender) return;
  const p = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string };
  const first = p.encodings?.[0];
  if (!first) return;
  for (const key of ["maxFramerate", "scaleResolutionDownBy", "maxBitrate"] as const) delete first[key];
  Object.assign(first, encoding(t));
  p.degradationPreference = "maintain-framerate";
  await sender.setParameters(p);
}

/** Lets receivers wait for what is sent again; 0 gives the choice back to the browser. Pictures wait as long as words do:
 * the two are of streams of their own, so that no picture holds words back, and lips move with them all the same. */
export function tuneJitter(pc: RTCPeerConnection, ms: number): void {
  for (const r of pc.getReceivers()) {
    if ("jitterBufferTarget" in r) (r as { jitterBufferTarget: number | null }).jitterBufferTarget = ms > 0 ? ms : null;
  }
}
