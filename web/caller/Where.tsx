import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { Caller } from "./caller";
import { Pin } from "./icons";

/** Where the caller is, as the phone and as they themselves say; and who they are, if unknown. */
export function Where({ caller, now }: { caller: Caller; now: number }) {
  const v = caller.view;
  const [text, setText] = useState("");
  const [said, setSaid] = useState("");
  const [PinMap, setPinMap] = useState<typeof import("./PinMap").default | null>(null);
  const [pinning, setPinning] = useState<"no" | "loading" | "open" | "failed">("no");
  /** The map is fetched when it is wanted: it weighs more than everything else of this page. */
  const openMap = () => {
    setPinning("loading");
    import("./PinMap").then(
      (m) => {
        setPinMap(() => m.default);
        setPinning("open");
      },
      () => setPinning("failed"),
    );
  };
  const measured = v.place === "on" && v.fix && v.fix.source === "device" ? v.fix : null;
  const words =
    measured !== null
      ? t("place.on", { m: Math.round(measured.accuracyM) })
      : v.place === "pinned"
        ? t("pin.sent")
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
      <p class="small">
        {v.place === "on" || v.place === "asking" ? (
          <button type="button" onClick={() => caller.place.stop("stopped")}>
            {t("place.stop")}
          </button>
        ) : (
          <button type="button" onClick={() => caller.place.again()}>
            {t("place.again")}
          </button>
        )}{" "}
        <button type="button" disabled={pinning === "loading" || pinning === "open"} onClick={openMap}>
          {pinning === "loading" ? t("pin.loading") : t("pin.open")}
        </button>
      </p>
      {pinning === "failed" && <p class="note" role="alert">{t("pin.failed")}</p>}
      {pinning === "open" && PinMap && (
        <PinMap
          start={v.fix ?? v.centre}
          onPin={(at) => {
            void caller.pin(at);
            setPinning("no");
          }}
          onClose={() => setPinning("no")}
        />
      )}
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
