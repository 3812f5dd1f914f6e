import { t } from "../lib/i18n";
import type { CallCard } from "../lib/wire.gen";
import { useConsole } from "./context";
import { wordy } from "./Thin";
import { LineNow } from "./LineNow";

const ways = ["udp", "tcp", "relay"];
const known = ["good", "fair", "poor", "lost"];

/** The caller's link in words, with the figures behind it for who wants them. */
export function Strip({ card }: { card: CallCard }) {
  const { seat } = useConsole();
  const q = card.quality;
  const stale = seat.line === "far" || seat.line === "own"; // nobody has measured this line since
  const word = known.includes(q.word) ? q.word : "unknown";
  return (
    <footer class="strip">
      <LineNow card={card} />
      <p role="status" hidden={stale}>
        {t("quality")}: <b class={`q ${word}`}>{t(`quality.${word}`)}</b>
      </p>
      {word !== "unknown" && !stale && (
        <p class="hint">
          {ways.includes(q.way ?? "") && `${t(`way.${q.way}`)} · `}
          {q.network && `${q.network.toUpperCase()} · `}
          {t("quality.loss", { up: Math.round(q.lossUp * 100), down: Math.round(q.lossDown * 100) })} · {t("quality.rtt", { ms: Math.round(q.rttMs) })}
          {q.fps > 0 && ` · ${t("quality.fps", { n: Math.round(q.fps) })}`}
        </p>
      )}
      <span class="grow" />
      <p class="hint">{wordy(card.media) ? t("own.unheard") : seat.muted ? t("own.muted") : t("own.live")}</p>
    </footer>
  );
}
