import { useEffect, useRef, useState } from "preact/hooks";
import type { Choice } from "../lib/wire.gen";
import * as api from "./cases/api";
import type { CaseView, Choices } from "./cases/model";
import { useConsole } from "./context";

/** The case of a call in hand, and the one word for what it is about. */
export interface CallCase {
  view?: CaseView;
  /** What the call is about: as the case says, or as it was just chosen here. */
  category: string;
  /** What may be chosen: the categories of calls, and whatever else the case already is. */
  categories: Choice[];
  pick: (key: string) => void;
}

/**
 * The case that begins with a call has the call's identifier. Its kind and the category of the call are one
 * classification: choosing here says it to the case at once, and what a colleague says there stands here.
 */
export function useCallCase(call: string, kept: string): CallCase {
  const { desk, view: world, seat } = useConsole();
  const [view, setView] = useState<CaseView>();
  const [choices, setChoices] = useState<Choices>();
  const [picked, setPicked] = useState(kept);
  const want = useRef(kept);
  const look = () => {
    api.view(call).then((v) => {
      setView((old) => (old && old.version > v.version ? old : v));
      if (want.current && v.kind !== want.current) say(want.current);
      else settle("");
    }, () => undefined); // the next news, or the wrap-up, says it
  };
  const settle = (key: string) => {
    want.current = key;
    setPicked(key);
  };
  const say = (key: string) => {
    api.act(call, { act: "classify", kind: key, priority: -1 }).then((v) => {
      setView(v);
      if (want.current === key) settle("");
    }, () => undefined); // as above
  };
  useEffect(look, [call, seat.link === "open"]);
  useEffect(() => desk.on("case.news", (n) => n.case === call && look()), [desk, call]);
  const foreign = view?.kind && !world.categories.some((c) => c.key === view.kind) ? view.kind : "";
  useEffect(() => {
    if (foreign && !choices) api.choices().then(setChoices, () => undefined); // its code stands there
  }, [foreign]);
  const name = choices?.kinds.find((k) => k.code === foreign)?.name ?? { kk: foreign, ru: foreign, en: foreign };
  return {
    view, category: picked || view?.kind || "", categories: foreign ? [...world.categories, { key: foreign, words: name }] : world.categories,
    pick: (key) => {
      settle(key);
      if (key) say(key);
    },
  };
}
