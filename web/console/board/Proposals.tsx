import { useState } from "preact/hooks";
import { t } from "../../lib/i18n";
import { useConsole } from "../context";
import { useBoard } from "./context";
import { cost } from "./rules";
import type { Proposal } from "./types";

/** How many have a key. */
export const keyed = 5;

/** The free patrols for the chosen case, the best first, one key each; and why others are not among them. */
export function Proposals() {
  const { state, sends, chosen } = useBoard();
  const [more, setMore] = useState(false);
  const p = state.proposals;
  if (!p) return <p class="empty" role="status">{t("board.proposing")}</p>;
  return (
    <div class="proposals">
      <h3>{chosen && chosen.patrols.length > 0 ? t("board.second") : t("board.proposed")}</h3>
      {p.patrols.length === 0 && <p class="warn">{t("board.nofree")}</p>}
      <ol>{p.patrols.slice(0, keyed).map((x, i) => <Proposed key={x.patrol} proposal={x} n={i + 1} sends={sends} />)}</ol>
      {p.others.length > 0 && (
        <>
          <button type="button" class="small" aria-expanded={more} onClick={() => setMore(!more)}>{t("board.others", { n: p.others.length })}</button>
          {more && <ul class="others">{p.others.map((x) => <Other key={x.patrol} proposal={x} />)}</ul>}
        </>
      )}
    </div>
  );
}

function Proposed({ proposal: p, n, sends }: { proposal: Proposal; n: number; sends: boolean }) {
  const { send } = useBoard();
  const { lang } = useConsole();
  const c = cost(p);
  const why = p.words[lang] || p.words.ru;
  const far = c.unit && t(`board.cost.${c.unit}`, { n: c.n });
  if (!sends) return <li class="proposed" data-proposed={p.name}><b>{n}) {p.name}</b> <span>{far}</span> <span class="hint">{why}</span></li>;
  return (
    <li class="proposed">
      <button type="button" class={n === 1 ? "go" : ""} data-proposed={p.name} aria-keyshortcuts={`Alt+${n}`} onClick={() => send(p, p.words)}>
        <kbd aria-hidden="true">Alt+{n}</kbd> {t("board.send", { name: p.name })} {far && <b>{far}</b>}
      </button>
      <span class="hint">{why}</span>
    </li>
  );
}

/** Somebody left out may still be sent by hand where they are free: the dispatcher may know more by radio. */
function Other({ proposal: p }: { proposal: Proposal }) {
  const { send, sends } = useBoard();
  const { lang } = useConsole();
  return (
    <li data-left={p.name} data-by={p.by}>
      <b>{p.name}</b> <span>{p.words[lang] || p.words.ru}</span>
      {sends && p.state === "available" && <button type="button" class="small" onClick={() => send(p, p.words)}>{t("board.sendanyway", { name: p.name })}</button>}
    </li>
  );
}
