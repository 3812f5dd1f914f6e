import { expect, test } from "vitest";
import { ageOfVoice, report, table, zero } from "./measure";
import { Pace } from "./pace";
import { hasRed, preferRed, used, withAudioNack, withLeastRate } from "./sdp";
import { encoding, newer, plain } from "./tune";

const sdp = [
  "v=0", "o=- 1 2 IN IP4 127.0.0.1", "a=group:BUNDLE 0 1 2",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9", "a=mid:0", "a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc", "a=fmtp:111 minptime=10;useinbandfec=1",
  "a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111", "a=rtpmap:9 G722/8000",
  "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack",
  "m=audio 9 UDP/TLS/RTP/SAVPF 109", "a=mid:2", "a=rtpmap:109 OPUS/48000/2", "",
].join("\r\n");

test("Opus and RED may be asked for again, in every section of audio, and nothing else is touched", () => {
  const out = withAudioNack(sdp);
  for (const pt of ["111", "63", "109"]) expect(out).toContain(`a=rtcp-fb:${pt} nack\r\n`);
  expect(out).not.toContain("a=rtcp-fb:9 nack");
  expect(out.split("a=rtcp-fb:96 nack").length).toBe(2);
  expect(out.replace(/a=rtcp-fb:(111|63|109) nack\r\n/g, "")).toBe(sdp);
  expect(withAudioNack(out)).toBe(out);
  expect(withAudioNack("")).toBe("");
});

test("the first of an answer is what is sent", () => {
  const red = preferRed(sdp, true);
  expect(red).toContain("SAVPF 63 111 9\r\n");
  expect(red).toContain("SAVPF 109\r\n"); // without RED nothing changes
  expect(preferRed(red, false)).toBe(sdp);
  expect(preferRed(sdp, false)).toBe(sdp);
  expect(hasRed(sdp)).toBe(true);
  expect(hasRed(sdp.replace(/a=rtpmap:63.*\r\n/, ""))).toBe(false);
});

test("a lossy line has a least rate, at every codec of the picture, and loses it again", () => {
  const more = sdp.replace("a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1");
  const out = withLeastRate(more, 80);
  expect(out).toContain("a=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-min-bitrate=80\r\n");
  expect(out).toContain("a=fmtp:102 packetization-mode=1;x-google-min-bitrate=80\r\n");
  expect(out.replace("a=fmtp:96 x-google-min-bitrate=80\r\n", "").replace(";x-google-min-bitrate=80", "")).toBe(more);
  expect(used(more, { red: true, leastKbps: 100 })).toBe(withLeastRate(preferRed(withAudioNack(more), true), 100));
  expect(used(more, { red: false, leastKbps: 0 })).toBe(withAudioNack(more));
});

test("thin keeps twenty pictures a second, off sends none, on is as the browser likes", () => {
  expect(encoding({ video: "thin", videoKbps: 180 })).toEqual({ active: true, maxFramerate: 20, scaleResolutionDownBy: 2, maxBitrate: 180_000 });
  expect(encoding({ video: "thin", videoKbps: 60 }).scaleResolutionDownBy).toBe(3);
  expect(encoding({ video: "off", videoKbps: 0 })).toEqual({ active: false });
  expect(encoding({ video: "on", videoKbps: 0 })).toEqual({ active: true });
});

test("of one connection the greatest rev counts, and what names another is old", () => {
  const t = (pc: string, rev: number) => ({ ...plain, pc, rev });
  expect(newer(t("a", 1), null, "a")).toBe(true);
  expect(newer(t("a", 2), t("a", 1), "a")).toBe(true);
  expect(newer(t("a", 1), t("a", 1), "a")).toBe(false);
  expect(newer(t("b", 9), t("a", 1), "a")).toBe(false);
});

test("connections are made at once, then slower, never more than the gateway takes, and none waits long", () => {
  const p = new Pace();
  expect(p.take(0)).toBe(true);
  expect(p.take(100)).toBe(false);
  expect(p.take(100, true)).toBe(true); // another network
  const made: number[] = [0, 100];
  for (let t = 150; t < 180_000; t += 50) if (p.take(t, t % 3000 === 0)) made.push(t);
  for (const at of made) expect(made.filter((x) => x >= at && x < at + 60_000).length).toBeLessThanOrEqual(20);
  made.forEach((at, i) => expect(at - (made[i - 1] ?? at)).toBeLessThanOrEqual(6100));
  expect(p.next(181_000)).toBeLessThan(188_000);
  expect(p.next(400_000)).toBe(400_000);
});

test("a report is the difference of two counts, and says the way", () => {
  const stats = (received: number, lost: number) => table([
    { id: "a", type: "inbound-rtp", kind: "audio", packetsReceived: received, packetsLost: lost, concealedSamples: lost * 960, totalSamplesReceived: (received + lost) * 960, jitter: 0.004, timestamp: 5000, lastPacketReceivedTimestamp: 4990 },
    { id: "b", type: "inbound-rtp", kind: "audio", packetsReceived: 0, timestamp: 5000 },
    { id: "p", type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 0.05, localCandidateId: "l" },
    { id: "l", candidateType: "relay", protocol: "udp" },
  ]);
  const first = report(stats(100, 0), zero);
  const second = report(stats(180, 20), first.now);
  expect(second.report).toMatchObject({ rttMs: 50, lossDown: 0.2, jitterMs: 4, transport: "relay" });
  expect(second.report.concealed).toBeCloseTo(0.2);
  expect(ageOfVoice(stats(1, 0))).toBe(10);
  expect([4000, 5000, 5030, 9999].map((at) => ageOfVoice(stats(1, 0), at)), "kept for a moment, or another clock").toEqual([10, 10, 40, 70]);
  expect(ageOfVoice(table([]))).toBeUndefined();
});
