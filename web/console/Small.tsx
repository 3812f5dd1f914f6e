import { t } from "../lib/i18n";
import type { Fix } from "../lib/wire.gen";
import { age, duration, secondsLeft } from "./clock";
import { useConsole, useServerNow } from "./context";
import { type Act, label } from "./keys";

/** The key of an act as it is bound now. */
export function Key({ act }: { act: Act }) {
  return <kbd aria-hidden="true">{label(useConsole().keys[act])}</kbd>;
}

/** aria-keyshortcuts of an act. */
export function useShortcut(act: Act): string {
  return label(useConsole().keys[act]).replace("Ctrl", "Control");
}

/** Time since a moment of the gateway's clock, running. */
export function Elapsed({ since }: { since: number }) {
  return <time class="clock">{duration(useServerNow(1000) - since)}</time>;
}

/** Seconds left until a moment of the gateway's clock. */
export function Left({ until }: { until: number }) {
  return <time class="clock">{duration(secondsLeft(until, useServerNow(250)) * 1000)}</time>;
}

/** How old something is: "4 s ago". */
export function Age({ at }: { at: number }) {
  const a = age(useServerNow(1000) - at);
  return <span class="age">{t(`age.${a.unit}`, { n: a.n })}</span>;
}

/** How near a position is, as the phone measured it. A point that the caller placed has no circle. */
export function Accuracy({ fix }: { fix: Fix }) {
  if (fix.source === "pin") return <span>{t("source.pin")}</span>;
  return fix.accuracyM > 0 ? <span>±{Math.round(fix.accuracyM)} {t("unit.m")}</span> : null;
}

/** Puts text on the clipboard and says so. */
export function Copy({ text, name }: { text: string; name: string }) {
  const { desk } = useConsole();
  const copy = () => {
    navigator.clipboard.writeText(text).then(() => desk.say("copied"), () => desk.say("copy.failed", { bad: true }));
  };
  return (
    <button type="button" class="small" onClick={copy} aria-label={name}>
      {t("copy")}
    </button>
  );
}
