/** The caller's side of a call: joins session, peer, devices and position, and keeps one View. */
import { type Lang, lang } from "../lib/i18n";
import { Peer } from "../lib/peer";
import { Refusal, Session } from "../lib/socket";
import type { CallCreated, CallKind, CallView, CallerSelf, Fix, Rung } from "../lib/wire.gen";
import { type Name, Outbox } from "./outbox";
import { Single } from "./single";
import type { Receipt } from "./sos";
import { Thin } from "./thin";
import { wordy } from "../lib/ladder";
import { countCameras, flipCamera, type Taken, takeCamera, takeMic } from "./devices";
import { Place } from "./place";
import { clientStorage, keepCall, keepOpen, keepPin, keptPin, read, tokenKey, write } from "./store";
import { empty, marked, posted, type View, withCall } from "./view";

const refKey = "jedel.ref";
const phoneKey = "jedel.phone";
/** The event of a page that is being left in a hurry. */
export const leaving = "jedel:leave";

const questionPatience = 4000;

/** Waits for an answer, but not for ever. */
function soon(answer: Promise<void>): Promise<void> {
  return Promise.race([answer, new Promise<void>((resolve) => setTimeout(resolve, questionPatience))]);
}

/** A UUID, also on a page that the browser does not call secure. */
function random(): string {
  const h = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
}

export class Caller {
  readonly session: Session;
  readonly peer: Peer;
  readonly place: Place;
  readonly outbox: Outbox;
  view: View = { ...empty, phone: read(phoneKey) ?? empty.phone };
  remoteAudio: MediaStream | null = null;
  /** Who speaks besides the operator, by slot. */
  readonly others: MediaStream[] = [];
  remoteVideo: MediaStream | null = null;
  preview: MediaStream | null = null;
  #mic: MediaStreamTrack | null = null;
  #camera: MediaStreamTrack | null = null;
  readonly #thin: Thin;
  readonly #single: Single;
  #endSoon = false; // hung up before the gateway had answered
  #configured = false;
  #cameraRests = false; // it was on when the network became too thin for it
  readonly #listeners = new Set<() => void>();

