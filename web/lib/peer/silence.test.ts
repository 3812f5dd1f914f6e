import { expect, test } from "vitest";
import { type Act, gapMs, type Heard, Silence } from "./silence";

/** Plays packets against the machine, a look each 50 ms, and notes what it asked for. */
function play(opts: { from: number; to: number; arrives: (t: number) => boolean; answer?: (t: number) => Heard | undefined; rtt?: number; expected?: boolean; sending?: boolean; s?: Silence }) {
  const s = opts.s ?? new Silence();
  const acts: { at: number; act: Act }[] = [];
  const due: { at: number; a: Heard }[] = [];
  if (!opts.s) s.began(opts.from);
  for (let t = opts.from; t <= opts.to; t += 10) {
    if (t % 20 === 0 && opts.arrives(t)) s.heard(t);
    while (due[0] && due[0].at <= t) s.answered(t, (due.shift() as { a: Heard }).a, opts.sending ?? true);
    if (t % 50 !== 0) continue;
    const act = s.tick(t, opts.expected ?? true);
    if (act) acts.push({ at: t, act });
    const a = act === "ask" ? opts.answer?.(t) : undefined;
    if (a) due.push({ at: t + (opts.rtt ?? 40), a });
  }
  return { s, acts, replaced: acts.filter((x) => x.act !== "ask") };
}

const alive = { sentMs: 10, heardMs: 10 };
const nobody = { sentMs: 5000, heardMs: 10 };

test("a dead line is replaced within 300 ms, once the gateway says that it sends", () => {
  const r = play({ from: 0, to: 3000, arrives: (t) => t < 2000, answer: () => alive });
  expect(r.replaced[0]?.act).toBe("replace");
  expect(r.replaced[0]?.at).toBeGreaterThanOrEqual(2000 - 20 + gapMs);
  expect(r.replaced[0]?.at).toBeLessThanOrEqual(2300);
  expect(r.s.line).toBe("own");
});

test("no answer within the round trip: the socket is renewed too", () => {
  const r = play({ from: 0, to: 3000, arrives: (t) => t < 2000 });
  expect(r.replaced[0]?.act).toBe("renew");
  expect(r.replaced[0]?.at).toBeLessThanOrEqual(2400);
});

test("a socket that ends while the voice has stopped needs no question; while it flows, or on hold, it says nothing", () => {
  const s = new Silence();
  play({ s, from: 0, to: 2100, arrives: (t) => t < 2000 });
  expect(s.cut(2100), "jitter").toBeUndefined();
  expect(s.cut(2150)).toBe("replace");
  expect(s.line).toBe("own");
  expect(s.cut(2200), "once").toBeUndefined();
  const hold = play({ from: 0, to: 10_000, arrives: (t) => t < 2000, answer: () => nobody }).s;
  expect(hold.cut(10_000)).toBeUndefined();
  expect(new Silence().cut(10_000)).toBeUndefined();
});

test("on a line that loses packets a socket that ends needs a whole gap of the voice", () => {
  const s = new Silence();
  s.waitMs = 200;
  play({ s, from: 0, to: 2200, arrives: (t) => t < 2000 });
  expect(s.cut(2200), "seven packets in a row, of which half are lost anyway").toBeUndefined();
  expect(s.cut(2000 + gapMs)).toBe("replace");
});

test("on a line that loses half, twenty packets in a row are not a dead line; one that dies is found within a second", () => {
  const gap = (waitMs: number) => {
    const s = new Silence();
    s.waitMs = waitMs;
    return play({ s, from: 0, to: 5000, arrives: (t) => t < 2000 || t >= 2400, answer: () => alive }).replaced.length;
  };
  expect(gap(0), "without loss 400 ms are").toBe(1);
  expect(gap(260)).toBe(0);
  const s = new Silence();
  s.waitMs = 260;
  const dead = play({ s, from: 0, to: 5000, arrives: (t) => t < 2000, answer: () => alive });
  expect(dead.replaced[0]?.at).toBeGreaterThanOrEqual(2600);
  expect(dead.replaced[0]?.at).toBeLessThanOrEqual(3000);
});

test("a voice that came half a second ago is not unheard where half is lost", () => {
  for (const [waitMs, n] of [[200, 1], [260, 0]] as const) {
    const s = new Silence();
    s.waitMs = waitMs;
    const late = play({ s, from: 0, to: 2900, arrives: (t) => t < 2000, answer: () => ({ sentMs: 4000, heardMs: 500 }) });
    expect(late.replaced.length, `waits ${waitMs}`).toBe(n);
  }
});

