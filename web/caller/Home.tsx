import { t } from "../lib/i18n";
import type { Caller } from "./caller";
import { useLate } from "./late";
import { PinDoor } from "./PinDoor";
import { Handset, Hush, Person, Phone } from "./icons";

/** The first screen: one button, and the other doors. */
export function Home({ caller, reports, onProfile, onReport }: { caller: Caller; reports: boolean; onProfile: () => void; onReport: (room: "write" | "mine") => void }) {
  const v = caller.view;
  const offline = navigator.onLine === false;
  const late = useLate(v.link === "open", 8000);
  const numbers = v.phone === "112" ? v.phone : t("phone.or", { phone: v.phone });
  const link = v.link === "open" ? t("link.ready") : t("link.connecting");
  return (
    <main class="home">
      {offline && (
        <p class="alert" role="alert">
          {t("offline", { phone: numbers })}
        </p>
      )}
      {late && !offline && (
        <p class="alert" role="alert">
          {t("link.slow", { phone: numbers })}
        </p>
      )}
      {(offline || late) && (
        <a class="telephone first" href={`tel:${v.phone}`}>
          <Handset /> {t("phone", { phone: v.phone })}
        </a>
      )}
      {v.error && (
        <p class="alert" role="alert">
          {t("error.busy", { phone: v.phone })} <small>{t("error.code", { code: v.error })}</small>
        </p>
      )}
      <form
        class="callform"
        onSubmit={(e) => {
          e.preventDefault();
          void caller.tap("video");
        }}
      >
        <button class={offline || late ? "callbutton second" : "callbutton"} type="submit">
          <Handset />
          <span class="callwords">{t("call")}</span>
          <span class="callnote">{t("call.recorded")}</span>
        </button>
      </form>
      <div class="doors">
        <button type="button" onClick={() => void caller.tap("silent")}>
          <Hush />
          {t("silent.door")}
        </button>
        <button type="button" onClick={() => void caller.tap("voice")}>
          <Phone />
          {t("voice.door")}
        </button>
        <button type="button" class="wide" onClick={() => onReport("write")}>
          {t("report.door")}
        </button>
      </div>
      {reports && (
        <button type="button" class="plain" onClick={() => onReport("mine")}>
          {t("report.mine")}
        </button>
      )}
      {v.pin && (
        <p class="note">
          {t("pin.placed")}{" "}
          <button type="button" onClick={() => caller.unpin()}>
            {t("pin.remove")}
          </button>
        </p>
      )}
      <PinDoor caller={caller} />
      <p class="linkline" data-open={v.link === "open"}>
        {link}
      </p>
      <button type="button" class="plain" onClick={onProfile}>
        <Person />
        {v.self ? `${t("profile")}: ${v.self.name || v.self.phone}` : t("register")}
      </button>
      <a class="telephone" href={`tel:${v.phone}`}>
        <Handset /> {t("phone", { phone: v.phone })}
      </a>
      <p class="fine">{t("notice")}</p>
    </main>
  );
}
