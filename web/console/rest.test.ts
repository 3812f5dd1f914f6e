import { afterEach, expect, test, vi } from "vitest";
import { call } from "./rest";

afterEach(() => vi.unstubAllGlobals());

function answers(body: BodyInit | null, init: ResponseInit): void {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, init)));
}

test("an answer that is cut off is none", async () => {
  const half = new ReadableStream({
    start(c) {
      c.enqueue(new TextEncoder().encode('{"cases":['));
      c.error(new TypeError("network error"));
    },
  });
  answers(half, { status: 200 });
  await expect(call("GET", "/cases")).rejects.toMatchObject({ code: "unreachable" });
});

test("a refusal says its code, also where somebody in between answers", async () => {
  answers('{"error":{"code":"not_found"}}', { status: 404 });
  await expect(call("GET", "/cases/x")).rejects.toMatchObject({ code: "not_found" });
  answers("<h1>Bad gateway</h1>", { status: 502 });
  await expect(call("GET", "/cases/x")).rejects.toMatchObject({ code: "http_502" });
});

test("an answer may be empty", async () => {
  answers(null, { status: 204 });
  await expect(call("DELETE", "/staff/session")).resolves.toBeUndefined();
});
