import { useEffect, useRef, useState } from "preact/hooks";
import type { CallCard, NoteSaved } from "../lib/wire.gen";
import { useConsole } from "./context";
import { type Note, openNote, rebase, refused, sending, sent, typed, wantsSave } from "./note";

/** Pause after the last letter before the note is saved, and before a refused one is tried again. */
const restMs = 700;
const againMs = 4000;

/** The note of a call: saved by itself, kept in this browser until the gateway has it. */
export function useNote(card: CallCard): { note: Note; write: (text: string) => void; flush: () => void } {
  const { desk, drafts } = useConsole();
  const [note, setNote] = useState<Note>(() => openNote(card.call, card.note, card.noteRev, drafts.read(card.call).note));
  const latest = useRef(note);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const put = (n: Note) => {
    latest.current = n;
    setNote(n);
    drafts.write(n.call, { note: n.text === n.saved ? undefined : n.text });
  };
  const plan = (ms: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(save, ms);
  };
  const save = async () => {
    clearTimeout(timer.current);
    if (!wantsSave(latest.current)) return;
    put(sending(latest.current));
    const { call, rev, sending: text } = latest.current;
    const answer = (await desk.ask("note.save", { call, text: text ?? "", base: rev })) as NoteSaved | undefined;
    put(answer ? sent(latest.current, answer.rev) : refused(latest.current));
    if (wantsSave(latest.current)) plan(answer ? restMs : againMs);
  };

  useEffect(() => {
    const n = rebase(latest.current, card.note, card.noteRev);
    if (n !== latest.current && latest.current.sending === undefined) put(n);
  }, [card.note, card.noteRev]);
  useEffect(() => {
    if (wantsSave(latest.current)) plan(restMs); // a draft that a reload left
    const hidden = () => document.visibilityState === "hidden" && void save();
    document.addEventListener("visibilitychange", hidden);
    return () => {
      document.removeEventListener("visibilitychange", hidden);
      clearTimeout(timer.current);
      void save();
    };
  }, []);
  return {
    note,
    write: (text) => {
      put(typed(latest.current, text));
      plan(restMs);
    },
    flush: () => void save(),
  };
}
