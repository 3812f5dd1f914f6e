import { createContext } from "preact";
import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import type { Text } from "../../lib/wire.gen";
import { freshID } from "../cameras";
import { type Console, type Lang, useConsole } from "../context";
import { may } from "../may";
import { RestError } from "../rest";
import { type Act, act, api, choices } from "./api";
import { BoardModel, type BoardState } from "./model";
import { type Entry, undoMs } from "./rules";
import type { Choices, Found, PatrolRow } from "./types";

/** What one can do on the board; each says what it did and how it is taken back. */
export interface BoardActs {
  choose(id: string | undefined): void;
  send(patrol: Pick<PatrolRow, "patrol" | "name">, why: Text): void;
  recall(patrol: string, name: string): void;
  note(text: string): Promise<boolean>;
  place(at: Found): void;
  close(outcome: string, text: string): Promise<boolean>;
  undo(): boolean;
}

export interface Board extends BoardActs {
  state: BoardState;
  chosen: Entry | undefined;
  choices: Choices;
  /** May this person send patrols, or change cases? */
  sends: boolean;
  edits: boolean;
}

export const BoardContext = createContext<Board | undefined>(undefined);

export function useBoard(): Board {
  const b = useContext(BoardContext);
  if (!b) throw new Error("bug: used outside the board");
  return b;
}

/** One text of the page where the desk wants all three languages. */
export function said(text: string): Text {
  return { kk: text, ru: text, en: text };
}

export function kindOf(c: Choices, code: string, lang: Lang): string {
  const name = c.kinds.find((k) => k.code === code)?.name;
  return name ? name[lang] || name.ru : code || t("board.nokind");
}

/** The board of this page: its model, kept true while it is shown, and what can be done. */
export function useBoardModel(first: string | undefined): Board {
  const { desk, view } = useConsole();
  const [, redraw] = useState(0);
  const [kinds, setKinds] = useState<Choices>({ kinds: [], outcomes: [] });
  const model = useMemo(() => new BoardModel(api, desk, () => redraw((n) => n + 1)), [desk]);
  useEffect(() => {
    model.start();
    if (first) model.choose(first);
    choices().then(setKinds, () => undefined); // codes are shown instead
    return () => model.close();
  }, [model]);
  const acts = useActs(model, desk);
  const state = model.state;
  return {
    state, ...acts, chosen: state.entries.find((e) => e.row.case === state.chosen), choices: kinds, sends: may(view.staff, "dispatch"), edits: may(view.staff, "edit_cases"),
  };
}

function useActs(model: BoardModel, desk: Console["desk"]): BoardActs {
  const last = useRef<{ undo: () => void; until: number }>(undefined);
  return useMemo(() => {
    const run = async (id: string | undefined, what: Act): Promise<boolean> => {
      if (!id) return false;
      try {
        model.took(await act(id, what));
        return true;
      } catch (err) {
        await model.load(); // what was shown was not so; where the patrol is belongs to the refusal
        desk.say(refusal(err, model, what.patrol), { bad: true });
        return false;
      }
    };
    const undoable = (words: string, undo: () => void) => {
      const take = () => {
        if (last.current?.undo === take) last.current = undefined;
        desk.hush();
        undo();
      };
      last.current = { undo: take, until: Date.now() + undoMs };
      desk.say(said(words), { undo: take });
    };
    return {
      choose: (id) => model.choose(id),
      send: (p, why) => {
        const id = model.state.chosen;
        void run(id, { act: "send", patrol: p.patrol, reason: why.ru.slice(0, 100) }).then((ok) => ok && undoable(t("board.sent", { name: p.name }), () => {
          void run(id, { act: "recall", patrol: p.patrol });
        }));
      },
      recall: (patrol, name) => void run(model.state.chosen, { act: "recall", patrol }).then((ok) => ok && desk.say(said(t("board.recalled", { name })))),
      note: async (text) => {
        const ok = await run(model.state.chosen, { act: "add", line: { id: freshID(), what: "note", text } });
        if (ok) desk.say(said(t("board.noted")));
        return ok;
      },
      place: (at) => {
        const id = model.state.chosen;
        const line = freshID();
        void run(id, { act: "add", line: { id: line, what: "place", place: { lat: at.lat, lon: at.lon, ...(at.words ? { words: at.words } : {}) } } })
          .then((ok) => ok && undoable(t("board.placed"), () => void run(id, { act: "withdraw", id: line })));
      },
      close: async (outcome, text) => {
        const id = model.state.chosen;
        const ok = await run(id, { act: "close", outcome, text });
        if (ok) undoable(t("board.closed"), () => void run(id, { act: "unclose" }));
        return ok;
      },
      undo: () => {
        const u = last.current;
        if (!u || Date.now() > u.until) return false;
        u.undo();
        return true;
      },
    };
  }, [model, desk]);
}

/** A refusal in words; of a patrol that is not free, where it is. */
function refusal(err: unknown, model: BoardModel, patrol: string | undefined): Text | string {
  if (!(err instanceof RestError) || !err.words) return "error.unreachable";
  const p = err.code === "patrol_busy" ? model.state.patrols.find((x) => x.patrol === patrol) : undefined;
  if (!p?.number) return err.words;
  const more = ` ${t("board.busyat", { name: p.name, number: p.number, state: t(`board.unit.${p.state}`) })}`;
  return { kk: err.words.kk + more, ru: err.words.ru + more, en: err.words.en + more };
}
