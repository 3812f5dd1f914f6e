"""A caller or an operator on GStreamer's webrtcbin (libnice, OpenSSL, libsrtp). See line.py."""
import asyncio

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
import numpy as np
from gi.repository import Gst, GstSdp, GstWebRTC

import line

OPUS = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2"
VP8 = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
VOICE = "audiotestsrc is-live=true freq=%f volume=0.4 ! audio/x-raw,rate=48000,channels=2 ! opusenc inband-fec=true packet-loss-percentage=20 ! rtpopuspay pt=111 ! identity"
PICTURE = "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1 ! vp8enc deadline=1 keyframe-max-dist=30 ! rtpvp8pay pt=96 picture-id-mode=15-bit ! identity"
EAR = "rtpopusdepay ! opusdec plc=true ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! appsink name=out emit-signals=true sync=false"
EYE = "rtpvp8depay ! vp8dec ! appsink name=out emit-signals=true sync=false"


class Media:
    def __init__(self, role, hz):
        Gst.init(None)
        self.loop, self.ear, operator = asyncio.get_running_loop(), line.Ear(), role == "operator"
        self.pipe = Gst.Pipeline.new("client")
        self.rtc = Gst.ElementFactory.make("webrtcbin")
        self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipe.add(self.rtc)
        self.rtc.connect("pad-added", self.arrived)
        self.gathered = asyncio.Event()
        self.rtc.connect("notify::ice-gathering-state", self.gathering)
        self.pipe.set_state(Gst.State.READY)
        # The order of the sections is that of the protocol: ours first, then the slots.
        self.send(VOICE % hz, OPUS)
        self.slots(OPUS, 4 if operator else 2)
        self.send(PICTURE, VP8)
        self.slots(VP8, 2 if operator else 0)
        self.channel = self.rtc.emit("create-data-channel", "jedel", Gst.Structure.new_from_string("options,ordered=true"))
        self.pipe.set_state(Gst.State.PLAYING)

    def send(self, what, caps):
        part = Gst.parse_bin_from_description(what, True)
        self.pipe.add(part)
        # Only the filter tells what is sent before anything is.
        part.link_filtered(self.rtc, Gst.Caps.from_string(caps))

    def slots(self, caps, n):
        for _ in range(n):
            self.rtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))

    def gathering(self, rtc, _):
        if rtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.loop.call_soon_threadsafe(self.gathered.set)

    def arrived(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        caps = pad.get_current_caps() or pad.query_caps(None)
        video = caps.get_structure(0).get_string("media") == "video"
        part = Gst.parse_bin_from_description(EYE if video else EAR, True)
        part.get_by_name("out").connect("new-sample", self.see if video else self.hear)
        self.pipe.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad("sink"))

    def hear(self, sink):
        b = sink.emit("pull-sample").get_buffer()
        self.ear.hear(np.frombuffer(b.extract_dup(0, b.get_size()), dtype="<i2").astype(float))
        return Gst.FlowReturn.OK

    def see(self, sink):
        if sink.emit("pull-sample"):
            self.ear.frames += 1
        return Gst.FlowReturn.OK

    async def ask(self, signal, *args):
        """A signal that answers by a promise."""
        done = self.loop.create_future()
        promise = Gst.Promise.new_with_change_func(lambda p: self.loop.call_soon_threadsafe(done.set_result, p.get_reply()))
        self.rtc.emit(signal, *args, promise)
        return await asyncio.wait_for(done, 10)

    async def offer(self):
        reply = await self.ask("create-offer", None)
        await self.ask("set-local-description", reply.get_value("offer"))
        await asyncio.wait_for(self.gathered.wait(), 10)
        return self.rtc.get_property("local-description").sdp.as_text()

    async def answer(self, sdp):
        _, m = GstSdp.SDPMessage.new_from_text(sdp)
        await self.ask("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, m))

    def report(self):
        state = self.rtc.get_property("connection-state").value_nick
        return {"hz": self.ear.hz, "level": self.ear.level, "frames": self.ear.frames, "state": state}

    async def close(self):
        self.pipe.set_state(Gst.State.NULL)


line.play(Media)
