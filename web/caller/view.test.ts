import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { format } from "../lib/i18n";
import type { CallView, ChatItem, Fix } from "../lib/wire.gen";
import { clock, empty, heldBack, marked, posted, rated, stage, talksOn, type View, withCall, worthSending, written } from "./view";

const call = (change: Partial<CallView>): CallView => ({
  call: "c", ref: "r", number: "26-000001", kind: "video", phase: "queued", rev: 1, ahead: 0, createdMs: 0, sinceMs: 0, opMic: false, opCamera: false,
  callBack: false, contact: { name: "", phone: "" }, recording: { state: "recording", lagMs: 0 }, chat: [], ...change,
});
const view = (change: Partial<View>): View => ({ ...empty, link: "open", ...change });
const item = (id: string, seq: number, from = "caller"): ChatItem => ({ id, chatSeq: seq, from, text: id, atMs: seq });

describe("the caller's view", () => {
  it("never goes back to an older state of the call", () => {
    const v = withCall(view({}), call({ rev: 5, phase: "talking" }));
    expect(withCall(v, call({ rev: 4, phase: "queued" })).call?.phase).toBe("talking");
    expect(withCall(v, call({ rev: 5, phase: "talking", ahead: 3 })).call?.ahead).toBe(3);
  });
  it("tells a lost link before anything else, but an ended call stays ended", () => {
    expect(stage(view({ link: "lost", call: call({ phase: "talking" }) }))).toBe("lost");
    expect(stage(view({ link: "lost", call: call({ phase: "ended" }) }))).toBe("ended");
    expect(stage(view({ call: call({ phase: "reconnecting" }) }))).toBe("lost");
    expect(stage(view({ calling: true }))).toBe("calling");
    expect(stage(view({}))).toBe("home");
  });
  it("tells a loss as soon as the device or the silence tells it, not when the socket ends", () => {
    const talking = (opMic: boolean) => call({ phase: "talking", opMic });
    expect(stage(view({ call: talking(true) }))).toBe("talking");
    expect(stage(view({ call: talking(true), offline: true }))).toBe("lost");
    expect(stage(view({ call: talking(true), quiet: true }))).toBe("lost");
    expect(stage(view({ call: talking(true), quiet: true, line: "own" }))).toBe("lost");
    expect(stage(view({ call: talking(true), quiet: true, line: "far" }))).toBe("far");
    expect(stage(view({ call: talking(false), quiet: true }))).toBe("talking");
    expect(stage(view({ call: call({ phase: "hold", opMic: true }), quiet: true }))).toBe("hold");
  });
  it("does not tell a loss while the voice flows, whatever has become of the socket", () => {
    const flows = { media: "connected", line: "flows", quiet: false } as const;
    const away: Partial<View>[] = [{ link: "lost" }, { link: "connecting" }, { unheard: true }, { offline: true }];
    for (const how of away) {
      const v = view({ ...flows, ...how, call: call({ phase: "talking", opMic: true }) });
      expect([stage(v), talksOn(v)]).toEqual(["talking", true]);
      for (const gone of [{ quiet: true }, { line: "own" }, { line: "far" }, { line: "none" }, { media: "lost" }] as Partial<View>[]) {
        expect([stage({ ...v, ...gone }), talksOn({ ...v, ...gone })], JSON.stringify({ ...how, ...gone })).toEqual(["lost", false]);
      }
      const silent = { ...v, call: call({ kind: "silent", phase: "talking", opMic: true }) };
      expect(stage(silent), "who has nothing but words is told").toBe("lost");
      expect(stage({ ...v, call: call({ phase: "ended" }) })).toBe("ended");
      expect(stage({ ...v, call: call({ phase: "reconnecting" }) }), "the gateway's word on the socket").toBe("talking");
    }
    expect(talksOn(view({ ...flows, call: call({ phase: "talking" }) })), "nothing is away").toBe(false);
  });
  it("rates no connection that is away", () => {
    const good = { word: "good" } as View["quality"];
    const v = view({ media: "connected", line: "flows", quality: good, call: call({ phase: "talking", opMic: true }) });
    expect(rated(v)).toBe("good");
    for (const away of [{ link: "lost" }, { unheard: true }, { offline: true }, { quiet: true, line: "own" }] as Partial<View>[]) expect(rated({ ...v, ...away }), JSON.stringify(away)).toBeUndefined();
    expect(rated({ ...v, quality: null })).toBeUndefined();
    expect(rated({ ...v, quality: { word: "unknown" } as View["quality"] })).toBeUndefined();
  });
  it("keeps a line that is on its way until it is durable, once and in order", () => {
    let lines = written([], "a", "a", 1);
    lines = posted(lines, item("o", 1, "operator"));
    lines = marked(lines, "a", "failed");
    expect(lines.map((l) => [l.id, l.state])).toEqual([["o", "sent"], ["a", "failed"]]);
    lines = posted(posted(lines, item("a", 2)), item("a", 2));
    expect(lines.map((l) => [l.id, l.state])).toEqual([["o", "sent"], ["a", "sent"]]);
  });
  it("sends a position when it says something new", () => {
    const fix = (change: Partial<Fix>): Fix => ({ lat: 54, lon: 69, accuracyM: 20, source: "device", clientMs: 0, serverMs: 0, ...change });
    expect(worthSending(null, fix({}))).toBe(true);
    expect(worthSending(fix({}), fix({ clientMs: 3000 }))).toBe(false);
    expect(worthSending(fix({}), fix({ clientMs: 10000 }))).toBe(true);
    expect(worthSending(fix({}), fix({ lat: 54.0002 }))).toBe(true);
    expect(worthSending(fix({}), fix({ accuracyM: 10 }))).toBe(true);
  });
  it("holds pictures back only where there are some", () => {
    const off = { pc: "p", rev: 1, red: true, jitterMs: 200, video: "off" as const, videoKbps: 0, leastKbps: 0, shown: "off" as const, why: "loss" };
    expect(heldBack(view({ tune: off, camera: "on", call: call({ opCamera: true }) }))).toEqual({ own: true, theirs: true });
    expect(heldBack(view({ tune: off, camera: "off", call: call({}) }))).toEqual({ own: false, theirs: false });
    expect(heldBack(view({ tune: { ...off, video: "thin", shown: "on" }, camera: "on", call: call({ opCamera: true }) }))).toEqual({ own: false, theirs: false });
  });
  it("reads its clock", () => {
    expect([clock(0, 61000), clock(5000, 0)]).toEqual(["01:01", "00:00"]);
  });
});

