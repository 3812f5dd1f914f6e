import type * as GeoJSON from "geojson";
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import { circle, drawable, type LatLon, type MapFix } from "./geo";

/** How patrols, cases and cameras are drawn: each state has a shape of its own. */
export const markShapes = ["available", "assigned", "accepted", "en_route", "on_scene", "late", "case1", "case2", "case3", "case4", "camera", "point"] as const;
export type MarkShape = (typeof markShapes)[number];

/** Something on the map with a shape and words. */
export interface MapMark extends MapFix {
  id: string;
  shape: MarkShape;
  label: string;
  /** The lower, the more its words matter where two do not fit. */
  order: number;
  chosen?: boolean;
  /** Too old to be taken for where it is: hatched, never as live. */
  stale?: boolean;
}

/** A straight line between two places with words on it. */
export interface MapLine {
  from: LatLon;
  to: LatLon;
  label: string;
}

interface Colours {
  text: string;
  halo: string;
  mark: string;
  stale: string;
}

const nothing: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

export function markSources(): StyleSpecification["sources"] {
  return { marks: { type: "geojson", data: nothing }, reach: { type: "geojson", data: nothing }, ways: { type: "geojson", data: nothing } };
}

/** What lies over what: the last is on top, and its words are placed first. */
const levels = ["camera", "patrol", "case"] as const;

export const markLayerNames = levels.map((l) => `marks-${l}`);

function levelOf(shape: MarkShape): (typeof levels)[number] {
  return shape === "camera" ? "camera" : shape.startsWith("case") || shape === "point" ? "case" : "patrol";
}

const stale = ["==", ["get", "stale"], true] as never;

/** Circles of uncertainty, lines, and the marks on top. */
export function markLayersOf(c: Colours, fonts: string[]): LayerSpecification[] {
  const color = ["case", stale, c.stale, c.mark] as never;
  return [
    { id: "reach-fill", type: "fill", source: "reach", paint: { "fill-color": color, "fill-opacity": 0.12 } },
    { id: "reach-line", type: "line", source: "reach", filter: ["!", stale] as never, paint: { "line-color": color, "line-width": 1.2 } },
    { id: "reach-stale", type: "line", source: "reach", filter: stale, paint: { "line-color": color, "line-width": 1.2, "line-dasharray": [3, 2] } },
    { id: "ways", type: "line", source: "ways", paint: { "line-color": c.mark, "line-width": 2.5, "line-dasharray": [4, 2] } },
    {
      id: "way-labels", type: "symbol", source: "ways",
      layout: { "symbol-placement": "line-center", "text-field": ["get", "label"], "text-font": fonts, "text-size": 14, "text-offset": [0, -0.9] },
      paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 2 },
    },
    ...levels.map((level): LayerSpecification => ({
      id: `marks-${level}`, type: "symbol", source: "marks", filter: ["==", ["get", "level"], level] as never,
      layout: {
        "icon-image": ["get", "icon"], "icon-allow-overlap": true, "symbol-sort-key": ["get", "order"],
        "text-field": ["get", "label"], "text-font": fonts, "text-size": 13, "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 1.5, "text-justify": "auto",
        "text-optional": true,
      },
      paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 2 },
    })),
  ];
}

/** What the sources hold: marks, their circles, lines. What cannot be drawn is left out. */
export function markFeatures(marks: MapMark[], lines: MapLine[]): Record<"marks" | "reach" | "ways", GeoJSON.Feature[]> {
  const seen = marks.filter(drawable);
  return {
    marks: seen.map((m) => ({
      type: "Feature", geometry: { type: "Point", coordinates: [m.lon, m.lat] },
      properties: { id: m.id, label: m.label, order: m.order, icon: iconName(m), level: levelOf(m.shape) },
    })),
    reach: seen.filter((m) => m.accuracyM > 0).map((m) => ({
      type: "Feature", geometry: { type: "Polygon", coordinates: [circle(m, m.accuracyM)] }, properties: { stale: m.stale === true },
    })),
    ways: lines.filter((l) => drawable(l.from) && drawable(l.to)).map((l) => ({
      type: "Feature", geometry: { type: "LineString", coordinates: [[l.from.lon, l.from.lat], [l.to.lon, l.to.lat]] }, properties: { label: l.label },
    })),
  };
}

