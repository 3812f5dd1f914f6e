// The matrix in words: one table on the terminal, the same in docs/LOSS.md.
import { bufferMs, cells, variants } from "./cells.mjs";

const pc = (x) => (100 * x).toFixed(1);
const two = (a, b, f) => `${f(a)} / ${f(b)}`;

/** What of a cell falls short of the goals. */
export function short(cell, r) {
  const out = [];
  for (const [name, d] of [["up", r.up], ["down", r.down]]) {
    if (cell.most !== undefined && d.concealed > cell.most) out.push(`concealed ${name}`);
    if (cell.most !== undefined && d.bufferMs > bufferMs) out.push(`buffer ${name}`);
    if (cell.words && d.score.lost.length > 0) out.push(`words ${name}`);
  }
  return out;
}

const head = ["link", "concealed %", "buffer ms", "STOI", "ESTOI", "words lost of", "video fps", "audio kbit/s", "again", "wire kbit/s", "busy %", "short of"];

function row(name, r) {
  const cell = cells.find((c) => c.name === name);
  const { up, down } = r;
  const lost = (d) => `${d.score.lost.length}/${d.score.words}`;
  const whole = (x) => String(Math.round(x));
  return [name, two(up.concealed, down.concealed, pc), two(up.bufferMs, down.bufferMs, whole), two(up.score.stoi, down.score.stoi, (x) => x.toFixed(2)),
    two(up.score.estoi, down.score.estoi, (x) => x.toFixed(2)), `${lost(up)} / ${lost(down)}`, whole(up.fps), two(up.audioKbps, down.audioKbps, whole),
    two(up.againKbps, down.againKbps, whole), two(up.wireKbps, down.wireKbps, whole), whole(100 * r.busy), r.error ?? short(cell, r).join(", ")];
}

const failed = (name, r) => [name, ...Array(head.length - 2).fill("–"), r.error];
const lines = (set) => Object.entries(set.cells).map(([k, r]) => (r.up ? row(k, r) : failed(k, r)));

export function print(set) {
  const all = [head, ...lines(set)];
  const wide = head.map((_, i) => Math.max(...all.map((l) => l[i].length)));
  console.log(`${set.label}: ${set.words}`);
  for (const l of all) console.log(l.map((c, i) => c.padEnd(wide[i])).join("  "));
}

const table = (set) => [head, head.map(() => "---"), ...lines(set)].map((l) => `| ${l.join(" | ")} |`).join("\n");

/** docs/LOSS.md from every set that was saved. */
export function markdown(sets) {
  const said = (d) => Object.entries(d.score.languages).map(([k, v]) => `${k} ${v.toFixed(2)}`).join(", ");
  const parts = sets.map((s) => {
    const tongues = Object.entries(s.cells).filter(([, r]) => r.up).map(([k, r]) => `| ${k} | ${said(r.up)} | ${said(r.down)} |`).join("\n");
    const later = Object.entries(s.cells).filter(([, r]) => r.commit).map(([k, r]) => `${k} of ${r.commit}, ${r.date}`);
    return `## ${s.label}: ${s.words}

Commit of ${s.commit}; measured ${s.date}, ${s.seconds} s a cell after ${s.settle} s to settle; load average of the machine ${s.load.join(" before, ")} after, ${s.cores} cores.${later.length > 0 ? ` Measured again: ${later.join("; ")}.` : ""}

${table(s)}

Mean score of the words by language (1 = as spoken):

| link | up | down |
| --- | --- | --- |
${tongues}
`;
  });
  return `# What is heard over bad links

Written by \`make matrix\`; do not edit. A caller in Chromium behind a link of 40 ms there and back that loses, delays or narrows in both directions; an operator
in Chromium beside the gateway; both speak all the time, the caller's camera is on. "up" is what the operator hears of the caller, "down" what the caller
hears; cells show up / down. The call is set up on a clean link, then the link goes bad. "Loss" is random, "burst" comes in runs of three packets in the
mean, "jitter" delays by 20 to 220 ms in order, "kbit" is the width of the link.

- **concealed**: concealedSamples / totalSamplesReceived, what the ear got that no packet brought. **buffer**: mean delay in the jitter buffer.
- **STOI, ESTOI**: intelligibility of espeak-ng speech (Kazakh, Russian, English) against what was spoken, 0 to 1. **words lost**: words whose own ESTOI is below
  0.6. A word that lost 60 ms in its middle keeps 0.65 and more, one that lost 160 ms mostly has less than 0.6 (\`e2e/loss/score.py --check\`).
- **video fps**: the caller's pictures at the operator. **audio kbit/s**: audio with RTP headers, retransmissions (**again**) included; **wire**: everything on the link.
- **busy**: how busy the machine was, other work included. The row "clean" is the control: what it shows beyond 0 comes from the machine.
- **short of**: the goals: concealed at most ${cells.filter((c) => c.most !== undefined).map((c) => `${pc(c.most)} % at ${c.name}`).join(", ")}, each direction, with a buffer of at most ${bufferMs} ms; no word lost at 30 %.

${parts.join("\n")}`;
}

export { variants };
