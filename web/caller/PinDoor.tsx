import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { leave } from "./App";
import type { Caller } from "./caller";
import { Pin } from "./icons";

type Dialog = ComponentType<{ caller: Caller; onClose: () => void; onLeave: () => void }>;

/** The way to show the place on a map. Nothing of the map is loaded before it is asked for. */
export function PinDoor({ caller }: { caller: Caller }) {
  const [state, setState] = useState<"shut" | "loading" | "open" | "failed">("shut");
  const [dialog, setDialog] = useState<{ It: Dialog }>();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (state !== "loading") return;
    let gone = false;
    import("./PinDialog").then(
      ({ PinDialog }) => {
        if (gone) return;
        setDialog({ It: PinDialog });
        setState("open");
      },
      () => gone || setState("failed"),
    );
    return () => {
      gone = true;
    };
  }, [state]);
  const was = useRef(state);
  useEffect(() => {
    if (was.current === "open" && state === "shut") button.current?.focus(); // not before the dialog is gone
    was.current = state;
  }, [state]);
  const close = () => setState("shut");
  return (
    <>
      <button type="button" class="pindoor" ref={button} aria-busy={state === "loading"} onClick={() => setState("loading")}>
        <Pin /> {state === "loading" ? t("pin.loading") : caller.view.pin ? t("pin.again") : t("pin.door")}
      </button>
      {state === "failed" && (
        <p class="note" role="alert">
          {t("pin.failed")}
        </p>
      )}
      {state === "open" && dialog && <dialog.It caller={caller} onClose={close} onLeave={leave} />}
    </>
  );
}
