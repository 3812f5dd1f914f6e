import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { t } from "../../lib/i18n";
import type { CaseDraft, CaseDrafts } from "./caseDrafts";
import { age } from "../clock";
import { useConsole, useServerNow } from "../context";
import type { CaseView, Choices } from "./model";
import type { OneCase } from "./useCase";

/** What every part of the room may read. */
export interface Room {
  choices: Choices;
  drafts: CaseDrafts;
  /** Opens a case beside the list. */
  openCase: (id: string | undefined) => void;
  /** Looks for what is around a place. */
  around: (at: { lat: number; lon: number }) => void;
}

export const RoomOfCases = createContext<Room | undefined>(undefined);

export function useRoom(): Room {
  const r = useContext(RoomOfCases);
  if (!r) throw new Error("bug: used outside the cases");
  return r;
}

/** The case at hand, and what was typed about it. */
export interface Hand extends OneCase {
  view: CaseView;
  draft: CaseDraft;
  write: (change: CaseDraft) => void;
  mayEdit: boolean;
}

export const HandContext = createContext<Hand | undefined>(undefined);

export function useHand(): Hand {
  const h = useContext(HandContext);
  if (!h) throw new Error("bug: used outside a case");
  return h;
}

/** What a kind is called; a kind that the site no longer has keeps its code. */
export function useKindName(): (code: string) => string {
  const { lang } = useConsole();
  const { choices } = useRoom();
  return (code) => choices.kinds.find((k) => k.code === code)?.name[lang] ?? (code || t("cases.kind.none"));
}

export function useOutcomeName(): (code: string) => string {
  const { lang } = useConsole();
  const { choices } = useRoom();
  return (code) => choices.outcomes.find((k) => k.code === code)?.name[lang] ?? code;
}

/** How old something is, in words. */
export function useAge(): (ms: number) => string {
  const now = useServerNow(5000);
  return (ms) => {
    const a = age(now - ms);
    return t(`age.${a.unit}`, { n: a.n });
  };
}

export function statusName(status: string): string {
  return t(`cases.status.${status}`);
}
