import { t } from "../lib/i18n";
import type { CallCard } from "../lib/wire.gen";
import { CallHead } from "./CallHead";
import { useConsole } from "./context";
import { Elapsed, Key, Left, useShortcut } from "./Small";
import { useWhere } from "./useRoom";
import { live } from "./view";

export function phaseOf(card: CallCard): string {
  return t(`phase.${card.phase}`);
}

/** The call in hand, in every room: what it does and what one can do with it; elsewhere also what the caller wrote, and the way back. */
export function CallStrip() {
  const { view } = useConsole();
  const { room } = useWhere();
  const card = view.card;
  if (!card) return null;
  if (live(card)) return <div class="callstrip"><CallHead card={card} />{room !== "desk" && <Back />}</div>;
  return room === "desk" ? null : <Wrapping card={card} />;
}

function Back() {
  const { view } = useConsole();
  const { go } = useWhere();
  const shortcut = useShortcut("desk");
  return (
    <p class="row back" role="status">
      {view.unread > 0 && <b class="warn">{t("strip.unread", { n: view.unread })}</b>}
      <button type="button" class="small" aria-keyshortcuts={shortcut} onClick={() => go("desk")}>{t("room.back")} <Key act="desk" /></button>
    </p>
  );
}

function Wrapping({ card }: { card: CallCard }) {
  return (
    <section class="callstrip wrapping" aria-label={t("wrapup")}>
      <p>
        <b>{t("wrapup")}</b> · {t("no")} {card.number} <Elapsed since={card.sinceMs} />
        {card.wrapUntilMs && <span class="hint"> {t("wrapup.left")} <Left until={card.wrapUntilMs} /></span>}
      </p>
      <Back />
    </section>
  );
}
