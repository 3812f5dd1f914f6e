import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Note, Recording } from "./notes";
import { noted, posted } from "./view";

/** A recorder that gives what the test gives it. */
class FakeRecorder {
  static isTypeSupported = () => true;
  static last: FakeRecorder;
  state = "recording";
  mimeType = "audio/webm;codecs=opus";
  ondataavailable: ((e: { data: Blob }) => void) | null = null;
  onstop: (() => void) | null = null;
  constructor() {
    FakeRecorder.last = this;
  }
  start(): void {}
  stop(): void {
    this.state = "inactive";
    this.onstop?.();
  }
}

let kept: Blob | undefined;

beforeEach(() => {
  vi.stubGlobal("MediaRecorder", FakeRecorder);
  vi.stubGlobal("MediaStream", class {});
  vi.spyOn(URL, "createObjectURL").mockImplementation((b) => {
    kept = b as Blob;
    return "blob:note";
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("who spoke a note can hear the very bytes that were sent, once it is whole", async () => {
  const told: Note[] = [];
  const sent: string[] = [];
  let done = 0;
  const r = new Recording({} as MediaStreamTrack, {
    call: () => "c",
    changed: (n) => told.push(n),
    request: async (_, b) => {
      sent.push(atob(b.data));
      done += atob(b.data).length;
      return { bytes: done, done: b.end === true };
    },
  });
  FakeRecorder.last.ondataavailable?.({ data: new Blob(["first "]) });
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(1));
  expect(told.every((n) => n.url === undefined)).toBe(true);
  FakeRecorder.last.ondataavailable?.({ data: new Blob(["second"]) });
  r.stop();
  await vi.waitFor(() => expect(told.at(-1)?.state).toBe("sent"));
  expect(await kept?.text()).toBe("first second");
  expect(sent.join("")).toBe("first second");
  expect(told.at(-1)?.url).toBe("blob:note");

  const line = noted([], "n", { ms: 1000, part: 1, url: "blob:note" }, "sent", 1);
  const [after] = posted(line, { id: "n", chatSeq: 1, from: "caller", text: "", atMs: 1 });
  expect(after?.note?.url, "also when it stands in the chat").toBe("blob:note");
});
