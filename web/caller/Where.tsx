import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { wordy } from "../lib/ladder";
import type { Caller } from "./caller";
import { Pin } from "./icons";
import { OnTheMap } from "./OnTheMap";
import { PinDoor } from "./PinDoor";

const coarse = 100; // metres: a phone that gives only the neighbourhood

/** Where the caller is, as the phone and as they themselves say; and who they are, if unknown. */
export function Where({ caller, now }: { caller: Caller; now: number }) {
  const v = caller.view;
  const [text, setText] = useState("");
  const [said, setSaid] = useState("");
  const measured = v.place === "on" && v.fix?.source === "device" ? v.fix : null;
  const words =
    v.place === "pinned"
      ? t("pin.placed")
      : measured !== null
      ? t(measured.accuracyM > coarse ? "place.coarse" : "place.on", { m: Math.round(measured.accuracyM) })
      : v.place === "denied" || v.place === "stopped"
        ? t("place.off")
        : v.place === "slow"
          ? t("place.slow")
          : t("place.ask");
  return (
    <section class="where">
      <p>
        <Pin /> {words} {measured && <span class="age">{t("place.age", { n: Math.max(0, Math.round((now - measured.clientMs) / 1000)) })}</span>}
      </p>
      <OnTheMap at={!v.call || wordy(v.rung) ? null : v.place === "pinned" && v.pin ? { lat: v.pin.lat, lon: v.pin.lon } : measured} />
      {said && <p class="said">{t("place.said", { text: said })}</p>}
      <form
        class="line"
        onSubmit={(e) => {
          e.preventDefault();
          const place = text.trim();
          if (!place) return;
          void caller.say(place);
          setSaid(place);
          setText("");
        }}
      >
        <input value={text} maxLength={200} aria-label={t("place.write")} placeholder={t("place.write")} onInput={(e) => setText(e.currentTarget.value)} />
        <button type="submit">{t("place.send")}</button>
      </form>
      <PinDoor caller={caller} />
      <p class="small">
        {v.place === "on" || v.place === "asking" ? (
          <button type="button" onClick={() => caller.place.stop("stopped")}>
            {t("place.stop")}
          </button>
        ) : (
          <button type="button" onClick={() => caller.unpin()}>
            {t("place.again")}
          </button>
        )}
      </p>
      {v.call && !v.self && <Contact caller={caller} />}
    </section>
  );
}

function Contact({ caller }: { caller: Caller }) {
  const known = caller.view.call?.contact;
  const [name, setName] = useState(known?.name ?? "");
  const [phone, setPhone] = useState(known?.phone ?? "");
  const [saved, setSaved] = useState(Boolean(known?.phone));
  if (saved) return null;
  return (
    <form
      class="contact"
      onSubmit={(e) => {
        e.preventDefault();
        void caller.contact(name.trim(), phone.trim()).then(() => setSaved(true), () => undefined);
      }}
    >
      <p>{t("contact.ask")}</p>
      <div class="line">
        <input type="tel" autocomplete="tel" maxLength={32} value={phone} aria-label={t("contact.phone")} placeholder={t("contact.phone")} onInput={(e) => setPhone(e.currentTarget.value)} />
        <input autocomplete="name" maxLength={60} value={name} aria-label={t("contact.name")} placeholder={t("contact.name")} onInput={(e) => setName(e.currentTarget.value)} />
        <button type="submit">{t("contact.save")}</button>
      </div>
    </form>
  );
}
