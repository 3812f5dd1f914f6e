import { useEffect, useState } from "preact/hooks";
import type { FoundPlace } from "../lib/address";
import { useConsole } from "./context";
import { addPlace, casePlaces, type CasePlaceLine, withdrawLine } from "./rest";

/** Where the staff say the place of a call is, beside what the phone and the caller say. Every move is kept with its mover. */
export interface Moves {
  last: CasePlaceLine | undefined;
  move: (to: FoundPlace, words: string) => Promise<void>;
  undo: () => Promise<void>;
}

export function useMoves(call: string): Moves {
  const { desk, seat } = useConsole();
  const [lines, setLines] = useState<CasePlaceLine[]>([]);
  const load = () => casePlaces(call).then(setLines, () => undefined);
  useEffect(() => setLines([]), [call]);
  useEffect(() => {
    void load();
    return desk.on("case.news", (n) => n.case === call && void load()); // somebody else may move it
  }, [desk, call, seat.link === "open"]);
  const ours = lines.filter((l) => l.place.source === "operator" && !l.gone);
  const last = ours.at(-1);
  return {
    last,
    move: async (to, words) => {
      await addPlace(call, { id: id(), lat: to.lat, lon: to.lon, words });
      await load();
    },
    undo: async () => {
      if (last) await withdrawLine(call, last.id);
      await load();
    },
  };
}

function id(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
}
