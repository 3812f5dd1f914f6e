import type * as GeoJSON from "geojson";
import { layers as protomaps, namedFlavor } from "@protomaps/basemaps";
import {
  addProtocol, AttributionControl, type GeoJSONSource, type LayerSpecification, Map as MapLibre, NavigationControl, ScaleControl, setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { Protocol } from "pmtiles";
import "maplibre-gl/dist/maplibre-gl.css";
import type { BaseMap, MapLang } from "./base";
import { circle, drawable, type LatLon, type MapFix, zoomFor } from "./geo";
import { drawIcon, type MapLine, type MapMark, markFeatures, markLayerNames } from "./marks";
import { type MapTheme, mapStyle } from "./style";

/** A named mark, such as a waiting call. */
export interface MapPoint extends MapFix {
  id: string;
  label: string;
  color?: string;
  /** The lower, the more its name matters where two do not fit. */
  order: number;
}

/** Everything drawn over the base map; given whole each time. */
export interface MapContent {
  /** Positions of one caller, oldest first. The last is the present one unless `current` says otherwise. */
  track: MapFix[];
  current?: MapFix;
  /** The present position is too old to be trusted. */
  stale: boolean;
  points: MapPoint[];
  /** Patrols, cases and cameras, and lines between places. */
  marks?: MapMark[];
  lines?: MapLine[];
}

/** How the map looks. */
export interface MapLook {
  theme: MapTheme;
  lang: MapLang;
  /** The site has street tiles at /map/street.pmtiles. */
  street: boolean;
  /** Whose streets they are. */
  streetCredit?: string;
}

/** Names of the map's own buttons and of the map itself, for those who hear them. */
export interface MapNames {
  name: string;
  zoomIn: string;
  zoomOut: string;
  credit: string;
}

export interface MapOptions extends MapLook {
  names: MapNames;
  base: BaseMap;
  centre: { lat: number; lon: number };
  onPick?: (id: string) => void;
  /** The person moved the map: it no longer follows the caller. */
  onMoved?: () => void;
  /** A place on the map was tapped. */
  onTap?: (at: { lat: number; lon: number }) => void;
  zoom?: number;
  /** A map to choose a place with: told where its centre is, and a tap moves the centre there. */
  onCentre?: (at: { lat: number; lon: number }) => void;
  /** Drawn for the first time. */
  onDrawn?: () => void;
  /** The street tiles cannot be read; the embedded map is shown instead. */
  onNoStreet?: () => void;
}

/** How near a position is shown where there is no street map: a town and what lies around it. */
const settlementZoom = 8;

/**
 * One MapLibre map in a host element. It owns the WebGL context and its worker until close.
 * The constructor throws where there is no WebGL; the caller then shows the list alone.
 */
export class LiveMap {
  readonly #map: MapLibre;
  readonly #base: BaseMap;
  #look: MapLook;
  #content: MapContent = { track: [], stale: false, points: [] };
  #ready = false;
  #noStreet = false; // the street tiles cannot be read: the embedded map stays

  constructor(host: HTMLElement, o: MapOptions) {
    setWorkerUrl(new URL(workerUrl, location.href).href);
    if (o.street) addProtocol("pmtiles", new Protocol().tile);
    this.#base = o.base;
    this.#look = o;
    this.#map = new MapLibre({
      container: host,
      style: this.#style(),
      center: [o.centre.lon, o.centre.lat],
      zoom: o.zoom ?? 8,
      maxZoom: 18,
      attributionControl: false,
      locale: {
        "Map.Title": o.names.name,
        "NavigationControl.ZoomIn": o.names.zoomIn,
        "NavigationControl.ZoomOut": o.names.zoomOut,
        "AttributionControl.ToggleAttribution": o.names.credit,
      },
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.#map.addControl(new ScaleControl({ maxWidth: 120, unit: "metric" }), "bottom-left");
    this.#map.addControl(new AttributionControl({ compact: true }), "bottom-right");
    this.#map.on("style.load", () => {
      this.#ready = true;
      this.#draw();
    });
    this.#map.setMissingStyleImageResolver((id) => {
      const icon = drawIcon(id, this.#look.theme);
      if (icon && !this.#map.hasImage(id)) this.#map.addImage(id, icon, { pixelRatio: 2 });
    });
    let streetRead = false; // a tile that fails later is a hole, not a missing map
    this.#map.on("sourcedata", (e) => {
      if (e.sourceId === "street" && e.sourceDataType === "metadata") streetRead = true;
    });
    this.#map.on("error", (e) => {
      if ((e as { sourceId?: string }).sourceId !== "street" || this.#noStreet || streetRead) return;
      this.#noStreet = true;
      this.#ready = false;
      this.#map.setStyle(this.#style(), { diff: false });
      o.onNoStreet?.();
    });
    this.#map.on("dragstart", () => o.onMoved?.());
    this.#map.once("idle", () => o.onDrawn?.());
    const told = o.onCentre;
    if (told) {
      this.#map.on("move", () => told(this.centre()));
      this.#map.on("click", (e) => this.#map.jumpTo({ center: e.lngLat }));
    }
    this.#map.on("click", (e) => o.onTap?.({ lat: e.lngLat.lat, lon: e.lngLat.lng }));
    for (const layer of ["points", ...markLayerNames]) {
      this.#map.on("click", layer, (e) => {
        const id = e.features?.[0]?.properties?.id;
        if (typeof id === "string") o.onPick?.(id);
      });
    }
  }

  /** Shows other content. Cheap: the sources are replaced, the map is not. */
  show(content: MapContent): void {
    this.#content = content;
    if (this.#ready) this.#draw();
  }

  /** Changes theme, language or tiles. */
  look(look: MapLook): void {
    if (look.theme === this.#look.theme && look.lang === this.#look.lang && look.street === this.#look.street) return;
    this.#look = look;
    this.#ready = false;
    this.#map.setStyle(this.#style(), { diff: false });
  }

  /** Moves to a position, close enough to see its accuracy circle. */
  goTo(fix: MapFix, keepZoom = false): void {
    if (!drawable(fix)) return;
    const near = zoomFor(fix.accuracyM, fix.lat);
    // The base map ends at settlements: nearer there would be nothing to see.
    const zoom = keepZoom ? this.#map.getZoom() : this.#look.street && !this.#noStreet ? near : Math.min(near, settlementZoom);
    this.#map.jumpTo({ center: [fix.lon, fix.lat], zoom });
  }

  /** Shows all of these at once; one alone as near as a street. */
  frame(places: LatLon[]): void {
    const seen = places.filter(drawable);
    if (seen.length === 0) return;
    const [lats, lons] = [seen.map((p) => p.lat), seen.map((p) => p.lon)];
    const box: [number, number, number, number] = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
    const { clientWidth, clientHeight } = this.#map.getContainer();
    this.#map.fitBounds(box, { padding: Math.min(100, clientWidth / 4, clientHeight / 4), maxZoom: 14, animate: false });
  }

  /** The point under the middle of the map. */
  centre(): { lat: number; lon: number } {
    const { lat, lng } = this.#map.getCenter().wrap();
    return { lat, lon: lng };
  }

  /** Puts the keyboard on the map: arrows move it, plus and minus bring it closer. */
  focus(): void {
    this.#map.getCanvas().focus({ preventScroll: true });
  }

  close(): void {
    this.#map.remove();
  }

  #style() {
    const street = this.#look.street && !this.#noStreet ? { layers: streetLayers(this.#look), credit: this.#look.streetCredit ?? "" } : null;
    return mapStyle(this.#base, this.#look.theme, this.#look.lang, street);
  }

  #draw(): void {
    const { track, points, stale } = this.#content;
    const line = track.filter(drawable);
    const here = this.#content.current ?? line.at(-1);
    const features: GeoJSON.Feature[] = line.slice(0, -1).map((f) => dot(f, { size: "small" }));
    for (const p of points.filter(drawable)) features.push(dot(p, { id: p.id, label: p.label, order: p.order, ...(p.color ? { color: p.color } : {}) }));
    if (drawable(here)) features.push(dot(here, { stale }));
    this.#set("points", features);
    const over = markFeatures(this.#content.marks ?? [], this.#content.lines ?? []);
    for (const source of ["marks", "reach", "ways"] as const) this.#set(source, over[source]);
    this.#set("track", line.length > 1 ? [shape({ type: "LineString", coordinates: line.map((f) => [f.lon, f.lat]) }, {})] : []);
    this.#set("circle", drawable(here) && here.accuracyM > 0 ? [shape({ type: "Polygon", coordinates: [circle(here, here.accuracyM)] }, { stale })] : []);
  }

  #set(source: string, features: GeoJSON.Feature[]): void {
    this.#map.getSource<GeoJSONSource>(source)?.setData({ type: "FeatureCollection", features });
  }
}

function dot(f: MapFix, properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature {
  return shape({ type: "Point", coordinates: [f.lon, f.lat] }, properties);
}

function shape(geometry: GeoJSON.Geometry, properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature {
  return { type: "Feature", geometry, properties };
}

/** Protomaps' layers without their icons: those would need a sprite, and names say the same. */
function streetLayers(look: MapLook): LayerSpecification[] {
  return protomaps("street", namedFlavor(look.theme), { lang: look.lang })
    .filter((l) => l.type !== "background")
    .map((l) => {
      l = { ...l, id: `street-${l.id}` }; // the base map has layers of the same names
      if (l.type !== "symbol" || !l.layout) return l;
      const layout = Object.entries(l.layout).filter(([k]) => !k.startsWith("icon-"));
      return { ...l, layout: Object.fromEntries(layout) } as LayerSpecification;
    })
    .filter((l) => l.type !== "symbol" || (l.layout && "text-field" in l.layout));
}
