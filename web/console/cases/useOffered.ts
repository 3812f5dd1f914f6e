import { useEffect, useRef, useState } from "preact/hooks";
import { useConsole } from "../context";
import { may } from "../may";
import * as api from "./api";
import type { CaseItem } from "./model";
import { useCaseNews } from "./useCase";

/** News comes in bursts; whoever is offered a case may learn it a moment later. */
const gatherMs = 1000;

/** The open cases that a colleague wants to hand to this person, wherever in the console they are. */
export function useOffered(): CaseItem[] {
  const { view } = useConsole();
  const me = view.staff?.staff ?? "";
  const edits = may(view.staff, "edit_cases");
  const [list, setList] = useState<CaseItem[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const look = () => {
    api.find(new URLSearchParams({ open: "1", owner: me, limit: "200" })).then((p) => setList(p.cases.filter((c) => c.handing === me)), () => undefined); // the next news asks again
  };
  useCaseNews(() => {
    if (!edits) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(look, gatherMs);
  });
  useEffect(() => {
    if (edits && me) look();
    return () => clearTimeout(timer.current);
  }, [me, edits]);
  return list;
}
