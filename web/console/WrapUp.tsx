import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallCard, Choice } from "../lib/wire.gen";
import { tOf, useConsole, words } from "./context";
import { Elapsed, Key, Left, useShortcut } from "./Small";

interface Props {
  card: CallCard;
  categories: Choice[];
  category: string;
  outcome: string;
  onCategory: (key: string) => void;
  onOutcome: (key: string) => void;
}

/** After the call: what it was and what came of it. The choices are kept over a reload. */
export function WrapUp({ card, categories, category, outcome, onCategory, onOutcome }: Props) {
  const { view, desk, drafts } = useConsole();
  const [tried, setTried] = useState(false);
  const [sending, setSending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const finish = useShortcut("wrapup");
  useEffect(() => {
    // The button that ended the call is gone; who works by keyboard goes on here.
    if (document.activeElement === document.body) form.current?.querySelector("input")?.focus();
  }, []);
  const send = async () => {
    setTried(true);
    if (!category || !outcome) {
      form.current?.querySelector<HTMLInputElement>(category ? "[name=outcome]" : "[name=category]")?.focus();
      return;
    }
    setSending(true);
    const ok = await desk.ask("call.wrapup", { call: card.call, category, outcome });
    setSending(false);
    if (ok === undefined) return;
    drafts.forget(card.call);
    desk.say("wrapup.done");
  };
  return (
    <form ref={form} class="wrapup panel" aria-label={t("wrapup")} data-finish onSubmit={(e) => { e.preventDefault(); void send(); }}>
      <h2>
        {t("wrapup")} · {t("no")} {card.number}
        <Elapsed since={card.sinceMs} />
        {card.wrapUntilMs && <span class="hint">{t("wrapup.left")} <Left until={card.wrapUntilMs} /></span>}
        <span class="grow" />
        {card.endReason && <span>{tOf("ended", card.endReason, ["caller", "operator", "abandoned", "dropped"])}</span>}
        {card.callBack && <b class="warn">{t("wrapup.callback")}</b>}
      </h2>
      <Chips name="category" title={t("category")} choices={categories} value={category} missing={tried && !category} onPick={onCategory} />
      <Chips name="outcome" title={t("outcome")} choices={view.outcomes} value={outcome} missing={tried && !outcome} onPick={onOutcome} />
      <p class="row">
        <button type="submit" class="go big" disabled={sending} aria-keyshortcuts={finish}>{t("wrapup.finish")} <Key act="wrapup" /></button>
        <span class="hint">{t("wrapup.hint")}</span>
      </p>
    </form>
  );
}

interface ChipsProps {
  name: string;
  title: string;
  choices: Choice[];
  value: string;
  missing: boolean;
  onPick: (key: string) => void;
}

function Chips({ name, title, choices, value, missing, onPick }: ChipsProps) {
  const { lang } = useConsole();
  return (
    <fieldset class="chips">
      <legend>{title} {missing && <span class="bad" role="alert">{t("wrapup.missing")}</span>}</legend>
      {choices.map((c) => (
        <label key={c.key} class={c.key === value ? "chip on" : "chip"}>
          <input type="radio" name={name} value={c.key} checked={c.key === value} onChange={() => onPick(c.key)} />
          {words(c.words, lang)}
        </label>
      ))}
    </fieldset>
  );
}
