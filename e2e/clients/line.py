"""The signalling of a caller or an operator, written from docs/PROTOCOL.md for stacks that are no browser.

play(make) is a whole client: NAME.py caller|operator URL HZ. make(role, hz) gives its media, an object with
`async offer()`, `async answer(sdp)`, `report()` and `async close()`. Every line it prints is a JSON object:
{"number"}, {"answered"}, then {"hz", "level", "frames"} of what it hears and sees; it hangs up when its input ends."""
import asyncio, json, ssl, sys, time, urllib.request, uuid

import numpy as np
import websockets

LOGIN, PASSWORD = "operator", "jedel-demo"


class Ear:
    """The strongest frequency of the sound that arrives, over its last fifth of a second."""

    def __init__(self):
        self.hz, self.level, self.frames, self.pcm = 0.0, -120.0, 0, np.zeros(0)

    def hear(self, pcm):
        self.pcm = np.concatenate([self.pcm, pcm])
        if len(self.pcm) < 9600:
            return
        block, self.pcm = self.pcm[-9600:] / 32768, np.zeros(0)
        spectrum = np.abs(np.fft.rfft(block * np.hanning(9600))) / 2400
        top = int(spectrum.argmax())
        level = 20 * float(np.log10(spectrum[top] + 1e-6))
        if level > -50:
            self.hz, self.level = top * 5.0, level


class Refused(Exception):
    pass


class Line:
    def __init__(self, ws):
        self.ws, self.seq, self.waiting, self.news = ws, 0, {}, asyncio.Queue()

    async def read(self):
        async for raw in self.ws:
            m = json.loads(raw)
            if m.get("re") in self.waiting:
                self.waiting.pop(m["re"]).set_result(m)
            else:
                self.news.put_nowait(m)

    async def ask(self, kind, body):
        self.seq += 1
        mine = self.waiting[self.seq] = asyncio.get_running_loop().create_future()
        await self.ws.send(json.dumps({"type": kind, "seq": self.seq, "body": body}))
        m = await asyncio.wait_for(mine, 15)
        if m["type"] == "error":
            raise Refused(f"{kind}: {m['body']['code']}")
        return m["body"]

    async def told(self, kind, seconds=20):
        """The next news of a kind."""
        while True:
            m = await asyncio.wait_for(self.news.get(), seconds)
            if m["type"] == kind:
                return m["body"]

    async def connect(self, media):
        answer = await self.ask("media.offer", {"pc": "p1", "sdp": await media.offer()})
        await media.answer(answer["sdp"])


def say(**what):
    print(json.dumps(what), flush=True)


def trust():
    """The gateway of a test has a certificate that it made itself."""
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def sign_in(url):
    body = json.dumps({"login": LOGIN, "password": PASSWORD}).encode()
    ask = urllib.request.Request(url + "/api/v1/staff/session", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(ask, timeout=15, context=trust() if url.startswith("https") else None) as r:
        return json.load(r)["token"]


async def until_hung_up(line, media):
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    began = time.monotonic()
    while not ended.done() and time.monotonic() - began < 60:
        await line.ask("ping", {})
        say(**media.report())
        await asyncio.wait([ended], timeout=0.4)


async def as_caller(line, media):
    await line.ask("hello", {"version": 1, "role": "caller", "lang": "kk", "agent": "independent"})
    await line.connect(media)
    made = await line.ask("call.create", {"ref": str(uuid.uuid4()), "kind": "video"})
    call = made["view"]["call"]
    await line.ask("media.status", {"mic": "on", "camera": "on"})
    await line.ask("chat.send", {"call": call, "id": "1", "text": "independent"})
    say(number=made["view"]["number"])
    await until_hung_up(line, media)
    await line.ask("call.end", {"call": call})


async def as_operator(line, media, url):
    token = await asyncio.get_running_loop().run_in_executor(None, sign_in, url)
    welcome = await line.ask("hello", {"version": 1, "role": "console", "lang": "kk", "token": token, "agent": "independent"})
    await line.connect(media)
    await line.ask("duty.set", {"state": "ready"})
    say(ready=True)
    offer = await line.told("offer.made", 40)
    await line.ask("offer.accept", {"call": offer["call"], "epoch": offer["epoch"]})
    say(answered=offer["number"])
    await until_hung_up(line, media)
    await line.ask("call.end", {"call": offer["call"]})
    forms = welcome["console"]
    await line.ask("call.wrapup", {"call": offer["call"], "category": forms["categories"][0]["key"], "outcome": forms["outcomes"][0]["key"]})
    await line.ask("duty.set", {"state": "off"})


async def client(make):
    role, url, hz = sys.argv[1], sys.argv[2], float(sys.argv[3])
    secure = trust() if url.startswith("https") else None
    async with websockets.connect(url.replace("http", "ws", 1) + "/ws", ssl=secure) as ws:
        line = Line(ws)
        reader = asyncio.ensure_future(line.read())
        media = make(role, hz)
        try:
            await (as_caller(line, media) if role == "caller" else as_operator(line, media, url))
        finally:
            reader.cancel()
            await media.close()


def play(make):
    asyncio.run(asyncio.wait_for(client(make), 120))