test("an answer to what the gateway said itself is judged as it judged, and one that was not asked for says nothing of the round trip", () => {
  const s = new Silence();
  s.waitMs = 260;
  play({ s, from: 0, to: 60_000, arrives: () => true });
  s.answered(60_000, { sentMs: 10, heardMs: 500 }, true);
  expect(s.tick(60_050, true), "by itself half a second is too little").toBeUndefined();
  s.answered(60_100, { sentMs: 10, heardMs: 500 }, true, true);
  expect(s.tick(60_150, true)).toBe("replace");
  expect(s.rttMs).toBe(100);
});

test("on hold the gateway has nothing for us: nothing is made, however long", () => {
  const r = play({ from: 0, to: 60_000, arrives: (t) => t < 2000, answer: () => nobody });
  expect(r.replaced).toEqual([]);
  expect(r.s.line).toBe("far");
  expect(r.acts.length).toBeLessThan(62); // once a second
});

test("the line dies on hold and the voice comes back: noticed with the next question", () => {
  const r = play({ from: 0, to: 20_000, arrives: (t) => t < 2000, answer: (t) => (t > 10_000 ? alive : nobody) });
  expect(r.replaced[0]?.at).toBeGreaterThan(10_000);
  expect(r.replaced[0]?.at).toBeLessThan(11_200);
});

test("a burst of 200 ms is no silence", () => {
  const r = play({ from: 0, to: 60_000, arrives: (t) => t % 1000 >= 200, answer: () => alive });
  expect(r.replaced).toEqual([]);
});

test("gaps that heal make the next one wait longer, and are forgotten", () => {
  const s = new Silence();
  play({ s, from: 0, to: 5000, arrives: (t) => t % 1000 >= 400, answer: () => alive });
  expect(s.limit()).toBeGreaterThan(400);
  play({ s, from: 5000, to: 20_000, arrives: () => true, answer: () => alive });
  expect(s.limit()).toBe(gapMs);
});

test("our own voice does not reach the gateway: replaced, though a voice is heard again", () => {
  const r = play({ from: 0, to: 4000, arrives: (t) => t < 2000, answer: () => ({ sentMs: 4000, heardMs: 900 }) });
  expect(r.replaced[0]?.act).toBe("replace");
});

test("whoever sends nothing is not deaf", () => {
  const r = play({ from: 0, to: 4000, arrives: (t) => t < 2000, answer: () => ({ sentMs: 4000, heardMs: 900 }), sending: false });
  expect(r.replaced).toEqual([]);
});

test("before the first voice only a waiting call asks", () => {
  expect(play({ from: 0, to: 5000, arrives: () => false, answer: () => nobody, expected: false }).acts).toEqual([]);
  const r = play({ from: 0, to: 5000, arrives: () => false, answer: () => ({ sentMs: -1, heardMs: 10 }) });
  expect(r.acts.length).toBeGreaterThan(3);
  expect(r.replaced).toEqual([]);
});

test("a long way is given its time before it counts as no answer", () => {
  const s = new Silence();
  play({ s, from: 0, to: 4000, arrives: (t) => t < 1000, answer: () => nobody, rtt: 600 });
  const r = play({ s, from: 4000, to: 8000, arrives: (t) => t < 6000, answer: () => nobody, rtt: 600 });
  expect(r.replaced).toEqual([]);
});

test("whatever arrives, it is never replaced within the gap nor more than once a second", () => {
  let seed = 1;
  const rnd = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let run = 0; run < 200; run++) {
    const holes = Array.from({ length: 5 }, () => ({ at: 1000 + rnd() * 8000, ms: rnd() * 2000 }));
    const arrives = (t: number) => holes.every((h) => t < h.at || t > h.at + h.ms);
    const r = play({ from: 0, to: 10_000, arrives, rtt: 10 + rnd() * 500, answer: () => (rnd() < 0.7 ? (rnd() < 0.5 ? alive : nobody) : undefined) });
    r.replaced.forEach(({ at }, i) => {
      const last = [...Array(Math.floor(at / 20) + 1).keys()].map((n) => 20 * n).filter(arrives).at(-1) ?? 0;
      expect(at - last).toBeGreaterThanOrEqual(gapMs - 20);
      const before = r.replaced[i - 1]?.at;
      if (before !== undefined && last < before) expect(at - before).toBeGreaterThanOrEqual(250);
    });
  }
});

test("slow answers before do not keep a dead line for ever", () => {
  const s = new Silence();
  play({ s, from: 0, to: 20_000, arrives: () => false, answer: () => nobody, rtt: 900 });
  const r = play({ s, from: 20_000, to: 30_000, arrives: (t) => t < 22_000 });
  expect(r.replaced[0]?.act).toBe("renew");
  expect(r.replaced[0]?.at).toBeLessThan(23_300);
});
