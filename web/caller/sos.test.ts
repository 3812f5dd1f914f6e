import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bitsOf, frame, hex, maxFrame, maxText, type Message, receipt, sealOf, unhex } from "./sos";

const vector = JSON.parse(readFileSync(new URL("../../internal/sos/testdata/vector.json", import.meta.url), "utf8")) as Record<"key" | "client" | "nonce" | "sealed" | "open" | "receipt", string>;
const message: Message = {
  ref: Uint8Array.from({ length: 16 }, (_, i) => i + 1), n: 3, sentMs: 1795424400123, kind: "silent", lang: "ru", battery: 17,
  fix: { lat: 54.8753123, lon: 69.1628456, accuracyM: 12, source: "device", clientMs: 1795424400123 - 4000, serverMs: 0 }, have: 7, part: 1, text: "Абай 24, помогите",
};

describe("a call in one datagram", () => {
  it("is laid out as the gateway's own", async () => {
    const s = { from: unhex(vector.client), key: await sealOf(vector.key) };
    expect(hex(await frame(s, message, 180, unhex(vector.nonce)))).toBe(vector.sealed);
    expect(hex(await frame({ ...s, key: null }, message))).toBe(vector.open);
  });
  it("reads the gateway's receipt and nobody else's", async () => {
    const s = { from: unhex(vector.client), key: await sealOf(vector.key) };
    expect(await receipt(s, unhex(vector.receipt))).toMatchObject({ status: "registered", answered: true, n: 3, number: "26-000123", line: 9, part: 1, last: true, more: false, text: "Полиция едет" });
    const changed = unhex(vector.receipt);
    changed[40] = (changed[40] ?? 0) ^ 1;
    expect(await receipt(s, changed)).toBeNull();
    expect(await receipt({ ...s, key: await sealOf("another") }, unhex(vector.receipt))).toBeNull();
    const forged = unhex(vector.receipt.slice(0, 10) + "82" + vector.receipt.slice(12, 68) + "010100030000000000000000");
    expect(await receipt(s, forged)).toBeNull();
    expect(await receipt({ ...s, key: null }, forged)).toMatchObject({ status: "registered" });
  });
  it("fits whatever is written into it", async () => {
    const s = { from: unhex(vector.client), key: await sealOf(vector.key) };
    expect((await frame(s, { ...message, text: "a".repeat(maxText) })).length).toBeLessThanOrEqual(maxFrame);
    expect((await frame(s, { ...message, text: "", fix: null }, maxFrame)).length).toBe(maxFrame);
  });
  it("knows the bits of an identifier", () => {
    expect(hex(bitsOf("00000000000000000000000001"))).toBe(`${"0".repeat(31)}1`);
    expect(hex(bitsOf("7zzzzzzzzzzzzzzzzzzzzzzzzz"))).toBe("f".repeat(32));
  });
});
