import { useEffect, useRef } from "preact/hooks";
import { wordy } from "../lib/ladder";
import { t } from "../lib/i18n";
import type { Caller } from "./caller";
import { Phone } from "./icons";
import { canRecord } from "./notes";
import { clock } from "./view";

const tapped = 400; // a touch shorter than this begins a note, the next one ends it

/** What is left when voices do not get through: words, and notes that are spoken while the button is held. */
export function Speak({ caller, now }: { caller: Caller; now: number }) {
  const v = caller.view;
  const down = useRef(0);
  useEffect(() => () => caller.outbox.spoken(), [caller]);
  if (!wordy(v.rung)) return null;
  const on = v.speaking > 0;
  const begin = () => {
    down.current = Date.now();
    if (on) caller.outbox.spoken();
    else void caller.outbox.speak();
  };
  const end = () => {
    if (on && Date.now() - down.current > tapped) caller.outbox.spoken();
  };
  return (
    <section class="speak" data-rung={v.rung}>
      <p class="note" role="status">
        {t(v.rung === "text" ? "thin.text" : canRecord() ? "thin.notes" : "thin.words")}
      </p>
      {canRecord() && v.call && (
        <button
          type="button"
          class="hold"
          aria-pressed={on}
          onPointerDown={(e) => {
            if (e.button !== 0) return;
            e.currentTarget.setPointerCapture(e.pointerId);
            begin();
          }}
          onPointerUp={end}
          onPointerCancel={() => caller.outbox.spoken()}
          onContextMenu={(e) => e.preventDefault()}
          onKeyDown={(e) => {
            if ((e.key === " " || e.key === "Enter") && !e.repeat) begin();
            if (e.key === " " || e.key === "Enter") e.preventDefault();
          }}
          onKeyUp={(e) => (e.key === " " || e.key === "Enter") && end()}
        >
          <Phone /> {on ? t("note.send", { time: clock(v.speaking, now) }) : t("note.hold")}
        </button>
      )}
    </section>
  );
}
