import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n";
import { type BaseMap, BaseMapSource, nearest } from "../map/base";
import { drawable, type LatLon } from "../map/geo";
import { useConsole } from "./context";

/** The embedded map of this page; the map itself and the words share it. */
export const baseSource = new BaseMapSource();

/** A distance in a list. */
export function km(metres: number): string {
  return metres < 950 ? `${Math.round(metres / 10) * 10} ${t("unit.m")}` : `${(metres / 1000).toFixed(metres < 9950 ? 1 : 0)} ${t("unit.km")}`;
}

/** "6 km north of Petropavl", from the embedded settlements; undefined while they load. */
export function useNearby(at: LatLon | undefined): string | undefined {
  const { lang } = useConsole();
  const [base, setBase] = useState<BaseMap>();
  useEffect(() => {
    let gone = false;
    baseSource.load().then((b) => !gone && setBase(b), () => undefined); // the coordinates stand beside it
    return () => {
      gone = true;
    };
  }, []);
  if (!base || !drawable(at)) return undefined;
  const near = nearest(base.places, at);
  if (!near) return undefined;
  const km = near.metres / 1000;
  if (km < 2) return near.place[lang];
  return t("near", { km: km < 10 ? km.toFixed(1) : Math.round(km), wind: t(`wind.${near.wind}`), place: near.place[lang] });
}
