import { useEffect, useRef, useState } from "preact/hooks";
import { findPlaces } from "../../lib/address";
import { t } from "../../lib/i18n";
import type { LatLon } from "../../map/geo";
import { useConsole } from "../context";
import { useBoard } from "./context";
import type { Found } from "./types";

/** Finds an address or coordinates, shows them on the map, and gives the place to the chosen case and so to its patrol. */
export function Finder({ onShow }: { onShow: (at: LatLon) => void }) {
  const { lang, view } = useConsole();
  const { chosen, edits, place } = useBoard();
  const [text, setText] = useState("");
  const [found, setFound] = useState<Found[]>();
  const [absent, setAbsent] = useState(false);
  const open = useRef<AbortController>(undefined);
  useEffect(() => () => open.current?.abort(), []);
  const find = async (e: Event) => {
    e.preventDefault();
    open.current?.abort();
    const now = new AbortController();
    open.current = now;
    const list = await findPlaces(text.trim(), view.centre, now.signal);
    if (now.signal.aborted) return;
    setAbsent(!list);
    setFound(list?.map((f) => ({ lat: f.lat, lon: f.lon, words: f.words[lang] || f.words.ru, point: f.kind === "point" })));
    if (list?.[0]) onShow(list[0]);
  };
  return (
    <form class="boardfinder" role="search" onSubmit={(e) => void find(e)}>
      <p class="row">
        <input type="search" aria-label={t("board.find")} placeholder={t("board.find")} value={text} maxLength={200} onInput={(e) => setText(e.currentTarget.value)} />
        <button type="submit" class="small" disabled={!text.trim()}>{t("board.find.go")}</button>
      </p>
      {absent && <p class="warn" role="status">{t("board.find.absent")}</p>}
      {found && found.length === 0 && <p class="hint" role="status">{t("board.find.none")}</p>}
      {found && found.length > 0 && (
        <ul class="boardfound">
          {found.slice(0, 6).map((f) => (
            <li key={`${f.lat},${f.lon},${f.words}`}>
              <button type="button" class="small" onClick={() => onShow(f)}>{f.words}</button>
              {edits && chosen && <button type="button" class="small" onClick={() => place(f.point ? { ...f, words: "" } : f)}>{t("board.find.place", { number: chosen.row.number })}</button>}
            </li>
          ))}
          <li><button type="button" class="small" onClick={() => { setFound(undefined); setText(""); }}>{t("board.find.clear")}</button></li>
        </ul>
      )}
    </form>
  );
}
