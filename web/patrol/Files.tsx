import { t } from "../lib/i18n";
import { usePage } from "./parts";

/** Photos and videos of this phone: on their way, arrived, or not taken and why. */
export function Files() {
  const { work } = usePage();
  const list = work.shots.list;
  if (list.length === 0) return null;
  return (
    <section class="panel shots" aria-label={t("shots")}>
      <ul>
        {list.map((s) => (
          <li key={s.id} data-state={s.state}>
            <span class="grow">{s.name} <span class="hint">№ {s.number}</span></span>
            {s.state === "waits" && (work.shots.part.has(s.id) ? <progress max={1} value={work.shots.part.get(s.id) ?? 0} aria-label={s.name} /> : <span>{t("shot.waits")}</span>)}
            {s.state === "sent" && <b class="ok">✓ {t("shot.sent")}</b>}
            {s.state === "refused" && <span class="bad">{t("shot.refused", { code: s.code })}</span>}
            {s.state !== "waits" && <button type="button" class="small" aria-label={`${t("read")}: ${s.name}`} onClick={() => void work.shots.read(s.id)}>✕</button>}
          </li>
        ))}
      </ul>
    </section>
  );
}
