/** What is written into descriptions before they are used. Pure. */

/** The payload types of a codec in one section. */
function types(section: string, codec: string): string[] {
  return [...section.matchAll(/^a=rtpmap:(\d+) ([^/\r\n]+)\//gm)].filter((m) => m[2]?.toLowerCase() === codec).map((m) => m[1] ?? "");
}

/** Rewrites the sections of a kind, each from its m-line to the next. */
function sections(kind: "audio" | "video", sdp: string, change: (section: string) => string): string {
  return sdp
    .split(/^(?=m=)/m)
    .map((s) => (s.startsWith(`m=${kind}`) ? change(s) : s))
    .join("");
}

/** Adds a line behind the one that maps a payload type. */
function behindMap(section: string, pt: string, line: string): string {
  return section.replace(new RegExp(`^(a=rtpmap:${pt} .*?)(\\r?\\n)`, "m"), `$1$2${line}$2`);
}

/** Asks for retransmission of Opus and RED (RFC 4585 section 4.2). Browsers neither offer nor answer it
 * for audio by themselves, and keep to it where it was agreed. */
export function withAudioNack(sdp: string): string {
  return sections("audio", sdp, (section) =>
    [...types(section, "opus"), ...types(section, "red")].reduce((s, pt) => {
      if (new RegExp(`^a=rtcp-fb:${pt} nack\\r?$`, "m").test(s)) return s;
      return behindMap(s, pt, `a=rtcp-fb:${pt} nack`);
    }, section),
  );
}

/** Puts RED (RFC 2198) before Opus, or Opus before all: the first of an answer is what is sent. */
export function preferRed(sdp: string, on: boolean): string {
  return sections("audio", sdp, (section) => {
    const first = types(section, on ? "red" : "opus");
    return section.replace(/^(m=audio \S+ \S+) (.*?)(\r?)$/m, (line, head: string, list: string, end: string) => {
      const all = list.split(" ");
      const lead = all.filter((pt) => first.includes(pt));
      return lead.length > 0 ? `${head} ${[...lead, ...all.filter((pt) => !first.includes(pt))].join(" ")}${end}` : line;
    });
  });
}

/** Tells Chromium the least that a way carries, in kbit/s; 0 says nothing. It repeats what was lost only within its own estimate of the way, and
 * where half is lost that falls to some 30 kbit/s, which is less than the words that are to be repeated. The word stands with the
 * codecs of the picture and counts for the whole connection; browsers that do not know it leave it. */
export function withLeastRate(sdp: string, kbps: number): string {
  if (!(kbps > 0)) return sdp;
  return sections("video", sdp, (section) =>
    [...types(section, "vp8"), ...types(section, "h264")].reduce((s, pt) => {
      const word = `x-google-min-bitrate=${kbps}`;
      const given = new RegExp(`^a=fmtp:${pt} .*`, "m");
      return given.test(s) ? s.replace(given, `$&;${word}`) : behindMap(s, pt, `a=fmtp:${pt} ${word}`);
    }, section),
  );
}

/** How an answer is used. */
export interface Use {
  red: boolean; // words are sent twice
  leastKbps: number; // what the way is taken to carry; 0: what the browser finds
}

/** An answer as a page uses it. */
export function used(answer: string, how: Use): string {
  return withLeastRate(preferRed(withAudioNack(answer), how.red), how.leastKbps);
}

/** Whether both ends know RED. */
export function hasRed(sdp: string): boolean {
  return sdp.split(/^(?=m=)/m).some((s) => s.startsWith("m=audio") && types(s, "red").length > 0);
}
