import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { CallCard } from "../lib/wire.gen";
import { useCallCase } from "./callCase";
import { Cameras } from "./Cameras";
import { CaseTie } from "./CaseTie";
import { Chat } from "./Chat";
import { useConsole } from "./context";
import { NotePad } from "./NotePad";
import { CallerNow, Person } from "./Person";
import { Screen } from "./Screen";
import { Strip } from "./Strip";
import { present } from "./view";
import { Where } from "./Where";
import { WrapUp } from "./WrapUp";

interface Props {
  card: CallCard;
  blurred: boolean;
  onBlur: () => void;
  list: boolean;
  onList: () => void;
}

/** The call in hand, or its wrap-up: who, where, the picture, the words. */
export function Call({ card, blurred, onBlur, list, onList }: Props) {
  const { drafts } = useConsole();
  const about = useCallCase(card.call, drafts.read(card.call).category ?? "");
  const [outcome, setOutcome] = useState(() => drafts.read(card.call).outcome ?? "");
  const wrapping = card.phase === "wrapup";
  const pick = (key: string) => {
    about.pick(key);
    drafts.write(card.call, { category: key });
  };
  const settle = (key: string) => {
    setOutcome(key);
    drafts.write(card.call, { outcome: key });
  };
  return (
    <main class={wrapping ? "call wrapping" : "call"} aria-label={t("call.name", { number: card.number })}>
      {wrapping && <WrapUp card={card} categories={about.categories} category={about.category} outcome={outcome} onCategory={pick} onOutcome={settle} />}
      {!wrapping && <CallerNow card={card} />}
      <div class="columns">
        <div class="column left">
          <Person card={card} />
          <CaseTie view={about.view} />
          <NotePad card={card} categories={about.categories} category={about.category} onCategory={pick} />
        </div>
        <div class="column middle">
          {!wrapping && <Screen card={card} blurred={blurred} onBlur={onBlur} />}
          {!wrapping && <Cameras near={present(card)} recording={card.call} />}
          <Where card={card} list={list} onList={onList} />
        </div>
        <div class="column right">
          <Chat card={card} />
        </div>
      </div>
      {!wrapping && <Strip card={card} />}
    </main>
  );
}
