import { useCallback, useEffect, useState } from "preact/hooks";
import { type Lang, t } from "../../lib/i18n";
import { fileId } from "../../lib/upload";
import { keptCalls } from "../store";
import { type Progress, useProgress } from "./calls";
import { Notices } from "./Notices";
import { useSender } from "./Sent";
import { sender } from "./sender";
import { drop, reportKey } from "./shelf";
import { Ago, type Reply, Told } from "./Told";

interface MyReport {
  report: string;
  number: string;
  atMs: number;
  kind: string;
  text: string;
  status: string;
  replies: Reply[];
  files: { file: string; name: string; keptMs: number }[];
  mayReopen: boolean;
}

const every = 10000;

/** This phone's reports, the newest first, each with what was done. */
export function Mine({ language }: { language: Lang }) {
  const s = useSender();
  const [list, setList] = useState<MyReport[] | null>(null);
  const [wrong, setWrong] = useState(false);
  const ask = useCallback(async () => {
    try {
      const res = await fetch("/api/v1/reports", { headers: { "X-Report-Key": await reportKey() } });
      if (!res.ok) throw new Error(String(res.status));
      setList(((await res.json()) as { reports: MyReport[] }).reports);
      setWrong(false);
    } catch {
      setWrong(true);
    }
  }, []);
  useEffect(() => {
    void ask();
    const timer = setInterval(() => document.hidden || void ask(), every);
    return () => clearInterval(timer);
  }, [ask, s.receipts.size]);
  const [kept] = useState(keptCalls);
  const calls = useProgress(kept, every);
  const waiting = s.waiting.filter((w) => !w.report);
  return (
    <section class="mine">
      <h1>{t("lane.mine")}</h1>
      {wrong && (
        <p class="note" role="status">
          {t("mine.unreached")}
        </p>
      )}
      <Notices key={s.receipts.size} />
      {waiting.map((w) => (
        <article key={w.ref} class="mineone">
          <p class="big">{w.failed ? t("failed.short", { code: w.failed }) : t("kept.waits")}</p>
          <p class="small">{new Date(w.madeMs).toLocaleString(language)}</p>
          <p>{excerpt(w.body)}</p>
          <div class="line">
            {w.failed && w.failed !== "changed" && (
              <button type="button" onClick={() => ((w.failed = ""), sender().wake())}>
                {t("retry")}
              </button>
            )}
            <button type="button" onClick={() => void drop(w).then(() => sender().wake())}>
              {t("kept.drop")}
            </button>
          </div>
        </article>
      ))}
      {list?.length === 0 && waiting.length === 0 && calls.list.length === 0 && <p>{t("mine.none")}</p>}
      {calls.list.map((c) => (
        <Called key={c.call} c={c} language={language} />
      ))}
      {list?.map((r) => (
        <One key={r.report} r={r} language={language} onChange={(next) => setList((have) => have?.map((x) => (x.report === next.report ? next : x)) ?? null)} />
      ))}
    </section>
  );
}

function excerpt(body: string): string {
  const text = (JSON.parse(body) as { text?: string }).text ?? "";
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** A call as its caller may see it. */
function Called({ c, language }: { c: Progress; language: Lang }) {
  const last = c.replies.at(-1);
  return (
    <article class="mineone">
      <p class="big">
        № {c.number} · {t(`status.${c.status}`)} {last && <Ago at={last.atMs} language={language} />}
      </p>
      <p class="small">{t("mine.call")} {new Date(c.atMs).toLocaleString(language)}</p>
      <Told replies={c.replies} language={language} />
    </article>
  );
}

function One({ r, language, onChange }: { r: MyReport; language: Lang; onChange: (r: MyReport) => void }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const last = r.replies.at(-1);
  const coming = r.files.filter((f) => f.keptMs === 0).length;
  const send = async (reopen: boolean) => {
    if (!text.trim()) return;
    setBusy(true);
    setWrong("");
    try {
      const res = await fetch(`/api/v1/reports/${r.report}/amends`, {
        method: "POST", headers: { "X-Report-Key": await reportKey() }, body: JSON.stringify({ id: fileId(), text: text.trim(), ...(reopen ? { reopen: true } : {}) }),
      });
      const v = (await res.json()) as MyReport & { error?: { words: Record<Lang, string> } };
      if (v.error) setWrong(v.error.words[language]);
      else {
        setText("");
        setOpen(false);
        onChange(v);
      }
    } catch {
      setWrong(t("mine.unreached"));
    }
    setBusy(false);
  };
  return (
    <article class="mineone">
      <p class="big">
        № {r.number} · {t(`status.${r.status}`)} {last && <Ago at={last.atMs} language={language} />}
      </p>
      <p class="small">{new Date(r.atMs).toLocaleString(language)}</p>
      {r.text && <p class="own">{r.text}</p>}
      {coming > 0 && <p class="small">{t("mine.coming", { n: coming })}</p>}
      <Told replies={r.replies} language={language} />
      {!open ? (
        <button type="button" onClick={() => setOpen(true)}>
          {t(r.mayReopen ? "mine.reopen" : "mine.add")}
        </button>
      ) : (
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void send(r.mayReopen);
          }}
        >
          <label class="field">
            {t(r.mayReopen ? "mine.why" : "mine.more")}
            <textarea rows={3} maxLength={3500} value={text} onInput={(e) => setText(e.currentTarget.value)} />
          </label>
          {wrong && (
            <p class="alert" role="alert">
              {wrong}
            </p>
          )}
          <button class="go" type="submit" disabled={busy}>
            {t("send")}
          </button>
        </form>
      )}
    </article>
  );
}
