/** What a connection's statistics say. Pure. */
import type { QualityReport } from "../wire.gen";

type Stat = Record<string, unknown>;

/** The counters that a report is made of: differences between two. */
export interface Counters {
  lost: number;
  received: number;
  concealed: number;
  samples: number;
}

export const zero: Counters = { lost: 0, received: 0, concealed: 0, samples: 0 };

/** Statistics by their id. */
export function table(stats: { forEach(fn: (s: Stat) => void): void }): Map<string, Stat> {
  const byId = new Map<string, Stat>();
  stats.forEach((s) => void byId.set(String(s.id), s));
  return byId;
}

/** How this end hears and sees since the counters before, and by which way. */
export function report(stats: Map<string, Stat>, was: Counters): { report: QualityReport; now: Counters } {
  const now: Counters = { ...zero };
  const report: QualityReport = { rttMs: 0, lossDown: 0, concealed: 0, jitterMs: 0, fps: 0, transport: "none" };
  for (const s of stats.values()) {
    if (s.type === "inbound-rtp" && s.kind === "audio") {
      now.lost += Number(s.packetsLost ?? 0);
      now.received += Number(s.packetsReceived ?? 0);
      now.concealed += Number(s.concealedSamples ?? 0);
      now.samples += Number(s.totalSamplesReceived ?? 0);
      report.jitterMs = Math.max(report.jitterMs, 1000 * Number(s.jitter ?? 0));
    }
    if (s.type === "inbound-rtp" && s.kind === "video") report.fps = Math.max(report.fps, Number(s.framesPerSecond ?? 0));
    if (s.type === "candidate-pair" && s.nominated && s.state === "succeeded") {
      report.rttMs = 1000 * Number(s.currentRoundTripTime ?? 0);
      report.transport = transport(stats.get(String(s.localCandidateId)));
    }
  }
  const got = now.received - was.received;
  const lost = Math.max(0, now.lost - was.lost);
  if (got + lost > 0) report.lossDown = lost / (got + lost);
  if (now.samples > was.samples && got > 0) report.concealed = Math.min(1, Math.max(0, now.concealed - was.concealed) / (now.samples - was.samples));
  return { report, now };
}

function transport(local: Stat | undefined): string {
  if (local?.candidateType === "relay") return "relay";
  return local?.protocol === "tcp" ? "tcp" : "udp";
}

const longestKept = 60; // that browsers keep statistics; more is a clock that was set

/** How long ago the newest packet of any voice arrived, in ms; undefined where the browser does not say. atMs: now, on the clock of the
 * statistics, which may have been made a moment ago. */
export function ageOfVoice(stats: Map<string, Stat>, atMs = 0): number | undefined {
  let age: number | undefined;
  for (const s of stats.values()) {
    if (s.type !== "inbound-rtp" || s.kind !== "audio" || typeof s.lastPacketReceivedTimestamp !== "number") continue;
    const kept = Math.min(longestKept, Math.max(0, atMs - Number(s.timestamp)));
    const ms = Number(s.timestamp) - s.lastPacketReceivedTimestamp + kept;
    if (ms >= 0 && (age === undefined || ms < age)) age = ms;
  }
  return age;
}

/** How loud the voices are at the moment, 0..1. */
export function loudness(stats: Map<string, Stat>): number | undefined {
  for (const s of stats.values()) if (s.type === "inbound-rtp" && s.kind === "audio" && typeof s.audioLevel === "number") return s.audioLevel;
  return undefined;
}

/** Packets of voices so far. */
export function voicePackets(stats: Map<string, Stat>): number {
  let n = 0;
  for (const s of stats.values()) if (s.type === "inbound-rtp" && s.kind === "audio") n += Number(s.packetsReceived ?? 0);
  return n;
}
