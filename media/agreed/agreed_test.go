package agreed

import (
	"strings"
	"testing"
)

const offer = `v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
m=audio 9 UDP/TLS/RTP/SAVPF 111 63
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=rtpmap:111 opus/48000/2
a=rtpmap:63 red/48000/2
a=ssrc:1001 cname:x
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:1
a=sendrecv
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 2001 2002
a=ssrc:2001 cname:x
a=ssrc:2002 cname:x
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:2
a=recvonly
a=rtpmap:96 VP8/90000
`

const answer = `v=0
o=- 3 4 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1 2
m=audio 9 UDP/TLS/RTP/SAVPF 111 63
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=rtpmap:111 OPUS/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtcp-fb:111 nack
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=ssrc:31 cname:jedel
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:1
a=recvonly
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:5/sendrecv http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=rtpmap:96 VP8/90000
a=rtcp-fb:* transport-cc
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
m=video 0 UDP/TLS/RTP/SAVPF 0
c=IN IP4 0.0.0.0
a=mid:2
a=sendonly
`

func TestRead(t *testing.T) {
	s := Read(strings.ReplaceAll(offer, "\n", "\r\n"), strings.ReplaceAll(answer, "\n", "\r\n"))
	if len(s) != 3 {
		t.Fatal(len(s))
	}
	audio, video := s[0], s[1]
	if audio.Mid != "0" || audio.Kind != "audio" || !audio.Sends || audio.Preferred != 111 || audio.MidExt != 4 || audio.SeqExt != 0 || audio.Theirs.SSRC != 1001 || audio.Ours.SSRC != 31 {
		t.Errorf("%+v", audio)
	}
	if c := audio.Codecs[111]; c.MIME != "audio/opus" || c.Clock != 48000 || c.Channels != 2 || !c.Nack || c.TWCC || c.Fmtp != "minptime=10;useinbandfec=1" {
		t.Errorf("%+v", c)
	}
	if c := audio.Codecs[63]; c.MIME != "audio/red" || c.Nack || c.Of != 0 {
		t.Errorf("%+v", c)
	}
	if video.SeqExt != 5 || video.Theirs != (Source{2001, 2002}) || !video.Sends {
		t.Errorf("%+v", video)
	}
	if c := video.Codecs[96]; !c.Nack || !c.TWCC || !c.REMB {
		t.Errorf("%+v", c)
	}
	if pt, ok := video.Repeats(96); !ok || pt != 97 || video.Codecs[97].Of != 96 {
		t.Error(pt, ok)
	}
	if s[2].Sends || len(s[2].Codecs) != 0 {
		t.Errorf("a refused section: %+v", s[2])
	}
	if at, rtx, ok := s.BySSRC(2002); at != 1 || !rtx || !ok {
		t.Error(at, rtx, ok)
	}
	if _, _, ok := s.BySSRC(0); ok {
		t.Error("nobody's SSRC")
	}
	if at, ok := s.ByMid("1"); at != 1 || !ok {
		t.Error(at, ok)
	}
	if _, ok := s.ByMid("2"); ok {
		t.Error("nothing is sent there")
	}
	if at, ok := s.ByType(96); at != 1 || !ok {
		t.Error(at, ok)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(offer, answer)
	f.Add("", "v=0")
	f.Fuzz(func(t *testing.T, o, a string) {
		s := Read(o, a)
		for i := range s {
			for pt, c := range s[i].Codecs {
				if c.MIME == "" || pt > 127 {
					t.Fatalf("%d %+v", pt, c)
				}
			}
			s[i].Repeats(s[i].Preferred)
			s[i].Type("audio/opus")
		}
		s.BySSRC(7)
		s.ByMid("0")
		s.ByType(111)
	})
}
