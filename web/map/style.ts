import type * as GeoJSON from "geojson";
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { BaseMap, MapLang } from "./base";
import { markLayersOf, markSources } from "./marks";

/** Light and dark of the map. */
export type MapTheme = "light" | "dark";

interface Palette {
  water: string;
  land: string;
  home: string;
  border: string;
  homeBorder: string;
  text: string;
  halo: string;
  country: string;
  dot: string;
  mark: string;
  stale: string;
}

const palettes: Record<MapTheme, Palette> = {
  light: {
    water: "#c9dbe6", land: "#eceae4", home: "#faf8f2", border: "#a9a49a", homeBorder: "#76685a", text: "#2b2b2b", halo: "#fbfaf6",
    country: "#6b6459", dot: "#6b6459", mark: "#0b57d0", stale: "#6a6a6a",
  },
  dark: {
    water: "#131c24", land: "#20262c", home: "#2a3138", border: "#4a535c", homeBorder: "#7d8791", text: "#d5dbe0", halo: "#171c21",
    country: "#8e99a4", dot: "#98a3ad", mark: "#7ab4ff", stale: "#9aa0a6",
  },
};

/** The font is whatever the machine has: without a glyphs URL MapLibre draws letters itself. */
const fonts = ["system-ui", "Segoe UI", "Noto Sans", "DejaVu Sans", "sans-serif"];

/** The style of the map: base always, street tiles over it where the site has them, marks on top. */
export function mapStyle(base: BaseMap, theme: MapTheme, lang: MapLang, street: { layers: LayerSpecification[]; credit: string } | null): StyleSpecification {
  const c = palettes[theme];
  return {
    version: 8,
    sources: {
      base: { type: "geojson", data: base.geojson, tolerance: 0.2, attribution: base.credit },
      ...(street
        ? { street: { type: "vector", url: "pmtiles:///map/street.pmtiles", attribution: plainText(street.credit) } as const }
        : {}),
      ...marks(),
    },
    layers: [
      { id: "water", type: "background", paint: { "background-color": c.water } },
      fill("land", c.land),
      fill("home", c.home),
      line("border", c.border, 0.8),
      line("homeborder", c.homeBorder, 1.6),
      ...(street?.layers ?? []),
      ...(street ? [] : baseLabels(c, lang)),
      ...markLayers(c),
    ],
  };
}

function fill(layer: string, color: string): LayerSpecification {
  return { id: `base-${layer}`, type: "fill", source: "base", filter: ["==", ["get", "layer"], layer], paint: { "fill-color": color, "fill-antialias": false } };
}

function line(layer: string, color: string, width: number): LayerSpecification {
  return {
    id: `base-${layer}`, type: "line", source: "base", filter: ["==", ["get", "layer"], layer],
    paint: { "line-color": color, "line-width": ["interpolate", ["linear"], ["zoom"], 3, width * 0.7, 10, width * 1.6] },
  };
}

/** Dots and names of settlements, the greater first; villages join as one comes closer. */
function baseLabels(c: Palette, lang: MapLang): LayerSpecification[] {
  const isPlace = ["==", ["get", "layer"], "place"] as const;
  const shownAt = (rank: number) => [5, 4, 5, 6.5, 8][rank] ?? 8;
  const ranks = [0, 1, 2, 3, 4];
  return [
    {
      id: "base-country", type: "symbol", source: "base", maxzoom: 7, filter: ["==", ["get", "layer"], "country"],
      layout: { "text-field": ["get", lang], "text-font": fonts, "text-size": 13, "text-letter-spacing": 0.12, "text-transform": "uppercase" },
      paint: { "text-color": c.country, "text-halo-color": c.halo, "text-halo-width": 1.2 },
    },
    ...ranks.toReversed().map((rank): LayerSpecification => ({
      id: `base-dot-${rank}`, type: "circle", source: "base", minzoom: shownAt(rank) - 1, filter: ["all", isPlace, ["==", ["get", "rank"], rank]] as never,
      paint: { "circle-radius": rank < 2 ? 3.4 : 2.4, "circle-color": c.dot, "circle-stroke-color": c.halo, "circle-stroke-width": 1 },
    })),
    ...ranks.toReversed().map((rank): LayerSpecification => ({
      id: `base-name-${rank}`, type: "symbol", source: "base", minzoom: shownAt(rank) - 1, filter: ["all", isPlace, ["==", ["get", "rank"], rank]] as never,
      layout: {
        "text-field": ["get", lang], "text-font": fonts, "text-size": rank < 2 ? 14 : rank === 2 ? 12.5 : 11.5, "text-variable-anchor": ["top", "bottom", "right", "left"],
        "text-radial-offset": 0.5, "text-justify": "auto",
      },
      paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.4 },
    })),
  ];
}

const nothing: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

function marks(): StyleSpecification["sources"] {
  return {
    circle: { type: "geojson", data: nothing },
    track: { type: "geojson", data: nothing },
    points: { type: "geojson", data: nothing },
    ...markSources(),
  };
}

/** Accuracy circle, track and the positions themselves. An old position is grey and dashed. */
function markLayers(c: Palette): LayerSpecification[] {
  const color = ["case", ["==", ["get", "stale"], true], c.stale, c.mark] as never;
  return [
    { id: "circle-fill", type: "fill", source: "circle", paint: { "fill-color": color, "fill-opacity": 0.16 } },
    { id: "circle-line", type: "line", source: "circle", filter: ["!=", ["get", "stale"], true], paint: { "line-color": color, "line-width": 1.5 } },
    {
      id: "circle-stale", type: "line", source: "circle", filter: ["==", ["get", "stale"], true],
      paint: { "line-color": color, "line-width": 1.5, "line-dasharray": [3, 2] },
    },
    { id: "track", type: "line", source: "track", layout: { "line-join": "round" }, paint: { "line-color": c.mark, "line-width": 2.5, "line-opacity": 0.7 } },
    {
      id: "points", type: "circle", source: "points",
      paint: {
        "circle-radius": ["case", ["==", ["get", "size"], "small"], 3, 9] as never,
        "circle-color": ["coalesce", ["get", "color"], color] as never,
        "circle-stroke-color": c.halo, "circle-stroke-width": ["case", ["==", ["get", "size"], "small"], 1, 2.5] as never,
      },
    },
    {
      id: "point-labels", type: "symbol", source: "points", filter: ["has", "label"],
      layout: {
        "text-field": ["get", "label"], "text-font": fonts, "text-size": 13, "text-variable-anchor": ["top", "bottom", "right", "left"],
        "text-radial-offset": 0.9, "text-justify": "auto", "symbol-sort-key": ["coalesce", ["get", "order"], 0],
      },
      paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.8 },
    },
    ...markLayersOf(c, fonts),
  ];
}

/** MapLibre takes credits as markup; ours are words. */
function plainText(words: string): string {
  return words.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
