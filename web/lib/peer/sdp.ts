/** What is written into descriptions before they are used. Pure. */

/** The payload types of a codec in one section. */
function types(section: string, codec: string): string[] {
  return [...section.matchAll(/^a=rtpmap:(\d+) ([^/\r\n]+)\//gm)].filter((m) => m[2]?.toLowerCase() === codec).map((m) => m[1] ?? "");
}

/** Rewrites the audio sections, each from its m-line to the next. */
function audio(sdp: string, change: (section: string) => string): string {
  return sdp
    .split(/^(?=m=)/m)
    .map((s) => (s.startsWith("m=audio") ? change(s) : s))
    .join("");
}

/** Asks for retransmission of Opus and RED (RFC 4585 section 4.2). Browsers neither offer nor answer it
 * for audio by themselves, and keep to it where it was agreed. */
export function withAudioNack(sdp: string): string {
  return audio(sdp, (section) =>
    [...types(section, "opus"), ...types(section, "red")].reduce((s, pt) => {
      if (new RegExp(`^a=rtcp-fb:${pt} nack\\r?$`, "m").test(s)) return s;
      return s.replace(new RegExp(`^(a=rtpmap:${pt} .*?)(\\r?\\n)`, "m"), `$1$2a=rtcp-fb:${pt} nack$2`);
    }, section),
  );
}

/** Puts RED (RFC 2198) before Opus, or Opus before all: the first of an answer is what is sent. */
export function preferRed(sdp: string, on: boolean): string {
  return audio(sdp, (section) => {
    const first = types(section, on ? "red" : "opus");
    return section.replace(/^(m=audio \S+ \S+) (.*?)(\r?)$/m, (line, head: string, list: string, end: string) => {
      const all = list.split(" ");
      const lead = all.filter((pt) => first.includes(pt));
      return lead.length > 0 ? `${head} ${[...lead, ...all.filter((pt) => !first.includes(pt))].join(" ")}${end}` : line;
    });
  });
}

/** Whether both ends know RED. */
export function hasRed(sdp: string): boolean {
  return sdp.split(/^(?=m=)/m).some((s) => s.startsWith("m=audio") && types(s, "red").length > 0);
}
