import { render } from "preact";
import { useState } from "preact/hooks";
import { loadLocale, setLang } from "../lib/i18n";
import type { Line } from "../lib/peer";
import type { Bodies, MediaTune, Welcome } from "../lib/wire.gen";
import { fakeCases } from "./cases/scene";
import "./console.css";
import { ConsoleContext, type Lang, type Theme, useDesk } from "./context";
import { Desk } from "./desk";
import { Drafts } from "./drafts";
import { card, caller, fix, item, moment, offer, welcome } from "./fixtures";
import { defaults } from "./keys";
import type { Link, PeerPort, SessionPort } from "./ports";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";
import { thinScenes } from "./thinScenes";
import type { Event } from "./view";

/**
 * Every state of the console from fixtures, for eyes and for axe: gallery.html?state=call&lang=kk
 * &theme=dark. It is served by the development server only and is no part of the built pages.
 */
interface Scene {
  welcome: Welcome;
  events?: Event[];
  link?: Link;
  onDuty?: boolean;
  mic?: boolean;
  hash?: string;
  line?: Line;
  tune?: MediaTune;
  level?: number;
}
type SceneOf = Scene;

const photo = { file: "f1", mime: "image/jpeg", name: "esik.jpg", bytes: 3_140_000, width: 4032, height: 3024, sha256: "0".repeat(64) };
const talking = card();
const withPhoto = card({ chat: [...talking.chat, item("m4", 4, { text: "", file: photo })] });

const scenes: Record<string, Scene> = {
  duty: { welcome: welcome({ me: { state: "off" } }), onDuty: false },
  nomic: { welcome: welcome({ me: { state: "off" } }), onDuty: false, mic: false },
  idle: { welcome: welcome() },
  empty: { welcome: emptied(welcome()) },
  offer: { welcome: welcome({ offer: offer({ expiresMs: moment + 3_600_000 }) }) },
  silent: { welcome: welcome({ offer: offer({ kind: "silent", expiresMs: moment + 3_600_000, fix: undefined, caller: caller({ proof: "none", name: "", phone: "+77770001122" }) }) }) },
  taken: { welcome: welcome({ offer: offer() }), events: [{ type: "offer.withdrawn", body: { call: offer().call, epoch: 1, why: "taken", by: "Ерлан Тілеуов" } }] },
  missed: { welcome: welcome({ me: { state: "not_responding" }, offer: offer() }), events: [{ type: "offer.withdrawn", body: { call: offer().call, epoch: 1, why: "expired" } }] },
  call: { welcome: welcome({ me: { state: "talking" }, card: withPhoto }) },
  far: { welcome: welcome({ me: { state: "talking" }, card: card() }), line: "far" },
  own: { welcome: welcome({ me: { state: "talking" }, card: card() }), line: "own" },
  quiet: { welcome: welcome({ me: { state: "talking" }, card: card() }), line: "flows", level: 0 },
  voiceonly: {
    welcome: welcome({ me: { state: "talking" }, card: card({ quality: { ...talking.quality, word: "poor", lossUp: 0.22, way: "relay" } }) }), line: "flows",
    tune: { pc: "p", rev: 2, red: true, jitterMs: 200, video: "off", videoKbps: 0, leastKbps: 0, shown: "off", why: "loss" },
  },
  hold: { welcome: welcome({ me: { state: "talking", after: "pause" }, card: card({ phase: "hold", transfer: "Дана Ысқақова" }) }) },
  silentcall: {
    welcome: welcome({
      me: { state: "talking" },
      card: card({ kind: "silent", media: { ...talking.media, mic: "denied", camera: "off", background: true }, track: [], caller: caller({ proof: "none", name: "", earlier: 0, iin: undefined, medical: undefined }) }),
    }),
  },
  dropped: {
    welcome: welcome({
      me: { state: "talking" },
      card: card({
        phase: "reconnecting", media: { ...talking.media, link: false, connected: false }, recording: { state: "stopped", lagMs: 9000 },
        quality: { ...talking.quality, word: "lost" }, track: [fix({ serverMs: moment - 95_000 }), fix({ source: "pin", text: "Абай көшесі 24, 3-кіреберіс", serverMs: moment - 80_000 })],
      }),
    }),
  },
  lost: { welcome: welcome({ me: { state: "talking" }, card: card({ recording: { state: "degraded", lagMs: 4200 } }) }), link: "lost" },
  wrapup: { welcome: welcome({ me: { state: "wrapup", after: "pause" }, card: card({ phase: "wrapup", endReason: "caller", sinceMs: moment - 14_000, wrapUntilMs: moment + 46_000 }) }) },
  ...thinScenes, cases: { welcome: welcome(), hash: "#cases" },
  case: { welcome: welcome({ me: { state: "talking" }, card: withPhoto }), hash: "#cases?case=c2" },
  supervisor: { welcome: welcome({ roles: ["supervisor"] }) },
  replaced: { welcome: welcome(), events: [{ type: "session.replaced", body: {} }] },
};

