import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { LatLon } from "../map/geo";
import { CameraTile } from "./CameraTile";
import { useConsole } from "./context";
import { useCameras } from "./useCameras";

const openEvery = 2000;
const closedEvery = 20_000;
const shownFirst = 6;

/** The cameras near a place, the nearest first; nothing on a site without cameras. It is closed until asked for. */
export function Cameras({ near, recording }: { near: LatLon | undefined; recording?: string }) {
  const { lang } = useConsole();
  const [open, setOpen] = useState(false);
  const [all, setAll] = useState(false);
  const rows = useCameras(near, open ? openEvery : closedEvery);
  if (rows.length === 0) return null;
  const shown = all ? rows : rows.slice(0, shownFirst);
  return (
    <section class="panel cameras" aria-label={t("cameras")}>
      <h2>
        <button type="button" class="small" aria-expanded={open} onClick={() => setOpen(!open)}>{t(near ? "cameras.near" : "cameras")} <span class="count">{rows.length}</span></button>
        <span class="grow" />
        {open && rows.length > shownFirst && (
          <button type="button" class="small" aria-pressed={all} onClick={() => setAll(!all)}>{all ? t("cameras.fewer") : t("cameras.all")}</button>
        )}
      </h2>
      {open && <ul tabIndex={0} aria-label={t("cameras")}>{shown.map((c) => <CameraTile key={c.camera} camera={c} lang={lang} recording={recording} />)}</ul>}
    </section>
  );
}
