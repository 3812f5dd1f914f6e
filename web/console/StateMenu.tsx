import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { DutySet, DutyState } from "../lib/wire.gen";
import { useConsole, words } from "./context";
import { Elapsed, Key, useShortcut } from "./Small";
import { live } from "./view";

/** The state in words and since when, and a menu of the states one may ask for. */
export function StateMenu() {
  const { view, desk, lang } = useConsole();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const shortcut = useShortcut("state");
  const me = view.state?.me;
  useEffect(() => {
    if (open) box.current?.querySelector("button")?.focus();
  }, [open]);
  if (!me) return null;

  const busyWithCall = live(view.card) || view.card !== undefined;
  const choices: { want: DutySet; name: string }[] = [
    { want: { state: "ready" }, name: t("duty.ready") },
    { want: { state: "busy" }, name: t("duty.busy") },
    ...view.pauses.map((p) => ({ want: { state: "pause" as DutyState, reason: p.key }, name: `${t("duty.pause")}: ${words(p.words, lang)}` })),
    { want: { state: "off" }, name: t("duty.off") },
  ];
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const pick = (want: DutySet) => {
    close();
    void desk.setDuty(want);
  };
  const reason = view.pauses.find((p) => p.key === me.reason);
  return (
    <div class="statemenu">
      <button
        ref={button} type="button" data-act="state" class={`state duty-${me.state}`} aria-expanded={open} aria-haspopup="menu" aria-keyshortcuts={shortcut}
        onClick={() => setOpen(!open)}
      >
        <b>{t(`duty.${me.state}`)}</b>
        {reason && <span>({words(reason.words, lang)})</span>} <Elapsed since={me.sinceMs} /> <Key act="state" />
      </button>
      {me.after && <span class="after">{t("duty.after", { state: t(`duty.${me.after}`) })}</span>}
      {open && (
        <div ref={box} class="menu" role="menu" aria-label={t("duty.menu")} onKeyDown={(e) => walk(e, close)}>
          {busyWithCall && <p class="hint">{t("duty.afterhint")}</p>}
          {choices.map((c) => (
            <button type="button" role="menuitem" key={c.name} onClick={() => pick(c.want)}>{c.name}</button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Arrow keys walk a menu, Escape and Tab leave it. */
export function walk(e: KeyboardEvent & { currentTarget: HTMLElement }, close: () => void): void {
  const items = [...e.currentTarget.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement as HTMLButtonElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[e.code];
  if (to !== undefined) items[(to + items.length) % items.length]?.focus();
  else if (e.code === "Escape" || e.code === "Tab") close();
  else return;
  e.preventDefault();
  e.stopPropagation();
}
