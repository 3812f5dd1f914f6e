import { expect, test } from "vitest";
import { lineWord, pauseMs, tellAfterMs } from "./lineNow";
import { card } from "./fixtures";

const talking = card({ media: { ...card().media, mic: "on" } });
const muted = card({ media: { ...card().media, mic: "off" } });

test("a silent caller is not a dead line, nor a dead line a silent caller", () => {
  expect(lineWord(talking, "flows", 60_000, 100)).toBe("voice");
  expect(lineWord(talking, "flows", 60_000, pauseMs)).toBe("quiet");
  expect(lineWord(talking, "far", tellAfterMs, 60_000)).toBe("far");
  expect(lineWord(talking, "own", tellAfterMs, 60_000)).toBe("own");
  expect(lineWord(talking, "none", 60_000, 60_000)).toBe("waiting");
});

test("what heals by itself at once is not told", () => {
  expect(lineWord(talking, "far", tellAfterMs - 1, 100)).toBe("voice");
  expect(lineWord(talking, "own", tellAfterMs - 1, 100)).toBe("voice");
});

test("without a microphone, or on hold, nothing is to be heard, but the own line counts", () => {
  expect(lineWord(muted, "far", 60_000, 60_000)).toBe("micOff");
  expect(lineWord(card({ phase: "hold" }), "far", 60_000, 60_000)).toBe("micOff");
  expect(lineWord(muted, "own", 60_000, 60_000)).toBe("own");
});
