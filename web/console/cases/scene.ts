import { moment } from "../fixtures";
import { caseItem } from "./fixtures";
import type { CaseView, Choices } from "./model";

/** A gateway with a few cases, for the gallery: it answers what the room of cases asks, and agrees to every act. */
export function fakeCases(): void {
  const text = (kk: string, ru: string, en: string) => ({ kk, ru, en });
  const choices: Choices = {
    kinds: [
      { code: "noise", name: text("Шу", "Шум", "Noise"), priority: 3, plate: false, report: true },
      { code: "public_order", name: text("Қоғамдық тәртіпті бұзу", "Нарушение общественного порядка", "Public order"), priority: 2, plate: false, report: true },
    ],
    outcomes: [{ code: "measures", name: text("Шара қолданылды", "Приняты меры", "Measures taken"), reply: text("Шара қолданылды.", "Меры приняты.", "Measures were taken.") }],
  };
  const list = [
    caseItem({ case: "c1", number: "26-001182", priority: 1, kind: "public_order", lane: "call", status: "on_scene", owner: "s-aigul", ownerName: "Айгүл Сәрсенова", place: "Абай көшесі, 24", text: "Көршісі есікті сындырып жатыр, пышағы бар", patrols: ["P-14"], repliedMs: moment, openedMs: moment - 620_000 }),
    caseItem({ case: "c2", number: "26-001171", text: "Музыка түні бойы", place: "Интернациональная, 61", files: 2, alike: ["c3", "c4"], openedMs: moment - 4_000_000 }),
    caseItem({ case: "c3", number: "26-001173", text: "Мешают спать", alike: ["c2", "c4"], openedMs: moment - 3_000_000 }),
    caseItem({ case: "c4", number: "26-001175", text: "Очень шумно", alike: ["c2", "c3"], openedMs: moment - 2_000_000 }),
    caseItem({ case: "c5", number: "26-001160", status: "reopened", plate: "123 ABC 15", handing: "s-aigul", owner: "s-olga", ownerName: "Ольга Мельник", text: "Парковка на газоне", repliedMs: moment }),
  ];
  const view: CaseView = {
    ...caseItem({ case: "c2", number: "26-001171", openedMs: moment - 4_000_000, lat: 54.8753, lon: 69.1628 }), citizen: { name: "Нұрлан Ахметов", phone: "+77015551212", lang: "kk", proven: true },
    card: [
      { id: "n", what: "note", atMs: moment - 4_000_000, by: "", name: "", role: "", phone: "", text: "Музыка түні бойы, бүкіл үй ұйықтай алмай отыр", gone: false, merged: false },
      { id: "p1", what: "place", atMs: moment - 4_000_000, by: "", place: { source: "device", lat: 54.8753, lon: 69.1628, accuracyM: 12, words: "" }, name: "", role: "", phone: "", text: "", gone: false, merged: false },
      { id: "p2", what: "place", atMs: moment - 3_900_000, by: "Айгүл Сәрсенова", place: { source: "operator", lat: 54.8781, lon: 69.1628, accuracyM: 0, words: "Дом быта" }, name: "", role: "", phone: "", text: "", gone: false, merged: false },
      { id: "v", what: "vehicle", atMs: moment - 3_800_000, by: "Айгүл Сәрсенова", name: "123 ABC 15", role: "", phone: "", text: "ақ Lada", gone: false, merged: false },
    ],
    recordings: [{ call: "r1", kind: "report", atMs: moment - 4_000_000, live: false, merged: false, files: [
      { file: "f1", name: "aula.jpg", mime: "image/jpeg", bytes: 3_140_000, sha256: "0".repeat(64), keptMs: moment, capturedMs: moment - 4_100_000, marks: ["other_time"], preview: true },
      { file: "f2", name: "", mime: "audio/ogg", bytes: 84_000, sha256: "0".repeat(64), keptMs: 0, capturedMs: 0, marks: [], preview: false },
    ] }],
    sendings: [{ patrol: "p", name: "P-14", by: "Дана Ысқақова", reason: "4 мин", atMs: moment - 300_000, acceptedMs: 0, enRouteMs: 0, onSceneMs: 0, endedMs: 0, why: "", late: true }],
    replies: [{ atMs: moment - 4_000_000, status: "registered", text: "", message: { stage: "failed", channel: "sms", reason: "no answer", atMs: moment } }],
    links: [{ case: "c5", number: "26-001160", status: "reopened" }], merged: [{ case: "c4", number: "26-001175", status: "registered" }], intoNumber: "", reply: "", undoMs: 0, reopenings: 0, may: ["edit", "send", "play"],
  };
  const answer = (path: string): unknown => {
    if (path === "/cases/choices") return choices;
    if (path.startsWith("/cases?")) return { cases: path.includes("order=oldest") ? [list[1]] : path.includes("owner=") ? [list[4]] : list, next: "" };
    if (path.endsWith("/similar")) return { cases: [{ ...list[2], score: 0.82, metres: 41, apartS: 900 }] };
    if (path.endsWith("/course")) return { course: [] };
    return path === "/shifts" ? { on: [] } : view;
  };
  const real = window.fetch;
  window.fetch = async (input, init) => {
    const path = /\/api\/v1(\/(?:cases|shifts).*)$/.exec(String(input))?.[1];
    return path ? new Response(JSON.stringify(answer(path)), { headers: { "Content-Type": "application/json" } }) : real(input, init);
  };
}
