import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Account } from "./rest";
import { refusedBy } from "../lib/signon";
import { differs, found, place, roles, state, willWait } from "./rules";

const a: Account = {
  staff: "1", login: "aigul", name: "Айгүл С.", unit: "north", roles: ["operator"], pending: [], pendingBy: "", approve: "wrong_state",
  disabled: false, second: false, local: true, linked: false, self: false, usedMs: 0,
};

test("the address says where the page stands, whatever is in it", () => {
  expect(place("")).toEqual({ page: "accounts" });
  expect(place("#account/17")).toEqual({ page: "account", staff: "17" });
  expect(place("#invite=abc")).toEqual({ page: "invited", token: "abc" });
  expect(place("#me")).toEqual({ page: "me" });
  expect(place("#<script>")).toEqual({ page: "accounts" });
  expect(refusedBy("#refused=provider_down")).toBe("provider_down");
  expect(refusedBy("#refused=<b>")).toBe("");
});

test("people are found by any of their words", () => {
  const name = (r: string) => (r === "operator" ? "Оператор" : r);
  expect(found([a], "АЙГ north", name)).toEqual([a]);
  expect(found([a], "оператор", name)).toEqual([a]);
  expect(found([a], "айгүл south", name)).toEqual([]);
});

test("an account stands in one word", () => {
  expect(state(a)).toBe("working");
  expect(state({ ...a, local: false })).toBe("invited");
  expect(state({ ...a, local: false, linked: true })).toBe("working");
  expect(state({ ...a, pending: ["investigator"] })).toBe("waiting");
  expect(state({ ...a, disabled: true, pending: ["investigator"] })).toBe("disabled");
});

test("roles that open evidence are told to wait before they are asked for", () => {
  expect(willWait(a, ["operator", "investigator"])).toEqual(["investigator"]);
  expect(willWait({ roles: ["investigator"] }, ["investigator"])).toEqual([]);
  expect(differs(a, ["operator"])).toBe(false);
  expect(differs({ ...a, pending: ["supervisor"] }, ["supervisor", "operator"])).toBe(false);
  expect(differs(a, [])).toBe(true);
});

test("every text is there in the three languages", () => {
  const read = (lang: string) => JSON.parse(readFileSync(new URL(`../locales/admin/${lang}.json`, import.meta.url), "utf8")) as Record<string, string>;
  const [kk, ru, en] = [read("kk"), read("ru"), read("en")];
  expect(Object.keys(kk)).toEqual(Object.keys(en));
  expect(Object.keys(ru)).toEqual(Object.keys(en));
  for (const [key, text] of Object.entries(en)) {
    expect(text, key).not.toBe("");
    if (!key.startsWith("mark.")) expect(kk[key], key).not.toBe(ru[key]);
  }
  for (const r of roles) expect(en[`role.${r}`], r).toBeTruthy();
  const files = ["App", "Accounts", "One", "Changes", "Invited", "Me", "SignIn", "parts"];
  const source = files.map((f) => readFileSync(new URL(`./${f}.tsx`, import.meta.url), "utf8")).join("");
  for (const [, key] of source.matchAll(/\bt\("([a-z.]+)"/g)) expect(en[key ?? ""], key).toBeTruthy();
});
