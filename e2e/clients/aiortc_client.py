"""A caller or an operator on aiortc: another WebRTC stack in another language. See line.py."""
import asyncio, fractions

import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import AudioFrame, VideoFrame

import line


class Tone(AudioStreamTrack):
    def __init__(self, hz):
        super().__init__()
        self.hz, self.at, self.began = hz, 0, None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.began = self.began or loop.time()
        await asyncio.sleep(max(0, self.began + self.at / 48000 - loop.time()))
        x = (12000 * np.sin(2 * np.pi * self.hz * (self.at + np.arange(960)) / 48000)).astype(np.int16)
        f = AudioFrame.from_ndarray(x.reshape(1, -1), layout="mono")
        f.sample_rate, f.pts, f.time_base = 48000, self.at, fractions.Fraction(1, 48000)
        self.at += 960
        return f


class Card(VideoStreamTrack):
    async def recv(self):
        pts, base = await self.next_timestamp()
        f = VideoFrame(width=320, height=240)
        for p in f.planes:
            p.update(bytes([pts // 3000 % 200]) * p.buffer_size)
        f.pts, f.time_base = pts, base
        return f


class Media:
    def __init__(self, role, hz):
        self.ear, self.pc, self.ears = line.Ear(), RTCPeerConnection(), []
        operator = role == "operator"
        self.pc.on("track", lambda track: self.ears.append(asyncio.ensure_future(self.listen(track))))
        self.pc.addTransceiver(Tone(hz), direction="sendrecv")
        for _ in range(4 if operator else 2):
            self.pc.addTransceiver("audio", direction="recvonly")
        self.pc.addTransceiver(Card(), direction="sendrecv")
        for _ in range(2 if operator else 0):
            self.pc.addTransceiver("video", direction="recvonly")
        self.pc.createDataChannel("jedel", ordered=True)

    async def listen(self, track):
        while True:
            frame = await track.recv()
            if track.kind == "video":
                self.ear.frames += 1
            else:
                pcm = frame.to_ndarray()[0]
                self.ear.hear(pcm[:: len(frame.layout.channels)].astype(float))

    async def offer(self):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def answer(self, sdp):
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def report(self):
        return {"hz": self.ear.hz, "level": self.ear.level, "frames": self.ear.frames, "state": self.pc.connectionState}

    async def close(self):
        for e in self.ears:
            e.cancel()
        await self.pc.close()


line.play(Media)