  constructor(language: Lang) {
    this.session = new Session({ role: "caller", lang: language, storage: clientStorage, agent: "jedel-caller", token: () => read(tokenKey) });
    this.peer = new Peer(this.session, "caller");
    this.#thin = new Thin({
      session: this.session, peer: this.peer, open: () => this.#open(), heard: () => !this.view.unheard, quality: () => this.view.quality,
      changed: (now, was) => void this.#moved(now, was),
    });
    this.#single = new Single({ session: this.session, datagram: (b) => this.peer.datagram(b), told: (r) => this.#told(r) });
    this.outbox = new Outbox({
      session: this.session, peer: this.peer, single: this.#single, view: () => this.view, set: (change) => this.set(change), beside: (text) => this.#beside(text), random,
      mic: async () => {
        if (!this.#mic) await this.micOn();
        return this.#mic;
      },
    });
    this.peer.onReceipt = (b) => void this.#single.take(b);
    this.place = new Place((fix) => this.#located(fix), (place) => this.set({ place }));
  }

  start(): void {
    this.session.onLink((link) => {
      this.set({ link });
      this.#single.listen(link !== "open" && this.#open());
    });
    this.session.onQuiet((unheard) => this.set({ unheard }));
    this.peer.onState((media) => this.set({ media }));
    this.peer.onLine((line) => this.set({ line }));
    this.peer.onTune((tune) => this.set({ tune }));
    this.peer.onQuiet((quiet) => this.set({ quiet }));
    this.session.on("welcome", (w) => {
      this.set({ self: w.caller ?? null, phone: w.centre.phone, centre: { lat: w.centre.lat, lon: w.centre.lon }, error: "" });
      write(phoneKey, w.centre.phone); // what to dial is known without a network too
      if (w.call) this.#resumed(w.call);
      else if (this.view.call && this.view.call.phase !== "ended") this.#over({ ...this.view.call, phase: "ended" });
    });
    this.session.on("call.state", (b) => this.#changed(b.view));
    this.session.on("chat.posted", (b) => {
      if (b.item.from !== "caller") this.#single.heard(b.item.chatSeq);
      this.set({ chat: posted(this.view.chat, b.item) });
    });
    this.session.on("camera.requested", () => this.set({ cameraAsked: this.view.camera !== "on" }));
    this.session.on("position.requested", () => this.unpin());
    this.session.on("quality.changed", (b) => this.set({ quality: b.quality }));
    this.session.on("call.recording", (b) => this.view.call && this.set({ call: { ...this.view.call, recording: b.recording } }));
    this.peer.onRemote((r) => {
      if (r.kind === "audio" && r.slot > 0) this.others[r.slot - 1] = new MediaStream([r.track]);
      else if (r.kind === "audio") this.remoteAudio = new MediaStream([r.track]);
      else this.remoteVideo = new MediaStream([r.track]);
      this.set({});
    });
    document.addEventListener("visibilitychange", () => void this.#tellDevices());
    for (const e of ["online", "offline"]) addEventListener(e, () => this.set({ offline: !navigator.onLine }));
    addEventListener(leaving, () => this.#vanish());
    this.#thin.start(); // it warms the peer where the line is wide enough
    this.session.start();
    this.session.on("welcome", () => this.#configure());
  }

  /** What the page shows beside the call: asked for when nothing waits for the line. */
  #configure(): void {
    if (this.#configured || wordy(this.view.rung)) return;
    this.#configured = true;
    void fetch("/api/v1/config").then(async (r) => {
      const c = (await r.json()) as { codesPrinted?: boolean; map?: { street?: boolean } };
      this.set({ demo: c.codesPrinted === true, street: c.map?.street === true });
    }, () => undefined);
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    for (const fn of this.#listeners) fn();
  }

  /** The tap. The call is asked for at once; devices and position are asked for meanwhile. */
  async tap(kind: CallKind): Promise<void> {
    if (this.view.calling || (this.view.call && this.view.call.phase !== "ended")) return;
    const ref = random();
    write(refKey, ref); // before it is sent: a tap whose answer is lost finds its call again
    this.set({ calling: true, tapped: kind, call: null, chat: [], error: "", cameraAsked: false, fix: this.view.pin, registered: "" });
    this.#endSoon = false;
    this.#attend(true);
    this.#single.begin(ref, kind, lang(), this.view.pin);
    const registered = this.#create(ref, kind);
    await this.#takeAll(kind);
    await registered;
  }

  /** From the tap to the end the link is felt each second. */
  #attend(on: boolean): void {
    this.peer.active = on;
    this.session.attentive = on;
  }

  #open(): boolean {
    return this.view.calling || (this.view.call !== null && this.view.call.phase !== "ended");
  }

  /** Asks for microphone, position and camera, one question at a time; one that stays unanswered
   * does not keep the next from being asked. */
  async #takeAll(kind: CallKind): Promise<void> {
    if (kind !== "silent") await soon(this.micOn());
    if (!this.view.pin) this.place.start(); // where comes before what it looks like
    if (kind === "video" && wordy(this.view.rung)) this.#cameraRests = true;
    else if (kind === "video") await soon(this.cameraOn());
  }

  async #create(ref: string, kind: CallKind): Promise<void> {
    const pin = this.view.pin;
    for (;;) {
      try {
        const made = (await this.session.request("call.create", { ref, kind, ...(pin ? { fix: pin } : {}) }, { timeoutMs: 20000, again: true })) as CallCreated;
        keepOpen(true);
        this.#single.done(0);
        this.set(withCall(this.view, made.view));
        this.outbox.sendWaiting();
        if (this.#endSoon) void this.end();
        const found = this.view.fix;
        if (found && found !== pin) void this.#located(found); // before there was a call to tell it to
        await this.#tellDevices();
        return;
      } catch (err) {
        const code = err instanceof Refusal ? err.code : "internal";
        if (code !== "unavailable" || !this.view.calling) {
          this.set({ calling: false, error: code });
          return;
        }
        this.set({ error: code }); // told, and tried again: the tap is not lost
      }
    }
  }

  /** A reload, a new tab after a crash, a restarted gateway: the same call, no new tap. */
  #resumed(call: CallView): void {
    const fresh = !this.view.call;
    keepOpen(true);
    this.#attend(true);
    const pin = fresh ? keptPin() : this.view.pin;
    this.#single.resume(read(refKey), call.kind, lang());
    this.#single.heard(Math.max(0, ...call.chat.filter((c) => c.from !== "caller").map((c) => c.chatSeq)));
    this.set(withCall({ ...this.view, pin, ...(fresh && pin ? { fix: pin, place: "pinned" as const } : {}) }, call));
    this.outbox.sendWaiting();
    if (!fresh) {
      void this.#tellDevices();
      return;
    }
    void this.#takeAll(call.kind);
  }

  #changed(call: CallView): void {
    if (this.view.call && this.view.call.call !== call.call && this.view.call.phase !== "ended") return;
    if (call.phase === "ended") this.#over(call);
    else this.set(withCall(this.view, call));
  }

  #over(call: CallView): void {
    this.set(withCall(this.view, call));
    const who = this.session.credentials();
    // Of a person who could not speak nothing stays on the phone: others may look at it.
    if (who && call.kind !== "silent") keepCall({ ...who, call: call.call, number: call.number, atMs: call.createdMs });
    keepOpen(false);
    write(refKey, null);
    this.#attend(false);
    this.#single.stop();
    this.outbox.spoken();
    keepPin(null);
    this.set({ pin: null });
    this.place.stop("none");
    void this.#drop("mic");
    void this.#drop("camera");
  }

  async #drop(which: "mic" | "camera"): Promise<void> {
    if (which === "mic") {
      this.#mic?.stop();
      this.#mic = null;
      await this.peer.setMic(null);
      this.set({ mic: "off" });
    } else {
      this.#camera?.stop();
      this.#camera = null;
      this.preview = null;
      await this.peer.setCamera(null);
      this.set({ camera: "off" });
    }
  }

  async micOn(): Promise<void> {
    this.set({ mic: "asking" });
    const got = this.#mic ? { state: "on" as const, track: this.#mic } : await takeMic();
    if (!this.#open()) {
      got.track?.stop(); // answered after the call was over
      return;
    }
    this.#mic = got.track;
    if (got.track) got.track.enabled = true;
    await this.peer.setMic(got.track);
    this.set({ mic: got.state });
    await this.#tellDevices();
  }

  async toggleMic(): Promise<void> {
    if (!this.#mic) return this.micOn();
    this.#mic.enabled = !this.#mic.enabled;
    this.set({ mic: this.#mic.enabled ? "on" : "off" });
    await this.#tellDevices();
  }

  async cameraOn(): Promise<void> {
    this.set({ camera: "asking", cameraAsked: false });
    const got = await takeCamera();
    if (!this.#open()) {
      got.track?.stop();
      return;
    }
    this.#camera?.stop();
    await this.#showCamera(got);
  }

  async #showCamera(got: Taken): Promise<void> {
    this.#camera = got.track;
    this.preview = got.track ? new MediaStream([got.track]) : null;
    await this.peer.setCamera(got.track);
    this.set({ camera: got.state, cameras: await countCameras() });
    await this.#tellDevices();
  }

  async toggleCamera(): Promise<void> {
    if (!this.#camera) return this.cameraOn();
    await this.#drop("camera");
    await this.#tellDevices();
  }

  async flip(): Promise<void> {
    if (this.#camera) await this.#showCamera(await flipCamera(this.#camera));
  }

  async #tellDevices(): Promise<void> {
    if (!this.view.call || this.view.call.phase === "ended") return;
    const background = document.visibilityState === "hidden";
    try {
      await this.session.request("media.status", { mic: this.view.mic, camera: this.view.camera, rung: this.view.rung, ...(background ? { background } : {}) });
    } catch {
      // Told again with the next change.
    }
  }

  async #located(fix: Fix): Promise<void> {
    this.set({ fix });
    const call = this.view.call;
    const by = this.#beside("");
    if (by) this.#single.say(by.n, "", fix);
    if (!call || call.phase === "ended") return;
    try {
      await this.peer.request("position.report", { call: call.call, id: by?.id ?? random(), fix }, { again: true, timeoutMs: 30000 });
      if (by) this.#single.done(by.n);
    } catch {
      // The next fix replaces it.
    }
  }

  /** The person shows the place on the map: it counts, and the phone's own is no longer sent
   * until it is asked for again. Before a call it goes out with the tap. */
  async pin(lat: number, lon: number): Promise<void> {
    const pin = Place.pin(lat, lon);
    keepPin(pin);
    this.place.stop("pinned");
    this.set({ pin });
    if (this.view.call) await this.#located(pin);
  }

  /** The phone's position instead of a placed one; before the call, none. */
  unpin(): void {
    keepPin(null);
    this.set({ pin: null });
    if (this.view.call) this.place.again();
    else this.set({ place: "none" });
  }

  /** A place in the caller's own words: beside the phone's position where there is one, else in
   * writing, so that nobody takes a place without coordinates for a point on the map. */
  say(text: string): Promise<void> {
    const last = this.view.fix;
    if (!last) return this.outbox.write(text);
    return this.#located({ lat: last.lat, lon: last.lon, accuracyM: last.accuracyM, source: "text", text, clientMs: Date.now(), serverMs: 0 });
  }

  /** The name of a message that goes out as a single datagram too: there is no socket, or a slow one. */
  #beside(text: string): Name | null {
    return this.#open() && (this.session.link !== "open" || this.session.thin) ? this.#single.name(text) : null;
  }

  /** A receipt: the call stands, whatever becomes of this network. */
  #told(r: Receipt): void {
    if (r.text) this.set({ chat: posted(this.view.chat, { id: `line-${r.line}`, chatSeq: r.line, from: "operator", text: r.text, atMs: Date.now() }) });
    if (r.status !== "registered") return;
    if (!this.view.call && this.view.calling) this.set({ registered: r.number, error: "" });
    const line = this.view.chat.find((l) => l.id.startsWith("sos-") && l.id.endsWith(`-${r.n}`));
    if (line && r.n > 0) this.set({ chat: marked(this.view.chat, line.id, "sent") });
  }

  /** The network carries less, or more again: the same call. */
  async #moved(now: Rung, was: Rung): Promise<void> {
    this.set({ rung: now, ...(wordy(now) ? { quality: null } : {}) });
    if (wordy(now) && !wordy(was) && this.#camera) {
      this.#cameraRests = true;
      await this.#drop("camera");
    }
    if ((now === "video" || now === "thin") && this.#cameraRests && this.#open()) {
      this.#cameraRests = false;
      void this.cameraOn();
    }
    this.#configure();
    await this.#tellDevices();
  }

  async contact(name: string, phone: string): Promise<void> {
    const call = this.view.call;
    if (call) await this.session.request("contact.set", { call: call.call, contact: { name, phone } }, { again: true });
  }

  async end(): Promise<void> {
    const call = this.view.call;
    this.#endSoon = !call && this.view.calling;
    if (!call) return;
    try {
      await this.session.request("call.end", { call: call.call }, { again: true, timeoutMs: 30000 });
    } catch {
      // The gateway ends it when we are gone for good.
    }
    this.#over({ ...(this.view.call ?? call), phase: "ended" });
  }

  home(): void {
    this.set({ call: null, chat: [], quality: null, error: "" });
  }

  /** Quick exit: nothing of this page is heard, seen or lit while the next one is still loading. The
   * gateway keeps the call as after any lost page. */
  #vanish(): void {
    this.#mic?.stop();
    this.#camera?.stop();
    this.place.stop("none");
    this.peer.close();
    this.session.close();
  }

  /** Keeps or forgets a registration; the session says hello again as that person. */
  signed(token: string | null, self: CallerSelf | null): void {
    write(tokenKey, token);
    this.set({ self });
    this.session.renew({});
  }
}
