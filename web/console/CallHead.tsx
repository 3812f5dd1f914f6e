import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallCard } from "../lib/wire.gen";
import { useConsole } from "./context";
import { EndButton } from "./EndButton";
import { GuestLines } from "./GuestBar";
import { Elapsed, Key, useShortcut } from "./Small";
import { RungBadge } from "./Thin";
import { Transfer } from "./Transfer";

/** The line of a live call: which, how long, is it recorded, and what one can do with it. */
export function CallHead({ card }: { card: CallCard }) {
  const { desk, seat } = useConsole();
  const [transfer, setTransfer] = useState(false);
  const mute = useShortcut("mute");
  const hold = useShortcut("hold");
  const hand = useShortcut("transfer");
  const held = card.phase === "hold";
  return (
    <section class="callhead" aria-label={t("call.controls")}>
      <p class="callno">
        <span>{t("no")} {card.number}</span> <b>P{card.priority}</b> <b>{t(`kind.${card.kind}`)}</b> <RungBadge media={card.media} />
        <span class={`phase ${card.phase}`} role="status">{t(`phase.${card.phase}`)}</span>
        <Elapsed since={card.answeredMs || card.createdMs} />
      </p>
      <Lamp card={card} />
      <GuestLines card={card} />
      <div class="acts">
        <button type="button" aria-pressed={seat.muted} class={seat.muted ? "warnbtn" : ""} aria-keyshortcuts={mute} onClick={() => desk.mute()}>
          {seat.muted ? t("mic.muted") : t("mic.live")} <Key act="mute" />
        </button>
        <button type="button" aria-pressed={held} class={held ? "warnbtn" : ""} aria-keyshortcuts={hold} onClick={() => void desk.ask("call.hold", { call: card.call, on: !held })}>
          {held ? t("hold.off") : t("hold.on")} <Key act="hold" />
        </button>
        <div class="anchor">
          <button type="button" data-act="transfer" aria-expanded={transfer} aria-haspopup="menu" aria-keyshortcuts={hand} onClick={() => setTransfer(!transfer)}>
            {card.transfer ? t("transfer.rings", { name: card.transfer }) : t("transfer")} <Key act="transfer" />
          </button>
          {transfer && <Transfer call={card.call} onClose={() => setTransfer(false)} />}
        </div>
        <EndButton call={card.call} />
      </div>
    </section>
  );
}

/** RECORDING from the recorder's durable lag; NOT RECORDING in red when it cannot write. */
export function Lamp({ card }: { card: CallCard }) {
  const r = card.recording;
  const word = ["recording", "degraded", "stopped"].includes(r.state) ? r.state : "stopped";
  return (
    <p class={`lamp ${word}`} role={word === "stopped" ? "alert" : "status"}>
      <b>{t(`rec.${word}`)}</b>
      {word === "degraded" && <span> {t("rec.lag", { s: Math.round(r.lagMs / 1000) })}</span>}
    </p>
  );
}
