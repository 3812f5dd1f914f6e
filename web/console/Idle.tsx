import { useMemo, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import type { MapPoint } from "../map/live";
import { MapView } from "../map/MapView";
import { CallBacks } from "./CallBacks";
import { useConsole } from "./context";
import { Queue, Team } from "./Lists";
import { baseSource } from "./nearby";
import { Meter, OnDuty } from "./OnDuty";
import { mapWords } from "./Where";
import { answers } from "./view";

const noTrack: never[] = [];

/** Between calls: who waits, who works, who is owed a call, and where they all are. */
export function Idle() {
  const { view, seat, theme, lang, street, noStreet } = useConsole();
  const [here, setHere] = useState(true);
  const rows = view.state?.waiting;
  const points = useMemo(() => (rows ?? []).flatMap((w): MapPoint[] => {
    if (!w.fix) return [];
    return [{ order: w.priority, id: w.call, lat: w.fix.lat, lon: w.fix.lon, accuracyM: w.fix.accuracyM, label: `P${w.priority} ${w.number}`, ...(w.priority === 1 ? { color: "#e5484d" } : {}) }];
  }).toSorted((a, b) => b.order - a.order), [rows]);
  const centre = view.centre ?? { lat: 48, lon: 67 };
  const follow = useMemo(() => ({ ...centre, accuracyM: 50_000 }), [centre.lat, centre.lon]);
  const off = answers(view.staff) && (view.state?.me.state === "off" || !seat.onDuty);
  return (
    <main class="idle" aria-label={t("idle")}>
      <div class="column left">
        {off ? <OnDuty /> : <Meter />}
        <Queue />
        <CallBacks />
      </div>
      <div class="column middle">
        <section class="panel where" aria-label={t("map.waiting")} data-focus="map" tabIndex={-1}>
          <h2>
            {t("map.waiting")}<span class="grow" />
            {!here && <button type="button" class="small" onClick={() => setHere(true)}>{t("map.back")}</button>}
          </h2>
          <MapView
            theme={theme} lang={lang} street={street !== null} streetCredit={street ?? ""} onNoStreet={noStreet} source={baseSource} centre={centre} track={noTrack} stale={false} points={points}
            follow={here ? follow : undefined} onMoved={() => setHere(false)} words={mapWords()} onPick={(id) => document.getElementById(`w-${id}`)?.focus()}
          />
        </section>
      </div>
      <div class="column right">
        <Team />
      </div>
    </main>
  );
}
