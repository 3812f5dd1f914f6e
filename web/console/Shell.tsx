import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { Banners, Replaced, ToastLine } from "./Banners";
import { Bar } from "./Bar";
import { Call } from "./Call";
import { Cheat } from "./Cheat";
import { useConsole } from "./context";
import { Idle } from "./Idle";
import { OfferBar } from "./OfferBar";
import { Voice } from "./Screen";
import { useKeys } from "./useKeys";
import { useAlarms, useRinging } from "./useRinging";

const blurKey = "jedel.console.blur";

/** The whole desk: the line on top, the call or what is between calls, and what rings at the bottom. */
export function Shell() {
  const { desk, view, seat, keys } = useConsole();
  const [cheat, setCheat] = useState(false);
  const [list, setList] = useState(false);
  const [blurred, setBlurred] = useState(() => localStorage.getItem(blurKey) === "1");
  const blur = () => {
    localStorage.setItem(blurKey, blurred ? "0" : "1");
    setBlurred(!blurred);
  };
  useKeys(desk, keys, { help: () => setCheat(!cheat), blur, list: () => setList(!list) });
  useRinging(desk, view);
  useAlarms(desk, view, seat);
  useFocusKept(view.card?.call);
  if (view.replaced) return <Replaced />;
  if (!view.known) return <main class="replaced"><p role="status">{t(`link.${seat.link}`)}</p></main>;
  return (
    <div class="shell">
      <Bar onHelp={() => setCheat(true)} />
      <Banners />
      {view.card
        ? <Call key={view.card.call} card={view.card} blurred={blurred} onBlur={blur} list={list} onList={() => setList(!list)} />
        : <Idle />}
      <OfferBar />
      <ToastLine />
      <Voice />
      {cheat && <Cheat onClose={() => setCheat(false)} />}
    </div>
  );
}

/** When the screen changes under the focus, the focus goes to the new screen and not to nowhere. */
function useFocusKept(call: string | undefined): void {
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    if (document.activeElement !== document.body) return;
    document.querySelector<HTMLElement>(call ? '[data-focus="note"]' : '[data-focus="queue"]')?.focus({ preventScroll: true });
  }, [call]);
}
