import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { saying } from "./App";
import { act, dayEnd, type Hold, type Keep, type KeepAct, type KeepWish } from "./keeping";

interface Props { k: Keep; what: KeepAct; hold?: Hold | undefined; done: (k: Keep) => void; close: () => void }

const reasoned: KeepAct[] = ["hold", "release", "extend", "shorten", "request", "cancel"];

/** Asks what an act needs, says what it does, and does it. */
export function KeepForm({ k, what, hold, done, close }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const id = useRef(hold?.id ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`); // pressed twice it is one hold
  const [wish, setWish] = useState<KeepWish>({});
  const [day, setDay] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>("input, button")?.focus(), []); // before a fast hand types
  const send = () => {
    const body: KeepWish = reasoned.includes(what) ? { reason: wish.reason ?? "" } : {};
    if (what === "hold") Object.assign(body, { id: id.current, case: wish.case ?? "" });
    if (what === "release") body.id = id.current;
    if (what === "extend" || what === "shorten") body.untilMs = dayEnd(day, what, k.openedMs);
    if (what === "confirm") body.untilMs = k.shorter?.untilMs ?? 0;
    setBusy(true);
    act(k.call, what, body).then(done, (err) => {
      setWrong(saying(err));
      setBusy(false);
    });
  };
  return (
    <form
      ref={form}
      class="panel keepform"
      aria-label={t(`keep.act.${what}`)}
      onKeyDown={(e) => e.code === "Escape" && close()}
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      <h3>{t(`keep.act.${what}`)}</h3>
      {hold && <p>{t("keep.case.of", { case: hold.case })}</p>}
      {what === "approve" && <p class="warn">{t("keep.sure")}</p>}
      {wrong && <p class="bad" role="alert">{wrong}</p>}
      {what === "hold" && (
        <label>{t("keep.case")}<input name="case" required maxLength={64} value={wish.case ?? ""} onInput={(e) => setWish({ ...wish, case: e.currentTarget.value })} /></label>
      )}
      {(what === "extend" || what === "shorten") && (
        <label>{t("keep.date")}<input name="day" type="date" required value={day} onInput={(e) => setDay(e.currentTarget.value)} /></label>
      )}
      {reasoned.includes(what) && (
        <label>{t("keep.reason")}<input name="reason" required maxLength={500} value={wish.reason ?? ""} onInput={(e) => setWish({ ...wish, reason: e.currentTarget.value })} /></label>
      )}
      <div class="row">
        <button type="submit" class={what === "approve" ? "stop" : "go"} disabled={busy}>{t("keep.send")}</button>
        <button type="button" onClick={close}>{t("close")}</button>
      </div>
    </form>
  );
}
