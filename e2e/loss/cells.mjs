// The links that are tried, what is asked of each, and what a variant goes without.
const way = { delayMs: 20 }; // 40 ms there and back

/** most: the greatest share of concealed sound, both directions; words: none may be lost. */
export const cells = [
  { name: "clean", words: true, link: way },
  { name: "loss-5", link: { ...way, loss: 0.05 } },
  { name: "loss-10", link: { ...way, loss: 0.1 } },
  { name: "loss-20", most: 0.005, link: { ...way, loss: 0.2 } },
  { name: "loss-30", most: 0.01, words: true, link: { ...way, loss: 0.3 } },
  { name: "loss-50", most: 0.03, link: { ...way, loss: 0.5 } },
  { name: "burst-10", link: { ...way, loss: 0.1, burst: 3 } },
  { name: "burst-30", most: 0.02, link: { ...way, loss: 0.3, burst: 3 } },
  { name: "jitter-200", link: { delayMs: 120, jitterMs: 100 } }, // 20 to 220 ms, order kept
  { name: "kbit-64", link: { ...way, rateKbps: 64 } },
  { name: "kbit-20", link: { ...way, rateKbps: 20 } },
];

/** The longest jitter buffer that is allowed on a lossy link. */
export const bufferMs = 300;

export const variants = {
  all: { strip: [], words: "as it is" },
  "no-nack": { strip: ["nack"], words: "without NACK for audio" },
  "no-red": { strip: ["red"], words: "without RED" },
  "no-jitter": { strip: ["jitter"], words: "without the jitter-buffer target" },
  nack: { strip: ["red", "jitter"], words: "in-band FEC and NACK only" },
  red: { strip: ["nack", "jitter"], words: "in-band FEC and RED only" },
  fec: { strip: ["nack", "red", "jitter"], words: "in-band FEC only" },
  plain: { strip: ["nack", "red", "jitter", "fec"], words: "plain Opus" },
};
