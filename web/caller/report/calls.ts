/** What became of calls of this phone. */
import { useEffect, useState } from "preact/hooks";
import type { KeptCall } from "../store";
import type { Reply } from "./Told";

export interface Progress {
  call: string;
  number: string;
  atMs: number;
  status: string;
  replies: Reply[];
}

/** Asks the gateway; undefined where it says nothing, or nothing yet. */
async function progress(c: Pick<KeptCall, "call" | "client" | "key">): Promise<Progress | undefined> {
  const res = await fetch(`/api/v1/calls/${encodeURIComponent(c.call)}/progress`, { headers: { "X-Client": c.client, "X-Client-Key": c.key } });
  return res.ok ? ((await res.json()) as Progress) : undefined;
}

/** The progress of calls, asked again every so often while the page is looked at. wrong: nobody answers. */
export function useProgress(calls: readonly Pick<KeptCall, "call" | "client" | "key">[], everyMs: number): { list: Progress[]; wrong: boolean } {
  const [found, setFound] = useState<Map<string, Progress>>(new Map());
  const [wrong, setWrong] = useState(false);
  const key = calls.map((c) => c.call).join();
  useEffect(() => {
    let gone = false;
    const ask = async () => {
      try {
        for (const c of calls) {
          const p = await progress(c);
          if (gone) return;
          if (p) setFound((have) => new Map(have).set(c.call, p));
        }
        setWrong(false);
      } catch {
        if (!gone) setWrong(true);
      }
    };
    void ask();
    const timer = setInterval(() => document.hidden || void ask(), everyMs);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [key]);
  return { list: calls.flatMap((c) => found.get(c.call) ?? []), wrong };
}
