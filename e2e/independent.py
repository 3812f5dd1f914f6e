"""A caller written from docs/PROTOCOL.md alone, on aiortc: another WebRTC stack in another language.

Usage: independent.py URL TONE.wav SECONDS. Prints the number of its call, then what it heard."""
import asyncio, json, sys, uuid

import websockets
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer


async def main(url, wav, seconds):
    async with websockets.connect(url) as ws:
        seq, heard = 0, 0

        async def ask(kind, body):
            nonlocal seq
            seq += 1
            mine = seq
            await ws.send(json.dumps({"type": kind, "seq": mine, "body": body}))
            while True:
                m = json.loads(await asyncio.wait_for(ws.recv(), 15))
                if m.get("re") == mine:
                    if m["type"] == "error":
                        raise SystemExit(f"{kind}: {m['body']['code']}")
                    return m["body"]

        await ask("hello", {"version": 1, "role": "caller", "lang": "kk", "agent": "independent"})
        pc = RTCPeerConnection()

        @pc.on("track")
        def on_track(track):
            async def listen():
                nonlocal heard
                while True:
                    frame = await track.recv()
                    if track.kind == "audio" and max(abs(int(x)) for x in frame.to_ndarray()[0][:200]) > 200:
                        heard += 1

            asyncio.ensure_future(listen())

        pc.addTrack(MediaPlayer(wav, loop=True).audio)
        pc.addTransceiver("video", direction="sendrecv")
        pc.createDataChannel("jedel", ordered=True)
        await pc.setLocalDescription(await pc.createOffer())
        answer = await ask("media.offer", {"pc": "a1", "sdp": pc.localDescription.sdp})
        await pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        made = await ask("call.create", {"ref": str(uuid.uuid4()), "kind": "voice"})
        call = made["view"]["call"]
        print(made["view"]["number"], flush=True)
        await ask("media.status", {"mic": "on", "camera": "none"})
        await ask("chat.send", {"call": call, "id": "1", "text": "aiortc"})
        end = asyncio.get_event_loop().time() + seconds
        while asyncio.get_event_loop().time() < end:
            await ask("ping", {})
            await asyncio.sleep(0.5)
        print(f"heard {heard}", flush=True)
        await ask("call.end", {"call": call})
        await pc.close()


asyncio.run(asyncio.wait_for(main(sys.argv[1], sys.argv[2], float(sys.argv[3])), 60))
