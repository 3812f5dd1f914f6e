import type { Welcome } from "../lib/wire.gen";
import { caller, card, item, moment, offer, welcome } from "./fixtures";

const talking = card();

/** Calls over thin networks, for the gallery. */
export const thinScenes: Record<string, { welcome: Welcome }> = {
  sos: {
    welcome: welcome({
      offer: offer({
        kind: "voice", words: "Абай 24, есікті сындырып жатыр", expiresMs: moment + 3_600_000, media: { ...talking.media, mic: "off", camera: "off", connected: false, rung: "sos", battery: 12 },
        caller: caller({ proof: "none", name: "", phone: "", earlier: 0 }),
      }),
    }),
  },
  notes: {
    welcome: welcome({
      me: { state: "talking" },
      card: card({
        media: { ...talking.media, camera: "off", connected: false, rung: "notes" }, quality: { ...talking.quality, word: "unknown" },
        chat: [...talking.chat, item("m4", 4, { text: "", file: { file: "v1", mime: "audio/webm", name: "voice.webm", bytes: 10_400, width: 0, height: 0, sha256: "0".repeat(64) } })],
      }),
    }),
  },
  soscall: {
    welcome: welcome({
      me: { state: "talking" },
      card: card({
        phase: "reconnecting", media: { ...talking.media, mic: "off", camera: "off", connected: false, link: false, rung: "sos", battery: 12 },
        quality: { ...talking.quality, word: "unknown" }, caller: caller({ proof: "none", name: "", phone: "", earlier: 0, iin: undefined, medical: undefined }),
      }),
    }),
  },
};