export function iconName(m: Pick<MapMark, "shape" | "chosen" | "stale">): string {
  return `mark:${m.shape}:${m.chosen ? "chosen" : ""}:${m.stale ? "stale" : ""}`;
}

/** Pixels of an icon, twice as many as it is shown with. */
export const iconSize = 56;

type Point = [x: number, y: number];

/** Outlines on a field of 56 by 56. */
const outlines: Partial<Record<MarkShape, Point[]>> = {
  available: [[28, 8], [48, 46], [8, 46]],
  assigned: [[28, 6], [50, 28], [28, 50], [6, 28]],
  accepted: [[28, 6], [50, 28], [28, 50], [6, 28]],
  late: [[28, 6], [50, 28], [28, 50], [6, 28]],
  en_route: [[8, 10], [28, 10], [48, 28], [28, 46], [8, 46], [26, 28]],
  on_scene: [[10, 10], [46, 10], [46, 46], [10, 46]],
  camera: [[8, 18], [34, 18], [34, 24], [48, 16], [48, 40], [34, 32], [34, 38], [8, 38]],
};

const paints = {
  dark: { patrol: "#5aa2f0", busy: "#171c21", line: "#eef3f7", case1: "#cf3238", case: "#171c21", late: "#f0c000", camera: "#7d8791", grey: "#20262c", chosen: "#8ec2ff", dark: "#14181c" },
  light: { patrol: "#1d5fae", busy: "#ffffff", line: "#14181c", case1: "#c4262c", case: "#ffffff", late: "#f5c518", camera: "#c3ccd4", grey: "#e3e6e9", chosen: "#1d5fae", dark: "#14181c" },
};

/** Draws an icon by its name; undefined for one that is not ours. */
export function drawIcon(name: string, theme: "light" | "dark"): ImageData | undefined {
  const [kind, shape, chosen, old] = name.split(":") as [string, MarkShape, string, string];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = iconSize;
  const g = canvas.getContext("2d");
  if (kind !== "mark" || !g) return undefined;
  const p = paints[theme];
  g.lineWidth = 4;
  g.lineJoin = "round";
  g.strokeStyle = p.line;
  path(g, shape);
  g.fillStyle = old ? p.grey : shape === "available" ? p.patrol : shape === "late" ? p.late : shape === "camera" ? p.camera : shape === "case1" ? p.case1 : shape.startsWith("case") ? p.case : p.busy;
  g.fill();
  if (old) hatch(g, shape, p.line);
  path(g, shape);
  g.stroke();
  letter(g, shape, shape === "case1" ? "#ffffff" : shape === "late" ? p.dark : p.line);
  if (chosen) {
    g.strokeStyle = p.chosen;
    g.lineWidth = 5;
    g.strokeRect(3, 3, iconSize - 6, iconSize - 6);
  }
  return g.getImageData(0, 0, iconSize, iconSize);
}

function path(g: CanvasRenderingContext2D, shape: MarkShape): void {
  g.beginPath();
  const points = outlines[shape];
  if (!points) return g.arc(28, 28, shape === "point" ? 9 : 20, 0, 2 * Math.PI);
  for (const [x, y] of points) g.lineTo(x, y);
  g.closePath();
}

function hatch(g: CanvasRenderingContext2D, shape: MarkShape, color: string): void {
  g.save();
  path(g, shape);
  g.clip();
  g.beginPath();
  for (let x = -iconSize; x < iconSize; x += 11) {
    g.moveTo(x, iconSize);
    g.lineTo(x + iconSize, 0);
  }
  g.lineWidth = 3;
  g.strokeStyle = color;
  g.stroke();
  g.restore();
}

/** A case has its priority written on it, a patrol that was sent a mark for how far it is. */
function letter(g: CanvasRenderingContext2D, shape: MarkShape, color: string): void {
  const text = shape.startsWith("case") ? shape.slice(4) : { late: "!", assigned: "?", accepted: "✓" }[shape as string];
  if (!text) return;
  g.fillStyle = color;
  g.font = "bold 26px system-ui, sans-serif";
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillText(text, 28, 30);
}
