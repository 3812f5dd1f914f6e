import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { Refused } from "./rest";
import { roles, sensitive } from "./rules";

/** What a refusal says in the page's language. */
export function saying(err: unknown): string {
  return (err instanceof Refused && err.words?.[lang()]) || t("failed");
}

/** Asks once and again on demand: what came, or what went wrong. */
export function useAsked<T>(ask: () => Promise<T>, about: unknown): { value: T | undefined; wrong: string; again: () => void } {
  const [value, setValue] = useState<T | undefined>();
  const [wrong, setWrong] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let here = true;
    setWrong("");
    ask().then((v) => here && setValue(v), (err) => here && setWrong(saying(err)));
    return () => {
      here = false;
    };
  }, [turn, about]);
  return { value, wrong, again: () => setTurn((n) => n + 1) };
}

/** A list before it is there, or that cannot be had. */
export function Waiting({ wrong, again }: { wrong: string; again: () => void }) {
  if (!wrong) return <p class="hint" role="status">{t("loading")}</p>;
  return (
    <div class="panel" role="alert">
      <p class="bad">{wrong}</p>
      <button type="button" onClick={again}>{t("again")}</button>
    </div>
  );
}

/** A button that asks once more before it does something that people would miss. */
export function Sure({ label, question, act, stop }: { label: string; question: string; act: () => void; stop?: boolean }) {
  const [open, setOpen] = useState(false);
  if (!open) return <button type="button" class={stop ? "stop" : ""} onClick={() => setOpen(true)}>{label}</button>;
  return (
    <span class="sure" role="group" aria-label={label}>
      <span>{question}</span>
      <button type="button" class={stop ? "stop" : "go"} onClick={() => { setOpen(false); act(); }}>{label}</button>
      <button type="button" ref={(el) => el?.focus()} onClick={() => setOpen(false)}>{t("cancel")}</button>
    </span>
  );
}

/** The roles, to tick. Those that wait for a second person say so. */
export function Roles({ ticked, set }: { ticked: string[]; set: (next: string[]) => void }) {
  return (
    <fieldset>
      <legend>{t("roles")}</legend>
      <div class="ticks">
        {roles.map((r) => (
          <label key={r} class="tick">
            <input type="checkbox" name={r} checked={ticked.includes(r)} onChange={(e) => set(e.currentTarget.checked ? [...ticked, r] : ticked.filter((o) => o !== r))} />
            <span>{t(`role.${r}`)}{sensitive.includes(r) && <small>{t("roles.two")}</small>}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** The link of an invitation, to be passed on: it is shown now and never again. */
export function Link({ token, hours, name }: { token: string; hours: number; name: string }) {
  const [copied, setCopied] = useState(false);
  const url = `${location.origin}/admin#invite=${token}`;
  return (
    <div class="panel warn" role="status">
      <p>{t("link.made", { name, hours })}</p>
      <div class="row">
        <input readOnly aria-label={t("link")} value={url} class="grow" onFocus={(e) => e.currentTarget.select()} />
        <button type="button" onClick={() => void navigator.clipboard?.writeText(url).then(() => setCopied(true))}>{copied ? t("copied") : t("copy")}</button>
      </div>
    </div>
  );
}

/** A moment, as people here write it. */
export const moment = (ms: number): string => new Date(ms).toLocaleString(lang(), { dateStyle: "medium", timeStyle: "short" });

export function Field({ label, children }: { label: string; children: ComponentChildren }) {
  return <label class="field"><span>{label}</span>{children}</label>;
}
