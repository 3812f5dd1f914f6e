import { useEffect, useState } from "preact/hooks";
import type { LatLon } from "../map/geo";
import { type CameraRow, cameras } from "./cameras";

/** The cameras, asked for again and again; the nearest first where a place is given. */
export function useCameras(near: LatLon | undefined, everyMs: number): CameraRow[] {
  const [rows, setRows] = useState<CameraRow[]>([]);
  const lat = near?.lat;
  const lon = near?.lon;
  useEffect(() => {
    let gone = false;
    const look = () => {
      cameras(lat === undefined || lon === undefined ? undefined : { lat, lon }).then((list) => !gone && setRows(list), () => undefined); // the next asks again
    };
    if (everyMs <= 0) return setRows([]);
    look();
    const timer = setInterval(look, everyMs);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [lat, lon, everyMs]);
  return rows;
}