describe("texts", () => {
  it("count people in three languages", () => {
    const ru = "Перед вами {n, plural, one{# человек} few{# человека} many{# человек} other{# человека}}.";
    expect([1, 2, 5, 21].map((n) => format(ru, { n }, "ru"))).toEqual(["Перед вами 1 человек.", "Перед вами 2 человека.", "Перед вами 5 человек.", "Перед вами 21 человек."]);
    expect(format("{n, plural, one{# person is} other{# people are}} ahead", { n: 1 }, "en")).toBe("1 person is ahead");
    expect(format("±{m} м {x}", { m: 5 }, "kk")).toBe("±5 м {x}");
  });
  for (const page of readdirSync("locales")) {
    const load = (l: string) => JSON.parse(readFileSync(`locales/${page}/${l}.json`, "utf8")) as Record<string, string>;
    const [kk, ru, en] = [load("kk"), load("ru"), load("en")];
    it(`of ${page} are complete in all three, and differ`, () => {
      expect(Object.keys(ru).sort()).toEqual(Object.keys(kk).sort());
      expect(Object.keys(en).sort()).toEqual(Object.keys(kk).sort());
      expect(Object.keys(kk).filter((k) => !kk[k] || !ru[k] || !en[k])).toEqual([]);
    });
    it(`of ${page} mix no Latin letters into Cyrillic words`, () => {
      const mixed = [...Object.values(kk), ...Object.values(ru)].filter((s) => /[А-яӘәҒғҚқҢңӨөҰұҮүҺһІі][A-Za-z]|[A-Za-z][А-яӘәҒғҚқҢңӨөҰұҮүҺһІі]/.test(s.replace(/\{[^}]*\}/g, "")));
      expect(mixed).toEqual([]);
    });
  }
});

describe("the protocol's examples", () => {
  it("have the types that the pages were built with", () => {
    const gen = readFileSync("lib/wire.gen.ts", "utf8");
    const names = readdirSync("../signaling/wire/testdata").filter((f) => f.endsWith(".json"));
    expect(names.length).toBeGreaterThan(40);
    for (const f of names) expect(gen, f).toContain(`"${f.replace(".json", "")}":`);
  });
});
