import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { coordinates, type LatLon } from "../../map/geo";
import { useConsole } from "../context";
import { RestError } from "../rest";
import { search } from "./api";
import { useBoard } from "./context";
import { foundOf, parsePlace } from "./rules";
import type { Found } from "./types";

/** Finds an address or coordinates, shows them on the map, and gives the place to the chosen case and so to its patrol. */
export function Finder({ onShow }: { onShow: (at: LatLon) => void }) {
  const { lang, view } = useConsole();
  const { chosen, edits, place } = useBoard();
  const [text, setText] = useState("");
  const [found, setFound] = useState<Found[]>();
  const [trouble, setTrouble] = useState("");
  const find = async (e: Event) => {
    e.preventDefault();
    setTrouble("");
    const typed = parsePlace(text);
    if (typed) return show([{ ...typed, words: "" }]);
    try {
      show(foundOf(await search(text.trim(), view.centre ?? { lat: 48, lon: 67 }), lang));
    } catch (err) {
      setFound(undefined);
      const absent = err instanceof RestError && (err.code.startsWith("http_") || err.code === "not_found" || err.code === "unavailable");
      setTrouble(absent ? t("board.find.absent") : (err instanceof RestError && err.words?.[lang]) || t("board.find.absent"));
    }
  };
  const show = (list: Found[]) => {
    setFound(list);
    if (list[0]) onShow(list[0]);
  };
  return (
    <form class="finder" role="search" onSubmit={(e) => void find(e)}>
      <p class="row">
        <input type="search" aria-label={t("board.find")} placeholder={t("board.find")} value={text} maxLength={200} onInput={(e) => setText(e.currentTarget.value)} />
        <button type="submit" class="small" disabled={!text.trim()}>{t("board.find.go")}</button>
      </p>
      {trouble && <p class="warn" role="status">{trouble}</p>}
      {found && found.length === 0 && <p class="hint" role="status">{t("board.find.none")}</p>}
      {found && found.length > 0 && (
        <ul class="boardfound">
          {found.slice(0, 6).map((f) => (
            <li key={`${f.lat},${f.lon},${f.words}`}>
              <button type="button" class="small" onClick={() => onShow(f)}>{f.words || coordinates(f)}</button>
              {edits && chosen && <button type="button" class="small" onClick={() => place(f)}>{t("board.find.place", { number: chosen.row.number })}</button>}
            </li>
          ))}
          <li><button type="button" class="small" onClick={() => { setFound(undefined); setText(""); }}>{t("board.find.clear")}</button></li>
        </ul>
      )}
    </form>
  );
}
