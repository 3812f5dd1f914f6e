import { t } from "../lib/i18n";
import { type Lang, useConsole, words } from "./context";
import { Elapsed, Key, useShortcut } from "./Small";
import { StateMenu } from "./StateMenu";
import { answers } from "./view";

const langs: [Lang, string][] = [["kk", "Қазақша"], ["ru", "Русский"], ["en", "English"]];

/** The line on top: who and where, the present state and since when, the link, the page's own switches. */
export function Bar({ onHelp, onLists }: { onHelp: () => void; onLists: () => void }) {
  const { view, seat, lang, setLang } = useConsole();
  const help = useShortcut("help");
  return (
    <header class="bar">
      <h1 class="centre">{view.centre ? words(view.centre.name, lang) : t("title")}</h1>
      <span class="who">{view.staff?.name}</span>
      {answers(view.staff) ? <StateMenu /> : <span class="state">{t("role.looking")}</span>}
      <Today onLists={onLists} />
      <span class={`link ${seat.link}`} role="status">
        {t(`link.${seat.link}`)}
      </span>
      <select aria-label={t("language")} value={lang} onChange={(e) => setLang(e.currentTarget.value as Lang)}>
        {langs.map(([key, name]) => <option key={key} value={key} lang={key}>{name}</option>)}
      </select>
      <button type="button" onClick={onHelp} aria-keyshortcuts={help}>
        {t("keys")} <Key act="help" />
      </button>
    </header>
  );
}

/** How the centre does today, and the longest wait now. */
function Today({ onLists }: { onLists: () => void }) {
  const { view } = useConsole();
  const shortcut = useShortcut("queue");
  const s = view.state;
  if (!s) return null;
  const waiting = s.waiting.length + s.more;
  const oldest = s.waiting.reduce((least, w) => Math.min(least, w.sinceMs), Number.POSITIVE_INFINITY);
  const share = s.target.answeredToday > 0 ? Math.round(s.target.answeredShare * 100) : undefined;
  return (
    <button type="button" class="today" aria-keyshortcuts={shortcut} onClick={onLists}>
      <span>
        {t("queue.count", { n: waiting })}
        {waiting > 0 && <> · {t("queue.longest")} <Elapsed since={oldest} /></>}
      </span>
      <span class="share">
        {share === undefined ? t("today.none") : t("today.share", { p: share, s: s.target.answerS })}
        {" · "}
        {t("today.counts", { n: s.target.answeredToday, m: s.target.missedToday })}
      </span>
    </button>
  );
}
