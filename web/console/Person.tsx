import { t } from "../lib/i18n";
import type { CallCard } from "../lib/wire.gen";
import { dayOf, phone } from "./clock";
import { useConsole } from "./context";
import { useLine } from "./LineNow";
import { Copy, Key } from "./Small";
import { callerLang } from "./snippets";
import { rungLines, wordy } from "./Thin";

/** Who calls, and how strongly each part is proven. */
export function Person({ card }: { card: CallCard }) {
  const c = card.caller;
  return (
    <section class="panel person" aria-label={t("person")} data-focus="person" tabIndex={-1}>
      <h2>{t("person")} <Key act="person" /></h2>
      <p class="name"><b>{c.name || t("person.noname")}</b></p>
      <p class="row">
        {c.phone ? <><span class="digits large">{phone(c.phone)}</span><Copy text={c.phone} name={t("copy.phone", { phone: phone(c.phone) })} /></> : t("person.nophone")}
      </p>
      <p class={`proof ${c.proof}`}>{t(`proof.${c.proof}.long`)}</p>
      <dl>
        <dt>{t("person.lang")}</dt><dd>{t(`lang.${callerLang(c.lang)}`)}</dd>
        <dt>{t("person.earlier.name")}</dt>
        <dd>
          {c.earlier > 0 ? t("person.earlier", { n: c.earlier }) : t("person.first")}
          {c.earlierMs ? `, ${t("person.last", { day: dayOf(c.earlierMs) })}` : ""}
        </dd>
        {c.iin && <><dt>{t("person.iin")}</dt><dd><span class="digits">{c.iin}</span> <span class="hint">{t("proof.said")}</span></dd></>}
        {c.medical && <><dt>{t("person.medical")}</dt><dd class="medical">{c.medical} <span class="hint">{t("proof.said")}</span></dd></>}
      </dl>
    </section>
  );
}

/** What keeps the caller from being heard or seen, one line each; nothing when all is well. */
export function CallerNow({ card }: { card: CallCard }) {
  const m = card.media;
  const { seat } = useConsole();
  const { word } = useLine(card);
  const lines: [string, string][] = [];
  if (card.kind === "silent") lines.push(["bad", t("silent.warning")]);
  if (card.phase === "reconnecting" || !m.link) lines.push(["bad", t("media.nolink")]);
  else if (!m.connected && !wordy(m)) lines.push(["warn", t("media.textonly")]);
  else if (word === "own" || word === "far") lines.push(["bad", t(`line.${word}`)]);
  if (seat.tune?.shown === "off" || seat.tune?.video === "off") lines.push(["warn", t("media.voiceonly")]);
  lines.push(...rungLines(m));
  if (m.background) lines.push(["warn", t("media.background")]);
  if (m.mic !== "on" && !wordy(m)) lines.push(["warn", t(`mic.${m.mic}.long`)]);
  if (seat.mic !== "on" && seat.mic !== "asking") lines.push(["bad", t("own.nomic")]);
  return (
    <div role="status" class={lines.length > 0 ? "lines" : ""}>
      {lines.map(([tone, text]) => <p key={text} class={tone}>{text}</p>)}
    </div>
  );
}
