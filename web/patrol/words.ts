/** What a patrol says of its task, and the line of words that wait for a network. Pure. */

/** How far along a task is. */
export type Step = "assigned" | "accepted" | "en_route" | "on_scene";
/** A word on the task, as the gateway takes it. */
export type Word = "accepted" | "declined" | "en_route" | "on_scene" | "cleared";

interface About {
  id: string; // of this saying: kept, sent and forgotten by it
  who: string; // who said it: a phone may change hands
  case: string;
  number: string;
  atMs: number; // when, by this phone's clock
}

/** One thing said, in the order of the line: a word, a note for the card, or the end of the case. */
export type Said = About & ({ what: "word"; word: Word } | { what: "note"; text: string } | { what: "close"; outcome: string; text: string });

/** The four buttons, in the order of a task. */
export const buttons = ["accepted", "en_route", "on_scene", "cleared"] as const;

const steps: readonly string[] = ["assigned", "accepted", "en_route", "on_scene"];

/** How far along the task is once all that waits has been told; "over" when that ends it. */
export function ahead(state: string, waiting: readonly Said[], task: string): Step | "over" {
  let at = Math.max(0, steps.indexOf(state));
  for (const s of waiting) {
    if (s.case !== task) continue;
    if (s.what === "close" || (s.what === "word" && (s.word === "cleared" || s.word === "declined"))) return "over";
    if (s.what === "word") at = Math.max(at, steps.indexOf(s.word));
  }
  return steps[at] as Step;
}

export type Standing = "done" | "next" | "later";

/** How a button stands: what was said, what comes next, what may be said already. */
export function standing(step: Step | "over", word: (typeof buttons)[number]): Standing {
  if (step === "over") return "done";
  const at = steps.indexOf(step);
  const n = buttons.indexOf(word);
  return n < at ? "done" : n === at ? "next" : "later";
}

/** A task may be declined until the patrol is on its way. */
export function mayDecline(step: Step | "over"): boolean {
  return step === "assigned" || step === "accepted";
}

/** The request that tells one saying. */
export function request(s: Said): { path: string; body: Record<string, unknown> } {
  const of = encodeURIComponent(s.case);
  switch (s.what) {
    case "word":
      return { path: `/patrol/cases/${of}/words`, body: { what: s.word, atMs: s.atMs } };
    case "note":
      return { path: `/cases/${of}/acts`, body: { act: "add", line: { id: s.id, what: "note", text: s.text } } };
    case "close":
      return { path: `/cases/${of}/acts`, body: { act: "close", outcome: s.outcome, text: s.text } };
  }
}

/** What becomes of a saying after an answer: it was taken, it waits, or it never will be taken. */
export function fate(status: number): "taken" | "waits" | "refused" {
  if (status >= 200 && status < 300) return "taken";
  // Nobody signed in, too often, a gateway in trouble: the same words are right a moment later.
  return status === 0 || status === 401 || status === 408 || status === 429 || status >= 500 ? "waits" : "refused";
}

/** The line without what was told, and without what can no longer be told: a task that is over takes
 * nothing more, and what came after a refused word of it would tell another story. */
export function after(line: readonly Said[], told: Said, how: "taken" | "refused", code = ""): Said[] {
  const rest = line.filter((s) => s.id !== told.id);
  return how === "refused" && (code === "task_over" || code === "no_such_case") ? rest.filter((s) => s.case !== told.case || s.who !== told.who) : rest;
}
