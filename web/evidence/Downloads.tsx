import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/i18n";
import { roleOf } from "./Lanes";
import type { Detail } from "./rest";

/** What can be taken away: both sides as they play, and the archive as it is stored. */
export function Downloads({ d, open, set, fetchable }: { d: Detail; open: boolean; set: (open: boolean) => void; fetchable: boolean }) {
  const menu = useRef<HTMLDivElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) menu.current?.querySelector<HTMLElement>(open ? "ul a" : "button")?.focus();
    first.current = false;
  }, [open]);
  return (
    <div class="menu" ref={menu} onKeyDown={(e) => open && e.code === "Escape" && set(false)}>
      <button type="button" aria-expanded={open} aria-controls="downloads" onClick={() => set(!open)}>{t("downloads")}</button>
      <ul id="downloads" class="panel" hidden={!open}>
        {d.timeline.media.map((m) => (
          <li key={m.participant}>
            <a href={`${m.url}?download=1`} download>{t(m.video ? "download.video" : "download.audio", { who: t(`role.${roleOf(m)}`) })}</a>
            <span class="hint">{m.mime.split(";")[0]}</span>
          </li>
        ))}
        {fetchable && (
          <li>
            <a href={`/api/v1/evidence/calls/${d.row.call}/archive.tar`} download>{t("archive")}</a>
            <span class="hint">application/x-tar</span>
          </li>
        )}
      </ul>
    </div>
  );
}
