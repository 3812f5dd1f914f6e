import { useEffect, useState } from "preact/hooks";
import { addLocale, lang, t } from "../../lib/i18n";
import type { CallView } from "../../lib/wire.gen";
import type { Caller } from "../caller";
import { useProgress } from "./calls";
import { Notices } from "./Notices";
import { Ago, Told } from "./Told";
import "./report.css";

const every = 4000;

/** How the case of the call that has just ended stands, without a reload. A person who could not speak is
 * asked nothing: a question of the browser is seen by others. */
export function After({ caller, call }: { caller: Caller; call: CallView }) {
  const [ready, setReady] = useState(false);
  const language = lang();
  useEffect(() => {
    let gone = false;
    void addLocale("lane", language).then(() => gone || setReady(true), () => undefined);
    return () => {
      gone = true;
    };
  }, [language]);
  const who = caller.session.credentials();
  const { list, wrong } = useProgress(who ? [{ call: call.call, ...who }] : [], every);
  if (!ready) return null;
  const p = list[0];
  const last = p?.replies.at(-1);
  return (
    <section class="after" aria-label={t("after")}>
      {p && last && (
        <>
          <p class="now" role="status"><b>{t(`status.${p.status}`)}</b> <Ago at={last.atMs} language={language} /></p>
          <Told replies={p.replies} language={language} />
        </>
      )}
      {wrong && <p class="note" role="status">{t("mine.unreached")}</p>}
      {call.kind !== "silent" && <Notices />}
    </section>
  );
}
