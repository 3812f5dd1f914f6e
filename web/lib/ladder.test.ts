import { describe, expect, it } from "vitest";
import { begin, type Ladder, probeAfter, rank, reach, type Signs, step, widthKbps, wordy } from "./ladder";

const good: Signs = { link: true, rttMs: 80, media: "up", loss: 0, picture: "on", slow: false, probed: false };

/** Lets the same signs come each second. */
function run(l: Ladder, s: Signs, from: number, seconds: number): { l: Ladder; path: string[] } {
  const path: string[] = [l.rung];
  for (let i = 1; i <= seconds; i++) {
    l = step(l, s, from + i * 1000);
    if (path.at(-1) !== l.rung) path.push(l.rung);
  }
  return { l, path };
}

describe("the ladder", () => {
  it("begins with words where they are slow, with pictures else", () => {
    expect(begin({ ...good, rttMs: 1000 }, 0).rung).toBe("notes");
    expect(begin({ ...good, slow: true }, 0).rung).toBe("notes");
    expect(begin(good, 0).rung).toBe("video");
  });
  it("goes straight down within seconds and up one rung at a time", () => {
    expect(run(begin(good, 0), { ...good, media: "stuck" }, 0, 5).path).toEqual(["video", "notes"]);
    const down = run(begin(good, 0), { ...good, loss: 0.6 }, 0, 12);
    expect(down.path).toEqual(["video", "audio", "notes"]);
    const up = run(down.l, { ...good, media: "none" }, 12000, 120);
    expect(up.path).toEqual(["notes", "audio", "thin", "video"]);
  });
  it("lets pictures go before the voice, whose way is full of them for some seconds more", () => {
    const full = run(begin(good, 0), { ...good, loss: 0.6 }, 0, 4);
    expect(full.path).toEqual(["video", "audio"]);
    expect(run(full.l, { ...good, picture: "off", loss: 0.6 }, 4000, 4).path).toEqual(["audio"]);
    expect(run(full.l, { ...good, picture: "off" }, 8000, 60).l).toMatchObject({ rung: "audio", falls: 0 });
  });
  it("does not move for one bad moment", () => {
    let l = begin(good, 0);
    for (let i = 1; i < 100; i++) l = step(l, i % 3 === 0 ? { ...good, loss: 0.9 } : good, i * 1000);
    expect(l.rung).toBe("video");
    expect(l.falls).toBe(0);
  });
  it("follows what the gateway leaves for pictures", () => {
    expect(run(begin(good, 0), { ...good, picture: "thin" }, 0, 5).l.rung).toBe("thin");
    const off = run(begin(good, 0), { ...good, picture: "off" }, 0, 5);
    expect(off.l.rung).toBe("audio");
    expect(run(off.l, good, 5000, 30).l.rung).toBe("video");
  });
  it("climbs later after each fall", () => {
    let l = begin(good, 0);
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      for (; !wordy(l.rung) && now < 1e7; now += 500) l = step(l, { ...good, loss: 0.7 }, now);
      const fell = now;
      for (; wordy(l.rung) && now < 1e7; now += 500) l = step(l, { ...good, media: "none" }, now);
      waits.push(now - fell);
    }
    expect(waits.every((w, i) => i === 0 || w > (waits[i - 1] ?? 0) * 1.5)).toBe(true);
    expect(probeAfter({ ...l, falls: 99 })).toBe(300000);
  });
  it("is text without a link, and notes again with the first word", () => {
    const gone = run(begin({ ...good, rttMs: 1000 }, 0), { ...good, rttMs: 1000, media: "none", link: false }, 0, 5);
    expect(gone.l.rung).toBe("text");
    expect(step(gone.l, { ...good, rttMs: 1000, media: "none" }, 6000).rung).toBe("notes");
  });
  it("stays with notes on a slow line until a probe has shown that it is wide", () => {
    const thin: Signs = { ...good, rttMs: 1050, media: "none" };
    const l = run(begin(thin, 0), thin, 0, 600).l;
    expect(l.rung).toBe("notes");
    expect(step(l, { ...thin, media: "up", probed: true }, 601000).rung).toBe("audio");
    expect(widthKbps(11000, 5400, 1000)).toBeCloseTo(20);
  });
  it("keeps a talk over a satellite", () => {
    const far: Signs = { ...good, rttMs: 1300 };
    expect(run({ ...begin(good, 0), rung: "audio", want: "audio" }, far, 0, 60).l.rung).not.toBe("notes");
  });
  it("never rests on a rung that the signs call too much, whatever comes", () => {
    let seed = 7;
    const any = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
    for (let n = 0; n < 2000; n++) {
      const signs = (): Signs => ({ link: any() > 0.2, rttMs: any() * 4000, media: (["none", "coming", "stuck", "up"] as const)[Math.floor(any() * 4)] ?? "none", loss: any(), picture: (["on", "thin", "off"] as const)[Math.floor(any() * 3)] ?? "on", slow: any() > 0.8, probed: false });
      let l = begin(signs(), 0);
      let now = 0;
      for (let i = 0; i < 10; i++) l = step(l, signs(), (now += 1000));
      const last = signs();
      let rose = false; // a rung that was reached a moment ago may be left again later
      for (let i = 0; i < 14; i++) {
        const was = l.rung;
        l = step(l, last, (now += 1000));
        rose ||= rank(l.rung) > rank(was);
      }
      if (rose) continue;
      expect(rank(l.rung)).toBeLessThanOrEqual(rank(reach(last, l.rung)));
    }
  });
});
