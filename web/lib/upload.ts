/** Files on their way to the gateway, over tus 1.0. A file was declared with its report, by its own
 * identifier, size and SHA-256; whatever breaks off goes on where it stopped, also in another tab and
 * after a restart: the gateway knows the upload by its declaration.
 *
 *   sha256(blob, progress?) -> hex          reads in slices; nothing large is held in memory
 *   send(blob, where, progress?) -> void    resolves once the gateway has the whole file and its hash
 *   fileId() -> string                      an identifier as the gateway makes them
 */
import { sha256 as digest } from "@noble/hashes/sha2.js";
export { fileId } from "./ids";
import { type DetailedError, Upload } from "tus-js-client";

const slice = 1 << 20;

/** The SHA-256 of a file, in hex. Progress is 0 to 1. */
export async function sha256(blob: Blob, progress: (part: number) => void = () => undefined): Promise<string> {
  const hash = digest.create();
  for (let at = 0; at < blob.size; at += slice) {
    hash.update(new Uint8Array(await blob.slice(at, at + slice).arrayBuffer()));
    progress(Math.min(1, (at + slice) / blob.size));
  }
  return [...hash.digest()].map((b) => b.toString(16).padStart(2, "0")).join("");
}

export interface Where {
  report: string;
  file: string;
  key?: string; // a citizen's; staff have their session
}

/** What the gateway said no to. Code is stable; an empty one means that nothing was heard. */
export class UploadRefused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Refusals that another attempt does not change. */
export const final: ReadonlySet<string> = new Set(["bad_file", "too_large", "not_as_declared", "wrong_hash", "too_late", "no_such_file", "no_such_case", "too_many", "not_signed_in", "forbidden"]);

const waits = [0, 1000, 3000, 5000, 10000, 20000];

function codeOf(err: Error | DetailedError): string {
  const body = "originalResponse" in err ? err.originalResponse?.getBody() : undefined;
  try {
    return (JSON.parse(body ?? "") as { error?: { code?: string } }).error?.code ?? "";
  } catch {
    return "";
  }
}

/** Sends one declared file. It gives up after a minute without progress; calling it again goes on. */
export function send(blob: Blob, where: Where, progress: (part: number) => void = () => undefined, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const up = new Upload(blob, {
      endpoint: "/api/v1/reports/uploads/",
      uploadUrl: `/api/v1/reports/uploads/${where.report}-${where.file}`, // known from the declaration: what is there already is not sent again
      chunkSize: 4 << 20, // a proxy that collects bodies must not hold back a whole video
      retryDelays: waits,
      storeFingerprintForResuming: false,
      metadata: { report: where.report, file: where.file },
      headers: where.key ? { "X-Report-Key": where.key } : {},
      onProgress: (sent, all) => progress(all > 0 ? sent / all : 0),
      onShouldRetry: (err) => !final.has(codeOf(err)),
      onError: (err) => reject(new UploadRefused(codeOf(err))),
      onSuccess: () => resolve(),
    });
    signal?.addEventListener("abort", () => void up.abort().then(() => reject(new UploadRefused(""))), { once: true });
    up.start();
  });
}
