import { useEffect, useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { NoticeError, type Notices as State, notices, renew, turnOff, turnOn } from "./push";

const said = new Set(["denied", "service", "unsupported", "unreachable"]);

/** The offer to be told by the browser, and the way to end that. It is made when somebody has something to
 * hear of, and the browser asks only after a tap. */
export function Notices() {
  const [state, setState] = useState<State | null>(null);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    let gone = false;
    notices().then((s) => {
      if (gone) return;
      setState(s);
      if (s === "on") void renew().catch(() => undefined);
    }, () => undefined);
    return () => {
      gone = true;
    };
  }, []);
  const turn = async (on: boolean) => {
    setBusy(true);
    setWrong("");
    try {
      await (on ? turnOn() : turnOff());
    } catch (err) {
      const code = err instanceof NoticeError ? err.code : "unreachable";
      setWrong(said.has(code) ? t(`notices.${code}`) : t("notices.refused", { code }));
    }
    setState(await notices().catch(() => null));
    setBusy(false);
  };
  if (state === null || state === "none" || state === "nobody") return wrong ? <p class="note" role="alert">{wrong}</p> : null;
  return (
    <section class="notices" data-state={state}>
      {state === "off" && (
        <>
          <p>{t("notices.why")}</p>
          <button type="button" disabled={busy} onClick={() => void turn(true)}>{t("notices.on")}</button>
        </>
      )}
      {state === "on" && (
        <p>
          {t("notices.are")}{" "}
          <button type="button" class="plain" disabled={busy} onClick={() => void turn(false)}>{t("notices.off")}</button>
        </p>
      )}
      {(state === "denied" || state === "unsupported") && <p class="small">{t(`notices.${state}`)}</p>}
      {wrong && state !== "denied" && <p class="note" role="alert">{wrong}</p>}
    </section>
  );
}
