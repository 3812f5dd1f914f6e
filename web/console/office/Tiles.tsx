import { t } from "../../lib/i18n";
import type { Tile, WallView } from "./api";
import { tileValue, trend } from "./figures";

/** The figures of the wallboard. The two of patrols are one tile: they are read together. */
export function Tiles({ wall, stale, oldCount }: { wall: WallView; stale: boolean; oldCount: boolean }) {
  const busy = wall.tiles.find((x) => x.key === "patrols_busy");
  return (
    <ul class="tiles" aria-label={t("wall.tiles")}>
      {wall.tiles.filter((x) => x.key !== "patrols_busy").map((x) => (
        <OneTile key={x.key} tile={x} busy={x.key === "patrols_free" ? busy : undefined} stale={stale || (oldCount && !live.includes(x.key))} />
      ))}
    </ul>
  );
}

/** What is of the moment; the rest is counted from the store. */
const live = ["queue", "longest_wait", "talking", "ready"];

function OneTile({ tile, busy, stale }: { tile: Tile; busy: Tile | undefined; stale: boolean }) {
  const level = stale ? "stale" : tile.level;
  return (
    <li class={`tile ${level}`} data-tile={tile.key} data-level={level}>
      <h3>{t(`wall.tile.${tile.key}`)}</h3>
      <p class="value">
        <b>{tileValue(tile, tile.value, units())}</b>
        {busy && <span class="also">{t("wall.busy", { n: busy.value ?? 0 })}</span>}
      </p>
      <p class="aim">
        {stale ? <b>{t("wall.stale")}</b> : tile.level && <b>{t(`wall.level.${tile.level}`)}</b>}
        {tile.level && <span>{aim(tile)}</span>}
        {!tile.level && !stale && tile.key === "oldest_report" && tile.value === undefined && <span>{t("wall.none.oldest_report")}</span>}
      </p>
      <p class="trend">{!stale && <Trend tile={tile} />}</p>
    </li>
  );
}

const units = () => ({ s: t("office.s"), h: t("office.h"), d: t("office.d") });

/** The target in words: "limit 3", "at least 90 %". */
function aim(tile: Tile): string {
  if (tile.below) return t("wall.aim.from", { v: tileValue(tile, tile.warn, units()) });
  return t("wall.aim.below", { v: tileValue(tile, tile.warn, units()) });
}

function Trend({ tile }: { tile: Tile }) {
  const way = trend(tile.value, tile.before);
  if (way === undefined || !tile.against) return null;
  return <><span aria-hidden="true">{way > 0 ? "▲" : way < 0 ? "▼" : "="} </span>{t(`wall.was.${tile.against}`, { v: tileValue(tile, tile.before, units()) })}</>;
}
