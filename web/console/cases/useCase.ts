import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useConsole } from "../context";
import { RestError } from "../rest";
import * as api from "./api";
import type { CaseAct, CaseView, Choices } from "./model";

/** Looks again when a case has changed, and after a time without a link: news is not repeated. */
export function useCaseNews(look: (id: string | undefined) => void): void {
  const { desk, seat } = useConsole();
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => desk.on("case.news", (n) => latest.current(n.case)), [desk]);
  const before = useRef(seat.link);
  useEffect(() => {
    if (seat.link === "open" && before.current !== "open") latest.current(undefined);
    before.current = seat.link;
  }, [seat.link]);
}

export interface OneCase {
  view?: CaseView;
  /** Why there is none. */
  trouble?: RestError;
  /** What was refused because somebody else had changed the case. */
  stale: boolean;
  /** Does something; true when the gateway has done it. */
  act: (a: CaseAct, on?: string) => Promise<boolean>;
  look: () => void;
  seen: () => void;
}

/** One case, as it is now. */
export function useCase(id: string | undefined): OneCase {
  const { desk } = useConsole();
  const [view, setView] = useState<CaseView>();
  const [trouble, setTrouble] = useState<RestError>();
  const [stale, setStale] = useState(false);
  const wanted = useRef(id);
  wanted.current = id;
  const put = (v: CaseView) => {
    if (v.case !== wanted.current) return;
    setTrouble(undefined);
    setView((old) => (old?.case === v.case && old.version > v.version ? old : v));
  };
  const look = useCallback(() => {
    if (!id) return;
    api.view(id).then(put, (err: unknown) => wanted.current === id && setTrouble(err instanceof RestError ? err : new RestError("unreachable")));
  }, [id]);
  useEffect(() => {
    setView(undefined);
    setStale(false);
    setTrouble(undefined);
    look();
  }, [id]);
  useCaseNews((changed) => (changed === undefined || changed === id || concerns(view, changed)) && look());
  // How a message reached its citizen, or what a phone still sends, is no decision of the case: it is looked at again.
  useEffect(() => {
    const timer = setInterval(look, 15_000);
    return () => clearInterval(timer);
  }, [look]);
  const act = async (a: CaseAct, on = id): Promise<boolean> => {
    if (!on) return false;
    try {
      const v = await api.act(on, a);
      setStale(false);
      if (on === id) put(v);
      else look();
      return true;
    } catch (err) {
      const known = err instanceof RestError ? err : new RestError("unreachable");
      if (known.code === "case_stale") setStale(true);
      else desk.say(known.words ?? "error.noanswer", { bad: true });
      look();
      return false;
    }
  };
  return { view: view?.case === id ? view : undefined, trouble, stale, act, look, seen: () => setStale(false) };
}

/** Does the change of another case change what is shown of this one? */
function concerns(view: CaseView | undefined, id: string): boolean {
  return view !== undefined && (view.into === id || [...view.links, ...view.merged].some((r) => r.case === id));
}

/** The kinds and outcomes of the site. */
export function useChoices(): Choices {
  const [list, setList] = useState<Choices>({ kinds: [], outcomes: [] });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    api.choices().then(setList, () => {
      timer = setTimeout(() => setTries(tries + 1), 3000);
    });
    return () => clearTimeout(timer);
  }, [tries]);
  return list;
}
