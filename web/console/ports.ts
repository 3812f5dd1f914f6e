import type { Line } from "../lib/peer";
import type { Bodies, MediaTune } from "../lib/wire.gen";

/** Where the socket stands. */
export type Link = "connecting" | "open" | "lost" | "closed";

/** What the console needs of lib/socket's Session. */
export interface SessionPort {
  readonly link: Link;
  start(): void;
  close(): void;
  on<T extends keyof Bodies>(type: T, fn: (body: Bodies[T]) => void): () => void;
  onLink(fn: (link: Link) => void): () => void;
  request<T extends keyof Bodies>(type: T, body: Bodies[T], options?: { timeoutMs?: number; again?: boolean }): Promise<unknown>;
}

/** A track that came from the gateway. slot counts the receiving m-lines of its kind from 0. */
export interface Remote {
  kind: string;
  slot: number;
  track: MediaStreamTrack;
  stream: MediaStream;
}

/** What the console needs of lib/peer's Peer. */
export interface PeerPort {
  warm(): Promise<void>;
  setMic(track: MediaStreamTrack | null): Promise<void> | void;
  setCamera(track: MediaStreamTrack | null): Promise<void> | void;
  onRemote(fn: (r: Remote) => void): () => void;
  onLine(fn: (line: Line) => void): () => void;
  onTune(fn: (t: MediaTune | null) => void): () => void;
  level(slot: number): Promise<number | undefined>;
  close(): void;
}

/** The world of a desk, so that tests and the gallery can give another one. */
export interface World {
  session: SessionPort;
  makePeer(): PeerPort;
  devices: Pick<MediaDevices, "getUserMedia">;
  tab: Storage; // this tab's: the duty it was on
  now(): number;
}
