import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/i18n";
import { useConsole } from "./context";
import { walk } from "./StateMenu";
import { Elapsed } from "./Small";

/** The operators who are ready, to hand the call to one. Until that one answers, nothing changes. */
export function Transfer({ call, onClose }: { call: string; onClose: () => void }) {
  const { view, desk } = useConsole();
  const box = useRef<HTMLDivElement>(null);
  const ready = (view.state?.operators ?? []).filter((o) => o.state === "ready" && o.staff !== view.staff?.staff);
  useEffect(() => (box.current?.querySelector("button") ?? box.current)?.focus(), []);
  const give = (to: string) => {
    onClose();
    void desk.ask("call.transfer", { call, to });
  };
  return (
    <div ref={box} class="menu right" role="menu" tabIndex={-1} aria-label={t("transfer.to")} onKeyDown={(e) => walk(e, onClose)}>
      {ready.length === 0 && <p class="hint" role="status">{t("transfer.none")}</p>}
      {ready.map((o) => (
        <button type="button" role="menuitem" key={o.staff} onClick={() => give(o.staff)}>
          {o.name} <span class="hint">{t("duty.ready")} <Elapsed since={o.sinceMs} /></span>
        </button>
      ))}
    </div>
  );
}
