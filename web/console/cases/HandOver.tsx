import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { walk } from "../StateMenu";
import * as api from "./api";
import { useHand } from "./room";

/** To whom a case may be handed: those on duty and those at the console. It stays ours until they accept. */
export function HandOver({ onClose }: { onClose: () => void }) {
  const { view } = useConsole();
  const { act } = useHand();
  const box = useRef<HTMLDivElement>(null);
  const me = view.staff?.staff;
  const desk = (view.state?.operators ?? []).filter((o) => o.state !== "off" && o.state !== "link_lost").map((o) => ({ staff: o.staff, name: o.name }));
  const [shift, setShift] = useState<{ staff: string; name: string }[]>([]);
  useEffect(() => {
    api.onDuty().then(setShift, () => undefined); // those at the console are there
  }, []);
  const people = [...desk, ...shift.filter((s) => !desk.some((d) => d.staff === s.staff))].filter((p) => p.staff !== me);
  useEffect(() => box.current?.querySelector("button")?.focus(), [people.length]);
  return (
    <div ref={box} class="menu" role="menu" aria-label={t("cases.handover")} onKeyDown={(e) => walk(e, onClose)}>
      {people.length === 0 && <p class="hint">{t("cases.handover.nobody")}</p>}
      {people.map((p) => (
        <button key={p.staff} type="button" role="menuitem" onClick={() => { onClose(); void act({ act: "hand_over", to: p.staff }); }}>{p.name}</button>
      ))}
    </div>
  );
}
