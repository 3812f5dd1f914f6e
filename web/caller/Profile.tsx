import { useEffect, useState } from "preact/hooks";
import { type Lang, t } from "../lib/i18n";
import type { CallerSelf, Text } from "../lib/wire.gen";
import type { Caller } from "./caller";
import { read, tokenKey } from "./store";

type Answer = { token?: string; caller?: CallerSelf; retryAfterS?: number; error?: { code: string; words: Text } };

async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  const token = read(tokenKey);
  const r = await fetch(`/api/v1/caller/${path}`, {
    method, ...(body ? { body: JSON.stringify(body) } : {}), headers: token ? { Authorization: `Bearer ${token}` } : {},
  });
  return r.status === 204 ? {} : ((await r.json()) as Answer);
}

function Field({ label, value, set, ...rest }: { label: string; value: string; set: (v: string) => void; [key: string]: unknown }) {
  return (
    <label class="field">
      {label}
      <input value={value} onInput={(e) => set(e.currentTarget.value)} {...rest} />
    </label>
  );
}

/** Registration and what is kept of it. Nothing of it is needed for a call. */
export function Profile({ caller, language, onBack }: { caller: Caller; language: Lang; onBack: () => void }) {
  const self = caller.view.self;
  const [phone, setPhone] = useState("+7");
  const [code, setCode] = useState("");
  const [sent, setSent] = useState(false);
  const [wait, setWait] = useState(0);
  const [name, setName] = useState(self?.name ?? "");
  const [iin, setIIN] = useState(self?.iin ?? "");
  const [medical, setMedical] = useState(self?.medical ?? "");
  const [told, tell] = useState("");
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  const run = async (work: () => Promise<Answer>, done: (a: Answer) => void) => {
    setWrong("");
    tell("");
    try {
      const a = await work();
      if (a.error) setWrong(a.error.words[language]);
      else done(a);
    } catch {
      setWrong(t("error.busy", { phone: caller.view.phone }));
    }
  };
  const sendCode = () =>
    run(
      () => ask("POST", "code", { phone, lang: language }),
      (a) => {
        setSent(true);
        setWait(a.retryAfterS ?? 60);
      },
    );
  const finish = () =>
    run(
      () => ask("POST", "register", { phone, code, name, ...(iin ? { iin } : {}), ...(medical ? { medical } : {}), lang: language }),
      (a) => {
        caller.signed(a.token ?? null, a.caller ?? null);
        onBack();
      },
    );
  const save = () =>
    run(
      () => ask("PUT", "me", { name, ...(iin ? { iin } : {}), ...(medical ? { medical } : {}) }),
      (a) => {
        caller.set({ self: a.caller ?? self });
        tell(t("profile.saved"));
      },
    );
  const remove = () =>
    run(
      () => ask("DELETE", "me"),
      () => {
        caller.signed(null, null);
        onBack();
      },
    );

  const details = (
    <>
      <Field label={t("register.name")} value={name} set={setName} autocomplete="name" maxLength={60} />
      <Field label={t("register.iin")} value={iin} set={(v) => setIIN(v.replace(/\D/g, ""))} inputMode="numeric" maxLength={12} />
      <label class="field">
        {t("register.medical")}
        <textarea value={medical} maxLength={600} onInput={(e) => setMedical(e.currentTarget.value)} />
      </label>
    </>
  );
  return (
    <main class="profile">
      <h1>{self ? t("profile") : t("register")}</h1>
      {!self && <p>{t("register.why")}</p>}
      {wrong && <p class="alert" role="alert">{wrong}</p>}
      {told && <p role="status">{told}</p>}
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void (self ? save() : sent ? finish() : sendCode());
        }}
      >
        {self && <p class="big">{self.phone}</p>}
        {!self && <Field label={t("register.phone")} value={phone} set={setPhone} type="tel" autocomplete="tel" readOnly={sent} maxLength={24} />}
        {!self && sent && (
          <>
            <Field label={t("register.code")} value={code} set={setCode} inputMode="numeric" autocomplete="one-time-code" maxLength={8} />
            {caller.view.demo && <p class="hint">{t("register.printed")}</p>}
            <button type="button" class="plain" disabled={wait > 0} onClick={() => void sendCode()}>
              {wait > 0 ? t("register.wait", { n: wait }) : t("register.again")}
            </button>
          </>
        )}
        {(self || sent) && details}
        <button type="submit" class="go">
          {self ? t("profile.save") : sent ? t("register.done") : t("register.send")}
        </button>
      </form>
      {self && (
        <button type="button" class="plain" onClick={() => void remove()}>
          {t("profile.delete")}
        </button>
      )}
      <button type="button" onClick={onBack}>
        {self ? t("back") : t("register.skip")}
      </button>
    </main>
  );
}
