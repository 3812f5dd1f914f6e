import { useEffect, useState } from "preact/hooks";
import { addLocale, type Lang, t } from "../../lib/i18n";
import type { Caller } from "../caller";
import { Mine } from "./Mine";
import { Write } from "./Write";
import { sender } from "./sender";
import "./report.css";

export type Room = "write" | "mine";

/** Reports without a call: writing one, and what became of them. */
export function Lane({ caller, language, room, onRoom }: { caller: Caller; language: Lang; room: Room; onRoom: (r: Room | null) => void }) {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    let gone = false;
    void addLocale("lane", language).then(() => gone || setReady(true));
    return () => {
      gone = true;
    };
  }, [language]);
  useEffect(() => sender().wake(), []);
  if (!ready) return <main aria-busy="true" />;
  return (
    <main class="lane">
      <nav class="rooms">
        <button type="button" class="plain" onClick={() => onRoom(null)}>
          ← {t("lane.home")}
        </button>
        <button type="button" class="plain" onClick={() => onRoom(room === "write" ? "mine" : "write")}>
          {room === "write" ? t("lane.mine") : t("lane.new")}
        </button>
      </nav>
      {room === "write" ? <Write caller={caller} language={language} onMine={() => onRoom("mine")} /> : <Mine language={language} />}
    </main>
  );
}
