// What runs inside the pages that are measured. Nothing here is known to the pages: connections are wrapped before they load.

/** Wraps the page's devices and connections; strip names what a variant does without: red, nack, fec, jitter. */
export function wrap(strip) {
  Date.prototype.getHours = () => 12;
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (want) => open(want.audio ? { ...want, audio: raw } : want);

  const section = (text) => {
    if (!text.startsWith("m=audio")) return text;
    if (strip.includes("nack")) text = text.replaceAll(/a=rtcp-fb:\S+ nack\r\n/g, "");
    if (strip.includes("fec")) text = text.replaceAll(/;?useinbandfec=1/g, "");
    const red = strip.includes("red") && /a=rtpmap:(\d+) red\//.exec(text)?.[1];
    if (red) text = text.replaceAll(new RegExp(`a=(rtpmap|fmtp|rtcp-fb):${red} .*\r\n`, "g"), "").replace(new RegExp(`^(m=audio .*?) ${red}\\b`), "$1");
    return text;
  };
  const munge = (sdp) => sdp.split(/(?=^m=)/m).map(section).join("");
  const Real = window.RTCPeerConnection;
  window.__pcs = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...a) {
      super(...a);
      window.__pcs.push(this);
    }
    setLocalDescription(d) {
      return super.setLocalDescription(d?.sdp ? { type: d.type, sdp: munge(d.sdp) } : d);
    }
    setRemoteDescription(d) {
      return super.setRemoteDescription({ type: d.type, sdp: munge(d.sdp) });
    }
  };
  // What the page adds to an offer after it was set goes out by the socket.
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (m) {
    if (typeof m === "string" && m.includes('"media.offer"')) {
      const o = JSON.parse(m);
      o.body.sdp = munge(o.body.sdp);
      m = JSON.stringify(o);
    }
    return send.call(this, m);
  };
  // What the gateway says of the ways, by either carrier.
  window.__tunes = [];
  const note = (e) => {
    if (typeof e.data === "string" && e.data.includes('"media.tune"')) window.__tunes.push({ at: Math.round(performance.now()), ...JSON.parse(e.data).body });
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...a) {
      super(...a);
      this.addEventListener("message", note);
    }
  };
  const channel = Real.prototype.createDataChannel;
  Real.prototype.createDataChannel = function (...a) {
    const dc = channel.apply(this, a);
    dc.addEventListener("message", note);
    return dc;
  };
  if (strip.includes("jitter")) Object.defineProperty(RTCRtpReceiver.prototype, "jitterBufferTarget", { get: () => null, set: () => {} });
}

/** Begins to record and to count; window.__stop() gives both. */
export async function start() {
  const code = "registerProcessor('ear', class extends AudioWorkletProcessor { process([i]) { if (i[0]) this.port.postMessage(i[0].slice()); return true; } })";
  const ctx = new AudioContext({ sampleRate: 48000 });
  await ctx.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const ear = new AudioWorkletNode(ctx, "ear", { channelCount: 1, channelCountMode: "explicit" });
  const off = new GainNode(ctx, { gain: 0 });
  ear.connect(off).connect(ctx.destination);
  const sound = [];
  const taken = new Set();
  const was = new Map();
  const sum = {};
  const made = window.__pcs.length;
  const add = (kind, key, value, id) => {
    const before = was.get(`${id} ${key}`);
    was.set(`${id} ${key}`, value);
    if (before !== undefined) sum[`${kind}.${key}`] = (sum[`${kind}.${key}`] ?? 0) + value - before;
  };
  const ways = []; // by which the connections went, and since when
  const arrived = []; // packets of voice, by half seconds
  let heardBefore = 0;
  let heard = 0;
  let began = performance.now();
  const look = async () => {
    heard = 0;
    for (const [i, pc] of window.__pcs.entries()) {
      if (pc.connectionState === "closed") continue;
      for (const { track } of pc.getReceivers()) {
        if (track.kind !== "audio" || taken.has(track)) continue;
        taken.add(track);
        ctx.createMediaStreamSource(new MediaStream([track])).connect(ear);
      }
      const stats = await pc.getStats();
      const transport = [...stats.values()].find((s) => s.type === "transport");
      const pair = stats.get(transport?.selectedCandidatePairId);
      const way = pair && `${stats.get(pair.localCandidateId)?.protocol}, choice ${transport.selectedCandidatePairChanges}`;
      if (way && ways.at(-1)?.way !== way) ways.push({ s: (performance.now() - began) / 1000, pc: i, way });
      for (const s of stats.values()) {
        if (s.type === "inbound-rtp" && s.kind === "audio") heard += s.packetsReceived;
        if (s.type !== "inbound-rtp" && s.type !== "outbound-rtp") continue;
        const kind = `${s.type === "inbound-rtp" ? "in" : "out"}.${s.kind}`;
        for (const [k, v] of Object.entries(s)) if (typeof v === "number" && k !== "timestamp") add(kind, k, v, `${i} ${s.id}`);
      }
    }
  };
  await look();
  heardBefore = heard;
  ear.port.onmessage = (e) => sound.push(e.data);
  began = performance.now();
  const tick = setInterval(async () => {
    await look();
    arrived.push(heard - heardBefore);
    heardBefore = heard;
  }, 500);
  window.__stop = async () => {
    clearInterval(tick);
    await look();
    const seconds = (performance.now() - began) / 1000;
    await ctx.close();
    const targets = window.__pcs.flatMap((p) => p.getReceivers().map((r) => r.jitterBufferTarget)).filter((x) => x);
    const bytes = new Uint8Array(await new Blob(sound).arrayBuffer());
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return { tunes: window.__tunes.map(({ at, ...t }) => ({ ...t, s: (at - began) / 1000 })), sum, seconds, made: window.__pcs.length - made, ways, arrived, target: Math.max(0, ...targets), sound: btoa(text) };
  };
}
