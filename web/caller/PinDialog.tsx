import { useEffect, useRef, useState } from "preact/hooks";
import { lang, t } from "../lib/i18n";
import { coordinates } from "../map/geo";
import { openPicker, type Picked, steps } from "../map/pick";
import type { Caller } from "./caller";
import "./pin.css";

/** The map over the whole screen: what lies under its middle is the place. */
export function PinDialog({ caller, onClose, onLeave }: { caller: Caller; onClose: () => void; onLeave: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [at, setAt] = useState<Picked>();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="pick" ref={dialog} aria-labelledby="pick-title" onClose={onClose}>
      <header>
        <h2 id="pick-title" tabIndex={-1} autofocus>{t("pin.how")}</h2>
        <button type="button" class="exit" onClick={onLeave}>
          {t("exit")}
        </button>
      </header>
      <PickMap caller={caller} moved={setAt} />
      {!caller.view.street && <p class="small">{t("pin.coarse")}</p>}
      <p class="at" aria-live="polite">
        {at && coordinates(at)} {at?.near && t("pin.near", { place: at.near.name, km: at.near.km < 10 ? at.near.km.toFixed(1) : Math.round(at.near.km) })}
      </p>
      <div class="picked">
        <button type="button" onClick={onClose}>
          {t("back")}
        </button>
        <button
          type="button"
          class="go"
          disabled={!at}
          onClick={() => {
            if (!at) return;
            void caller.pin(at.lat, at.lon);
            onClose();
          }}
        >
          {t("pin.here")}
        </button>
      </div>
    </dialog>
  );
}

function PickMap({ caller, moved }: { caller: Caller; moved: (at: Picked) => void }) {
  const host = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"loading" | "shown" | "failed">("loading");
  const [done, setDone] = useState(0);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const gone = new AbortController();
    let close: (() => void) | undefined;
    setState("loading");
    setDone(0);
    if (!host.current) return;
    openPicker(host.current, { ...start(caller), step: setDone, moved }, gone.signal).then(
      (picker) => {
        close = () => picker.close();
        if (gone.signal.aborted) close();
        else setState("shown");
      },
      () => gone.signal.aborted || setState("failed"),
    );
    return () => {
      gone.abort();
      close?.();
    };
  }, [attempt]);
  return (
    <div class="map">
      <div class="map-host" ref={host} />
      {state === "shown" && (
        <svg class="pin" viewBox="0 0 24 32" aria-hidden="true">
          <path d="M12 31C12 31 22 18 22 11A10 10 0 0 0 2 11C2 18 12 31 12 31Z" />
          <circle cx="12" cy="11" r="4" />
        </svg>
      )}
      {state === "loading" && (
        <label class="pickwords">
          {t("pin.loading")} <progress max={steps} value={done} />
        </label>
      )}
      {state === "failed" && (
        <p class="pickwords" role="alert">
          {t("pin.failed")}{" "}
          <button type="button" onClick={() => setAttempt(attempt + 1)}>
            {t("chat.retry")}
          </button>
        </p>
      )}
    </div>
  );
}

/** Where the map opens: at the last place known, else at the centre of those who answer. */
function start(caller: Caller) {
  const { pin, fix, centre, street, call } = caller.view;
  const known = pin ?? fix;
  const dark = call?.kind === "silent" || matchMedia("(prefers-color-scheme: dark)").matches;
  return {
    centre: known ?? centre ?? { lat: 48, lon: 67 },
    ...(known ? { radiusM: Math.max(100, known.accuracyM) } : {}),
    theme: dark ? ("dark" as const) : ("light" as const),
    lang: lang(),
    street,
    names: { name: t("pin.map"), zoomIn: t("pin.closer"), zoomOut: t("pin.farther"), credit: t("pin.credit") },
  };
}