function emptied(w: Welcome): Welcome {
  const state = w.console?.state;
  if (state) Object.assign(state, { waiting: [], callBacks: [], target: { ...state.target, answeredToday: 0, missedToday: 0 } });
  return w;
}

/** A gateway that says the scene's words and agrees to everything. */
class SceneSession implements SessionPort {
  link: Link;
  readonly #scene: Scene;
  readonly #heard = new Map<string, (body: never) => void>();

  constructor(scene: Scene) {
    this.#scene = scene;
    this.link = scene.link ?? "open";
  }

  start(): void {
    this.#heard.get("welcome")?.(this.#scene.welcome as never);
  }

  close(): void {}

  on<T extends keyof Bodies>(type: T, fn: (body: Bodies[T]) => void): () => void {
    this.#heard.set(type, fn as (body: never) => void);
    return () => this.#heard.delete(type);
  }

  onLink(fn: (link: Link) => void): () => void {
    fn(this.link);
    return () => undefined;
  }

  async request(type: string): Promise<unknown> {
    return type === "note.save" ? { rev: 9 } : type === "chat.send" ? { chatSeq: 9, atMs: moment } : {};
  }
}

class ScenePeer implements PeerPort {
  async warm(): Promise<void> {}
  setMic(): void {}
  setCamera(): void {}
  close(): void {}
  constructor(readonly scene: SceneOf) {}

  onLine(fn: Parameters<PeerPort["onLine"]>[0]): () => void {
    if (this.scene.line) queueMicrotask(() => fn(this.scene.line ?? "none"));
    return () => undefined;
  }

  onTune(fn: Parameters<PeerPort["onTune"]>[0]): () => void {
    if (this.scene.tune) queueMicrotask(() => fn(this.scene.tune ?? null));
    return () => undefined;
  }

  async level(): Promise<number | undefined> {
    return this.scene.level ?? 0.3;
  }

  onRemote(fn: Parameters<PeerPort["onRemote"]>[0]): () => void {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const g = canvas.getContext("2d");
    const timer = setInterval(() => {
      if (!g) return;
      g.fillStyle = "#395064";
      g.fillRect(0, 0, 640, 480);
      g.fillStyle = "#c9a86a";
      g.fillRect(220, 60, 200, 420);
      g.fillStyle = "#20140a";
      g.fillRect(390, 260, 14, 14);
    }, 100);
    const stream = canvas.captureStream(10);
    const track = stream.getVideoTracks()[0];
    if (track) queueMicrotask(() => fn({ kind: "video", slot: 0, track, stream }));
    return () => clearInterval(timer);
  }
}

function Scene({ desk, lang, theme }: { desk: Desk; lang: Lang; theme: Theme }) {
  const { view, seat } = useDesk(desk);
  const [keys, setKeys] = useState(defaults);
  const none = () => undefined;
  const value = {
    desk, view, seat, lang, theme, drafts, keys, setKeys, setLang: none, themeWish: theme, setTheme: none, street: null, noStreet: none, signOut: none,
  };
  return <ConsoleContext.Provider value={value}><Shell /></ConsoleContext.Provider>;
}

const query = new URLSearchParams(location.search);
const lang = (query.get("lang") ?? "kk") as Lang;
const theme = (query.get("theme") ?? "dark") as Theme;
const name = query.get("state") ?? "idle";
const drafts = new Drafts(sessionStorage);
document.documentElement.dataset.theme = theme;
document.documentElement.lang = lang;

const root = document.getElementById("app");
setLang(lang);
await loadLocale("console", lang);
const scene = scenes[name];
if (root && name === "signin") render(<SignIn lang={lang} onIn={() => undefined} />, root);
else if (root && scene) {
  fakeCases();
  if (scene.hash) history.replaceState(null, "", scene.hash);
  const began = Date.now();
  const devices = {
    getUserMedia: async () => {
      if (scene.mic === false) throw new DOMException("", "NotAllowedError");
      const out = new AudioContext().createMediaStreamDestination();
      return out.stream;
    },
  };
  sessionStorage.clear();
  if (scene.onDuty !== false) sessionStorage.setItem("jedel.console.duty", '{"state":"ready"}');
  const desk = new Desk({ session: new SceneSession(scene), makePeer: () => new ScenePeer(scene), devices, tab: sessionStorage, now: () => moment + Date.now() - began });
  render(<Scene desk={desk} lang={lang} theme={theme} />, root);
  desk.start();
  for (const e of scene.events ?? []) desk.dispatch(e);
  Object.assign(window, { desk });
}
