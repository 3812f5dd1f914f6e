import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallView } from "../lib/wire.gen";
import type { Caller } from "./caller";
import { Handset } from "./icons";

/** What happens next, the number to keep, and, as soon as it is loaded, how the case stands. */
export function Ended({ caller, call }: { caller: Caller; call: CallView }) {
  const [after, setAfter] = useState<{ It: ComponentType<{ caller: Caller; call: CallView }> }>();
  useEffect(() => void import("./report/After").then(({ After }) => setAfter({ It: After }), () => undefined), []);
  return (
    <main class="ended">
      <h1>{t("ended")}</h1>
      {call.callBack && (
        <p class="alert" role="alert">
          {t("ended.callback")}
        </p>
      )}
      <p class="big">{t("ended.keep", { id: call.number })}</p>
      {after && <after.It caller={caller} call={call} />}
      <button type="button" class="go" onClick={() => void caller.tap(call.kind)}>
        {t("ended.again")}
      </button>
      <button type="button" onClick={() => caller.home()}>
        {t("ended.home")}
      </button>
      <a class="telephone" href={`tel:${caller.view.phone}`}>
        <Handset /> {t("phone", { phone: caller.view.phone })}
      </a>
    </main>
  );
}
