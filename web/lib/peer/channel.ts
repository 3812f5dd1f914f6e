/** Requests over the data channel of the present connection, with the socket behind it. */
import type { Session } from "../socket";
import { Refusal } from "../socket";
import type { Bodies, MediaTune } from "../wire.gen";

type Answer = { type: string; body: unknown };

const patience = 2000; // for an answer by the channel
const room = 65536; // bytes that may wait in it

export class Channel {
  readonly #session: Pick<Session, "request">;
  readonly #answers = new Map<number, (a: Answer) => void>();
  readonly #tune: (t: MediaTune) => void;
  readonly #receipt: (b: Uint8Array<ArrayBuffer>) => void;
  #seq = 0;

  constructor(session: Pick<Session, "request">, tune: (t: MediaTune) => void, receipt: (b: Uint8Array<ArrayBuffer>) => void) {
    this.#receipt = receipt;
    this.#session = session;
    this.#tune = tune;
  }

  /** Sends a request over dc, or over the socket where that is shut or silent. */
  async request<T extends keyof Bodies>(dc: RTCDataChannel | undefined, type: T, body: Bodies[T], options: { timeoutMs?: number; again?: boolean }): Promise<unknown> {
    if (dc?.readyState === "open" && dc.bufferedAmount < room) {
      const answer = await this.#ask(dc, type, body);
      if (answer?.type === "error") {
        const e = answer.body as Bodies["error"];
        throw new Refusal(e.code, e.words);
      }
      if (answer) return answer.body;
    }
    return this.#session.request(type, body, options);
  }

  #ask(dc: RTCDataChannel, type: string, body: unknown): Promise<Answer | null> {
    const seq = ++this.#seq;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#answers.delete(seq);
        resolve(null);
      }, patience);
      this.#answers.set(seq, (a) => {
        clearTimeout(timer);
        resolve(a);
      });
      dc.send(JSON.stringify({ type, seq, body }));
    });
  }

  /** Takes what came by a data channel. */
  take(data: string): void {
    const m = JSON.parse(data) as { type: string; re?: number; body: unknown };
    if (m.type === "media.tune") return this.#tune(m.body as MediaTune);
    if (m.type === "sos.receipt") return this.#receipt(Uint8Array.from(atob((m as unknown as { receipt: string }).receipt), (c) => c.charCodeAt(0)));
    const answer = m.re ? this.#answers.get(m.re) : undefined;
    if (!m.re || !answer) return;
    this.#answers.delete(m.re);
    answer(m);
  }
}
