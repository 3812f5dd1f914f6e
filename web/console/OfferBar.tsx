import { t } from "../lib/i18n";
import type { OfferMade } from "../lib/wire.gen";
import { phone, secondsLeft } from "./clock";
import { tOf, useConsole, useServerNow } from "./context";
import { Accuracy, Age, Elapsed, Key, useShortcut } from "./Small";
import { useNearby } from "./nearby";
import { callerLang } from "./snippets";
import { RungBadge, wordy } from "./Thin";
import { ringing } from "./view";

/** What rings here. It takes no focus: it is announced, and one key answers from anywhere. */
export function OfferBar() {
  const { view, desk } = useConsole();
  useServerNow(500);
  const offer = ringing(view, desk.now);
  return (
    <div class="offerplace">
      <div aria-live="assertive" class="unseen">{offer ? spoken(offer) : ""}</div>
      {offer ? <Offer offer={offer} answering={view.answering} /> : <After />}
    </div>
  );
}

function Offer({ offer, answering }: { offer: OfferMade; answering: boolean }) {
  const { desk } = useConsole();
  const answer = useShortcut("answer");
  const pass = useShortcut("pass");
  const left = secondsLeft(offer.expiresMs, useServerNow(250));
  const c = offer.caller;
  const urgent = offer.kind === "silent" || offer.priority === 1;
  return (
    <section class={`offer ${urgent ? "urgent" : ""}`} aria-label={t("offer.name")}>
      <p class="kind">
        <b>{t(`kind.${offer.kind}`)}</b>
        <span>P{offer.priority}</span>
        <RungBadge media={offer.media} />
      </p>
      <div class="facts">
        <p class="main">
          <b>{c.name || t("person.noname")}</b>
          {c.phone && <span class="digits">{phone(c.phone)}</span>}
          <span class={`proof ${c.proof}`}>{t(`proof.${c.proof}`)}</span>
          <span>{t(`lang.${callerLang(c.lang)}`)}</span>
          {c.earlier > 0 && <span>{t("person.earlier", { n: c.earlier })}</span>}
        </p>
        <p>
          <Where offer={offer} />
          <span>{t("offer.waits")} <Elapsed since={offer.sinceMs} /></span>
          {!wordy(offer.media) && <span>{t(`mic.${offer.media.mic}`)} · {t(`cam.${offer.media.camera}`)}</span>}
          {!offer.media.link && <b class="bad">{t("media.nolink")}</b>}
          {offer.transfer && <b>{t("offer.transfer", { name: offer.transfer })}</b>}
          {offer.kind === "silent" && <b class="bad">{t("silent.warning")}</b>}
        </p>
        {offer.words && <p class="words" dir="auto">“{offer.words}”</p>}
      </div>
      <span class="countdown" aria-hidden="true">{left}</span>
      <button type="button" class="go big" disabled={answering} aria-keyshortcuts={answer} onClick={() => void desk.accept()}>
        {answering ? t("offer.answering") : t("offer.answer")} <Key act="answer" />
      </button>
      <button
        type="button" disabled={answering} aria-keyshortcuts={pass} onClick={() => void desk.ask("offer.reject", { call: offer.call, epoch: offer.epoch })}
      >
        {t("offer.pass")} <Key act="pass" />
      </button>
    </section>
  );
}

function Where({ offer }: { offer: OfferMade }) {
  const near = useNearby(offer.fix);
  if (!offer.fix) return <span class="warn">{t("where.none")}</span>;
  return (
    <span>
      {offer.fix.text || near || t("where.known")} <Accuracy fix={offer.fix} />, <Age at={offer.fix.serverMs} />
    </span>
  );
}

/** After an offer: who took it, or that it was missed and how to come back. */
function After() {
  const { view, desk } = useConsole();
  const answer = useShortcut("answer");
  const g = view.gone;
  const missed = view.state?.me.state === "not_responding";
  if (!g && !missed) return null;
  return (
    <section class={`offer after ${missed ? "missed" : ""}`} role="status">
      {g && <p>{tOf("gone", g.why, ["taken", "expired", "ended", "link_lost"], { number: g.number, by: g.by ? `(${g.by})` : "" }).trim()}</p>}
      {missed ? (
        <>
          <p><b>{t("missed")}</b></p>
          <button type="button" class="go" aria-keyshortcuts={answer} onClick={() => void desk.setDuty({ state: "ready" })}>
            {t("missed.back")} <Key act="answer" />
          </button>
        </>
      ) : (
        <button type="button" onClick={() => desk.dispatch({ type: "local.read" })}>{t("close")}</button>
      )}
    </section>
  );
}

/** What a screen reader says while one types. */
function spoken(o: OfferMade): string {
  return [t("offer.name"), t(`kind.${o.kind}`), wordy(o.media) ? t(`rung.${o.media.rung}`) : "", o.caller.name, t(`proof.${o.caller.proof}`)].filter(Boolean).join(", ");
}
