import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { useConsole } from "./context";
import { type Hangup, idle, step } from "./hangup";
import { Key, useShortcut } from "./Small";

/** The event by which the keyboard presses the button from anywhere; detail is "down" or "up". */
export const endEvent = "console-end";

/** Ends the call when held for 0.6 s or pressed twice. */
export function EndButton({ call }: { call: string }) {
  const { desk } = useConsole();
  const [state, setState] = useState<Hangup>(idle);
  const latest = useRef(state);
  const sent = useRef(false);
  const shortcut = useShortcut("end");

  const press = (e: "down" | "up" | "tick") => {
    const s = step(latest.current, e, desk.now);
    latest.current = s.next;
    setState(s.next);
    if (!s.end || sent.current) return;
    sent.current = true;
    void desk.ask("call.end", { call }).then(() => {
      sent.current = false;
    });
  };
  useEffect(() => {
    const timer = setInterval(() => latest.current.word !== "idle" && press("tick"), 50);
    const onKey = (e: Event) => press((e as CustomEvent<"down" | "up">).detail);
    window.addEventListener(endEvent, onKey);
    return () => {
      clearInterval(timer);
      window.removeEventListener(endEvent, onKey);
    };
  }, [call]);

  const key = (e: KeyboardEvent, word: "down" | "up") => {
    if (e.code !== "Enter" && e.code !== "Space") return;
    e.preventDefault();
    if (!e.repeat) press(word);
  };
  return (
    <button
      type="button" class={`end end-${state.word}`} aria-keyshortcuts={shortcut} aria-describedby="endhint"
      onPointerDown={() => press("down")} onPointerUp={() => press("up")} onPointerLeave={() => press("up")}
      onKeyDown={(e) => key(e, "down")} onKeyUp={(e) => key(e, "up")}
    >
      {state.word === "armed" ? t("end.again") : t("end")} <Key act="end" />
      <span id="endhint" class="unseen">{t("end.hint")}</span>
    </button>
  );
}
