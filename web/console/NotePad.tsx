import { t } from "../lib/i18n";
import type { CallCard, Choice } from "../lib/wire.gen";
import { useConsole, words } from "./context";
import { wordOf } from "./note";
import { Key } from "./Small";
import { useNote } from "./useNote";

/** 16 KiB of UTF-8 is what the protocol takes; letters here are two bytes each. */
const longest = 8000;

/** What it is about and the operator's note, saved by itself. */
export function NotePad({ card, categories, category, onCategory }: { card: CallCard; categories: Choice[]; category: string; onCategory: (key: string) => void }) {
  const { lang } = useConsole();
  const { note, write, flush } = useNote(card);
  const word = wordOf(note);
  return (
    <section class="panel notepad" aria-label={t("note")}>
      {card.phase !== "wrapup" && (
        <label class="field">
          {t("category")}
          <select value={category} onChange={(e) => onCategory(e.currentTarget.value)}>
            <option value="">{t("category.none")}</option>
            {categories.map((c) => <option key={c.key} value={c.key}>{words(c.words, lang)}</option>)}
          </select>
        </label>
      )}
      <h2>{t("note")} <Key act="note" /><span class="grow" /><span class={`noteword ${word}`} role="status">{t(`note.${word}`)}</span></h2>
      <textarea data-focus="note" aria-label={t("note")} maxLength={longest} value={note.text} onInput={(e) => write(e.currentTarget.value)} onBlur={flush} />
    </section>
  );
}
