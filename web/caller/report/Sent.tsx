import { useEffect, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { Notices } from "./Notices";
import { sender } from "./sender";

/** Redraws with every step of the sender. */
export function useSender() {
  const [, redraw] = useState(0);
  useEffect(() => sender().subscribe(() => redraw((n) => n + 1)), []);
  return sender().state;
}

/** Refusals that have words of their own here. */
const told = new Set(["bad_file", "too_large", "wrong_hash", "too_late"]);

/** What happens to a report after Send: kept, registered, its files on their way. */
export function Sent({ reference, phone, onMine, onMore }: { reference: string; phone: string; onMine: () => void; onMore: () => void }) {
  const s = useSender();
  const waits = s.waiting.find((w) => w.ref === reference);
  const receipt = s.receipts.get(reference);
  const left = waits?.files.filter((f) => !f.sent) ?? [];
  return (
    <section class="sent">
      {receipt ? (
        <>
          <h1 aria-live="polite">{t("receipt", { id: receipt.number })}</h1>
          <p>{t("receipt.next")}</p>
          <dl class="facts">
            <dt>{t("receipt.at")}</dt>
            <dd>{new Date(receipt.atMs).toLocaleString(document.documentElement.lang)}</dd>
            <dt>{t("receipt.hash")}</dt>
            <dd class="hash">{receipt.sha256}</dd>
          </dl>
        </>
      ) : waits?.failed ? (
        <p class="alert" role="alert">
          {t("failed", { phone })} <small>{t("error.code", { code: waits.failed })}</small>
        </p>
      ) : (
        <h1 aria-live="polite">{navigator.onLine === false ? t("kept.offline") : t("sending")}</h1>
      )}
      {left.length > 0 && (
        <ul class="files">
          {left.map((f) => (
            <li key={f.id}>
              <span>{f.name}</span>
              {f.refused ? (
                <>
                  <span class="refused">{t(`refused.${told.has(f.refused) ? f.refused : "other"}`, { code: f.refused })}</span>
                  {waits && f.refused === "wrong_hash" && (
                    <button type="button" onClick={() => void sender().again(waits, f.id)}>
                      {t("retry")}
                    </button>
                  )}
                </>
              ) : (
                <progress max={1} value={s.part.get(f.id) ?? 0} aria-label={f.name} />
              )}
            </li>
          ))}
        </ul>
      )}
      {receipt && left.length === 0 && <p role="status">{t("arrived")}</p>}
      {left.length > 0 && !left.every((f) => f.refused) && <p class="note">{t("keep.open")}</p>}
      {receipt && <Notices />}
      <button type="button" onClick={onMine}>
        {t("lane.mine")}
      </button>
      <button type="button" class="plain" onClick={onMore}>
        {t("lane.new")}
      </button>
    </section>
  );
}
