/** The work of one patrol on this phone: its state as the gateway tells it, what it says and sends, where
 * it is, and the call it joins. It lives until the patrol signs out. */
import { clean } from "../caller/report/draft";
import { Ringer } from "../console/sounds";
import { fileId } from "../lib/upload";
import { Session } from "../lib/socket";
import type { Fix, StaffSelf, Text } from "../lib/wire.gen";
import { Live } from "./live";
import { Help } from "./help";
import { Line } from "./line";
import { Own } from "./own";
import { ask, type Choices, choices, patrol, type PatrolView, Refused, setDuty } from "./rest";
import { Shelf } from "./shelf";
import { Shots } from "./shots";
import { ahead, type Said, type Step, type Word } from "./words";

/** How often the gateway is asked, in milliseconds: where news come by the socket, and where they do not. */
const withNews = 10000;
const without = 3000;
/** After this long without an answer the page says how old what it shows is. */
export const oldMs = 8000;

export interface Trouble {
  code: string;
  words: Text | undefined;
}

export class Work {
  readonly staff: StaffSelf;
  readonly line: Line;
  readonly shots: Shots;
  readonly own: Own;
  readonly help: Help;
  readonly live: Live;
  readonly bell = new Ringer();
  view: PatrolView | undefined;
  heardAt = 0; // when the gateway last told how things stand
  choices: Choices = { kinds: [], outcomes: [] };
  trouble: Trouble | undefined;
  signedOut = false;
  replaced = false; // another page of this patrol has taken over
  busy = false; // duty is being asked for
  readonly #session: Session;
  readonly #scope = new AbortController();
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #soon = false;
  #rung = ""; // the task that was rung for

