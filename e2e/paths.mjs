// How long nothing is heard when the way dies in mid-call: each death several times, at 40 ms of round trip
// behind a NAT, in a real Chromium. Prints p50 and p95 of what both sides hear and holds the goals.
// RUNS=20 node paths.mjs; ONLY=udp for some.
import * as d from "./dying.mjs";

const runs = Number(process.env.RUNS ?? 8);
const only = process.env.ONLY ?? "";
const at = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.ceil(list.length * p) - 1)];
let last = 10;
const cut = (ms) => async (l) => {
  await l.set({ blackout: true });
  await d.later(ms);
  await l.heal();
};
const deaths = [
  { name: "NAT rebinding, UDP alone", goal: 1200, does: (l) => l.rebind() },
  { name: "NAT rebinding, all", goal: 1200, does: (l) => l.rebind(true) },
  { name: "UDP blocked", goal: 1200, does: (l) => l.set({ blockUDP: true }), after: (l) => l.heal() },
  { name: "UDP dead towards us", goal: 1200, does: (l) => l.set({ blockUDP: true }, {}), after: (l) => l.heal() },
  { name: "address changed", goal: 2500, does: (l) => l.address((last = last < 90 ? last + 1 : 11)) },
  { name: "blackout of 1 s", goal: 1600, does: cut(1000) },
  { name: "blackout of 3 s", goal: 3600, does: cut(3000) },
].filter((x) => x.name.toLowerCase().includes(only));

const l = await d.line();
if (l.why) {
  console.error(l.why);
  process.exit(1);
}
const load = () => Number(d.loadavg().toFixed(1));
console.log(`${runs} runs each, round trip 40 ms, behind a NAT; load of the machine ${load()} at the beginning`);
const rows = [];
let call = await d.talking(l);
try {
  for (const death of deaths) {
    const row = { what: death.name, up: [], down: [], stall: [], made: 0, ways: new Set(), failed: 0, goal: death.goal };
    for (let i = 0; i < runs; i++) {
      try {
        const r = await d.happens(call, () => death.does(l));
        row.up.push(r.up.packets);
        row.down.push(r.down.packets);
        row.stall.push(Math.max(r.up.stall, r.down.stall));
        row.made += r.made;
        row.ways.add(r.way);
      } catch (e) {
        row.failed++;
        console.log(`${death.name}, run ${i}: ${e.message}`);
        await death.after?.(l);
        await l.heal();
        await call.close();
        call = await d.talking(l);
        continue;
      }
      await death.after?.(l);
      await d.later(death.after ? 12_000 : 7_000); // eight connections a minute are the page's own limit
      await d.back(call);
    }
    rows.push(row);
    const p = (list, q) => (list.length ? at(list, q) : "-");
    console.log(`${death.name.padEnd(26)} operator p50 ${p(row.up, 0.5)} p95 ${p(row.up, 0.95)}  caller p50 ${p(row.down, 0.5)} p95 ${p(row.down, 0.95)} ms  ` +
      `goal ${death.goal}  new ${row.made}/${runs}  ${[...row.ways].join(", ")}  page stood still p95 ${p(row.stall, 0.95)} ms  failed ${row.failed}  load ${load()}`);
  }
} finally {
  await call.close();
  l.close();
}
const missed = rows.filter((r) => r.failed > 0 || at([...r.up, Number.POSITIVE_INFINITY].slice(0, Math.max(1, r.up.length)), 0.95) > r.goal || at(r.down.length ? r.down : [Number.POSITIVE_INFINITY], 0.95) > r.goal);
console.log(missed.length === 0 ? "all goals reached" : `MISSED: ${missed.map((r) => r.what).join("; ")}`);
process.exitCode = missed.length > 0 ? 1 : 0;
