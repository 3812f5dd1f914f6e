import { useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { Caller } from "./caller";
import { leave } from "./App";
import { EndButton, Registered, sentence } from "./Call";
import { Chat } from "./Chat";
import { PinDoor } from "./PinDoor";
import { useWakeLock } from "./wake";

const answers = ["yes", "no", "dk"];
const questions: { key: string; answers: string[] }[] = [
  { key: "q.what", answers: ["q.what.violence", "q.what.intruder", "q.what.threat", "q.what.other"] },
  { key: "q.danger", answers },
  { key: "q.weapon", answers },
  { key: "q.hurt", answers },
];

/** For those who cannot speak: dark, without a sound, answered by touch. Each answer goes out at
 * once; three quick touches on the heading leave for a harmless page. */
export function Silent({ caller }: { caller: Caller }) {
  const v = caller.view;
  const [at, setAt] = useState(0);
  const [touches, setTouches] = useState<number[]>([]);
  useWakeLock();
  const q = questions[at];
  const touch = () => {
    const now = Date.now();
    const recent = [...touches, now].filter((x) => now - x < 1000);
    setTouches(recent);
    if (recent.length >= 3) leave();
  };
  return (
    <main class="call silent">
      <button type="button" class="heading" onClick={touch}>
        {t("silent.on")}
      </button>
      <p class="sentence" aria-live="polite">
        {sentence(v)}
      </p>
      {(v.call || v.registered) && <p class="facts"><Registered id={v.call?.number ?? v.registered} /></p>}
      {q && v.call && (
        <section class="question">
          <h2>{t(q.key)}</h2>
          <div class="answers">
            {q.answers.map((a) => (
              <button
                type="button"
                key={a}
                onClick={() => {
                  void caller.outbox.write(`${t(q.key)} ${t(a)}`);
                  setAt(at + 1);
                }}
              >
                {t(a)}
              </button>
            ))}
          </div>
        </section>
      )}
      {v.call && v.place === "pinned" && <p class="note">{t("pin.placed")}</p>}
      {v.call && <PinDoor caller={caller} />}
      {(v.call || v.registered) && <Chat caller={caller} />}
      <EndButton onEnd={() => void caller.end()} />
    </main>
  );
}