  constructor(staff: StaffSelf, language: string) {
    this.staff = staff;
    const shelf = new Shelf();
    const changed = () => this.#tell();
    this.line = new Line(shelf, (view) => (view ? this.#take(view) : this.#tell()));
    this.shots = new Shots(shelf, changed);
    this.own = new Own((fix) => this.#tellFix(fix), changed);
    this.help = new Help(staff.staff, () => this.own.fix, changed);
    this.#session = new Session({ role: "console", lang: language, storage: sessionStorage, agent: "jedel-patrol" });
    this.live = new Live(this.#session, changed);
  }

  start(): void {
    const on = { signal: this.#scope.signal };
    const back = () => {
      this.line.wake();
      this.shots.wake();
      this.help.wake();
      void this.refresh();
    };
    addEventListener("online", back, on);
    document.addEventListener("visibilitychange", () => document.hidden || back(), on);
    this.#session.on("case.news", () => void this.refresh());
    this.#session.on("alarm.answered", (b) => this.help.heard(b.alarm));
    this.#session.on("session.replaced", () => {
      this.replaced = true;
      this.close();
      this.#tell();
    });
    this.#session.onLink((link) => {
      if (link === "open") back();
      this.#tell();
    });
    this.#session.start();
    this.help.wake();
    void this.line.start(this.staff.staff);
    void this.shots.start(this.staff.staff);
    choices().then((c) => ((this.choices = c), this.#tell()), () => undefined);
    void this.refresh();
  }

  close(): void {
    this.#scope.abort();
    clearTimeout(this.#timer);
    this.own.stop();
    this.line.close();
    this.shots.close();
    this.help.close();
    this.live.close();
    this.#session.close();
    void this.bell.close();
  }

  subscribe(f: () => void): () => void {
    this.#listeners.add(f);
    return () => this.#listeners.delete(f);
  }

  #tell(): void {
    for (const f of this.#listeners) f();
  }

  /** The task, with what waits to be told counted in. */
  get step(): Step | "over" {
    const task = this.view?.task;
    return task ? ahead(this.view?.state ?? "", this.line.mine(), task.case) : "over";
  }

  get onDuty(): boolean {
    return this.view !== undefined && this.view.state !== "off";
  }

  /** Asks how things stand, now; a second wish meanwhile is one more question afterwards. */
  async refresh(): Promise<void> {
    if (this.#scope.signal.aborted) return;
    if (this.#asking) {
      this.#soon = true;
      return;
    }
    this.#asking = true;
    clearTimeout(this.#timer);
    try {
      this.#take(await patrol());
    } catch (err) {
      this.signedOut = err instanceof Refused && err.status === 401;
      this.#tell();
    }
    this.#asking = false;
    if (this.#scope.signal.aborted) return;
    if (this.#soon) {
      this.#soon = false;
      void this.refresh();
      return;
    }
    this.#timer = setTimeout(() => void this.refresh(), this.#session.link === "open" ? withNews : without);
  }

  #take(view: PatrolView): void {
    if (this.#scope.signal.aborted) return;
    const first = this.view === undefined;
    this.view = view;
    if (view.alarm) this.help.heard(view.alarm);
    this.heardAt = Date.now();
    this.signedOut = false;
    if (this.onDuty) this.own.start();
    else this.own.stop();
    this.#ring(first);
    this.#tell();
  }

  /** A new task rings until it is answered; what waits to be told answers it too. */
  #ring(first: boolean): void {
    const task = this.view?.task;
    if (!task || this.step !== "assigned") {
      this.bell.ring(undefined);
      navigator.vibrate?.(0);
      if (!task) this.#rung = "";
      return;
    }
    this.bell.ring("alarm");
    if (this.#rung === task.case) return;
    this.#rung = task.case;
    if (!first || this.bell.audible) navigator.vibrate?.([400, 150, 400, 150, 800]);
    if (document.hidden) void this.#notice(task.number);
  }

  /** A page in the background has no voice on many phones: the system tells it. */
  async #notice(number: string): Promise<void> {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const there = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
    await there?.showNotification(number, { tag: "task", requireInteraction: true, data: { url: "/patrol" } }).catch(() => undefined);
  }

  /** On duty or off. The tap of it opens the sound and asks for what duty needs. */
  async duty(on: boolean): Promise<void> {
    if (on) {
      void this.bell.unlock().then(() => this.bell.play("transfer"));
      if ("Notification" in window && Notification.permission === "default") void Notification.requestPermission();
    }
    this.busy = true;
    this.trouble = undefined;
    this.#tell();
    try {
      this.#take(await setDuty(on));
    } catch (err) {
      this.#failed(err);
    }
    this.busy = false;
    this.#tell();
  }

  #failed(err: unknown): void {
    const e = err instanceof Refused ? err : new Refused("internal", 0);
    this.trouble = { code: e.code || "unreachable", words: e.words };
    if (e.status === 401) this.signedOut = true;
  }

  #said(): Pick<Said, "id" | "who" | "case" | "number" | "atMs"> | undefined {
    const task = this.view?.task;
    return task ? { id: fileId(), who: this.staff.staff, case: task.case, number: task.number, atMs: Date.now() } : undefined;
  }

  /** Says a word on the task; why goes onto the card before it. */
  async say(word: Word, why = ""): Promise<void> {
    void this.bell.unlock();
    if (why) await this.note(why);
    const s = this.#said();
    if (s) await this.line.say({ ...s, what: "word", word });
    this.#ring(false);
  }

  async note(text: string): Promise<void> {
    const plain = clean(text);
    const s = this.#said();
    if (s && plain) await this.line.say({ ...s, what: "note", text: plain });
  }

  /** Ends the case with an outcome and the reply for its citizen. */
  async finish(outcome: string, reply: string): Promise<void> {
    const s = this.#said();
    if (s) await this.line.say({ ...s, what: "close", outcome, text: clean(reply) });
    void this.refresh();
  }

  /** Takes the end of the case back, while that is possible. */
  async undo(): Promise<void> {
    const task = this.view?.task;
    if (!task) return;
    try {
      await ask("POST", `/cases/${encodeURIComponent(task.case)}/acts`, { act: "unclose" });
    } catch (err) {
      this.#failed(err);
    }
    void this.refresh();
  }

  /** Takes photos and videos into the case of the task. */
  async add(files: Iterable<File>): Promise<void> {
    const task = this.view?.task;
    if (!task) return;
    for (const f of files) await this.shots.add(f, fileId(), task, this.own.fix);
  }

  async #tellFix(fix: Fix): Promise<boolean> {
    try {
      await ask("PUT", "/patrol/fix", fix);
      return true;
    } catch (err) {
      // Off duty meanwhile: the state says so in a moment. A jump that nobody drives is not taken; the next is.
      if (err instanceof Refused && err.code === "not_ready") void this.refresh();
      return false;
    }
  }

  get linked(): boolean {
    return this.#session.link === "open";
  }
}
