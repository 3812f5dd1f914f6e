package derive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/Eyevinn/mp4ff/av1"
)

// Track numbers in the files written here.
const (
	trackPictures = 1
	trackSound    = 2
)

func number(t *track) byte {
	if t.kind == "audio" {
		return trackSound
	}
	return trackPictures
}

// clusterSpan is how much time a cluster without a key frame in it covers. A player seeks to
// clusters; a block's time within one must fit 16 bits of milliseconds.
const clusterSpan = 5 * time.Second

// cluster is one cluster's place in the file.
type cluster struct {
	at    uint64 // milliseconds
	size  uint64 // of its body
	cued  bool   // playing can begin here
	track byte   // of its first block
}

// webm writes one participant as WebM. Everything's size is known before the first byte, so the
// index stands in front and the file can be sought over HTTP ranges.
type webm struct {
	rec      *Recording
	part     *part
	clusters []cluster
	end      uint64 // milliseconds
}

func (r *Recording) writeWebM(w io.Writer, p *part) error {
	m := &webm{rec: r, part: p}
	m.plan()
	head, err := m.head()
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	return m.body(w)
}

// ms is a frame's time in the file, rounded.
func (m *webm) ms(f *frame) uint64 { return uint64(max(f.t-m.part.start+500_000, 0)) / 1e6 }

// plan walks over all frames once and lays out the clusters.
func (m *webm) plan() {
	pictures := !m.part.pictures.empty()
	m.part.interleave(func(t *track, f *frame) error {
		at := m.ms(f)
		n := len(m.clusters)
		cued := t.kind == "video" && f.key() || !pictures || n == 0
		if n == 0 || t.kind == "video" && f.key() || at-m.clusters[n-1].at >= uint64(clusterSpan/time.Millisecond) || at < m.clusters[n-1].at {
			m.clusters = append(m.clusters, cluster{at: at, cued: cued, track: number(t)})
			n++
			m.clusters[n-1].size = uint64(1 + 1 + uintLen(at))
		}
		body := 4 + uint64(f.size)
		m.clusters[n-1].size += 1 + uint64(sizeLen(body)) + body
		m.end = max(m.end, at)
		if t.kind == "audio" {
			m.end = max(m.end, at+uint64(f.dur/48))
		}
		return nil
	})
}

// Sizes of what is written with fixed widths.
const (
	cueLen  = 1 + 1 + (1 + 1 + 8) + (1 + 1 + (1 + 1 + 1) + (1 + 1 + 8))
	seekLen = 2 + 1 + (2 + 1 + 4) + (2 + 1 + 8)
)

// head returns everything up to the first cluster.
func (m *webm) head() ([]byte, error) {
	var b []byte
	b = appendUint(b, idEBMLVersion, 1)
	b = appendUint(b, idEBMLReadVersion, 1)
	b = appendUint(b, idEBMLMaxID, 4)
	b = appendUint(b, idEBMLMaxSize, 8)
	b = appendText(b, idDocType, "webm")
	b = appendUint(b, idDocVersion, 4)
	b = appendUint(b, idDocReadVersion, 2)
	ebml := master(nil, idEBML, b)

	info := m.info()
	tracks, err := m.tracks()
	if err != nil {
		return nil, err
	}
	tracks = append(tracks, m.part.webmChapters()...)
	cued := 0
	var media uint64
	for _, c := range m.clusters {
		if c.cued {
			cued++
		}
		media += 4 + uint64(sizeLen(c.size)) + c.size
	}
	seekHead := uint64(4 + sizeLen(3*seekLen) + 3*seekLen)
	cues := uint64(4 + sizeLen(uint64(cued)*cueLen) + cued*cueLen)
	infoAt := seekHead
	tracksAt := infoAt + uint64(len(info))
	cuesAt := tracksAt + uint64(len(tracks))
	mediaAt := cuesAt + cues

	out := append(ebml, 0x18, 0x53, 0x80, 0x67)
	out = appendSize8(out, mediaAt+media)
	var seeks []byte
	for _, s := range []struct {
		id uint32
		at uint64
	}{{idInfo, infoAt}, {idTracks, tracksAt}, {idCues, cuesAt}} {
		e := appendBytes(nil, idSeekID, binary.BigEndian.AppendUint32(nil, s.id))
		seeks = master(seeks, idSeek, appendUint8(e, idSeekPosition, s.at))
	}
	out = master(out, idSeekHead, seeks)
	out = append(out, info...)
	out = append(out, tracks...)
	return master(out, idCues, m.cues(mediaAt)), nil
}

// cues lists where playing can begin; at is the place of the first cluster in the segment.
func (m *webm) cues(at uint64) []byte {
	var b []byte
	for _, c := range m.clusters {
		if c.cued {
			p := appendUint(nil, idCueTrack, uint64(c.track))
			p = appendUint8(p, idCueClusterPosition, at)
			b = master(b, idCuePoint, master(appendUint8(nil, idCueTime, c.at), idCueTrackPositions, p))
		}
		at += 4 + uint64(sizeLen(c.size)) + c.size
	}
	return b
}

func (m *webm) info() []byte {
	id := m.part.uid(m.rec)
	b := appendBytes(nil, idSegmentUUID, id[:16])
	b = appendUint(b, idTimestampScale, 1_000_000)
	b = appendFloat(b, idDuration, float64(m.end))
	// DateUTC counts from 2001 in nanoseconds.
	began := m.rec.Opened.Add(time.Duration(m.part.start)).Sub(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
	b = appendUint8(b, idDateUTC, uint64(began))
	b = appendText(b, idMuxingApp, "jedel")
	b = appendText(b, idWritingApp, "jedel")
	return master(nil, idInfo, b)
}

// uid is a number for the derived file: the same for the same call and participant.
func (p *part) uid(r *Recording) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "jedel derive 1\n%s\n%s\n", r.Call, p.id))
}

func (m *webm) tracks() ([]byte, error) {
	id := m.part.uid(m.rec)
	var b []byte
	if t := m.part.pictures; !t.empty() {
		e, err := pictureEntry(t, binary.BigEndian.Uint64(id[16:])>>8|1)
		if err != nil {
			return nil, err
		}
		b = master(b, idTrackEntry, e)
	}
	if !m.part.sound.empty() {
		e := appendUint(nil, idTrackNumber, trackSound)
		e = appendUint(e, idTrackUID, binary.BigEndian.Uint64(id[24:])>>8|1)
		e = appendUint(e, idTrackType, 2)
		e = appendUint(e, idFlagLacing, 0)
		e = appendText(e, idLanguage, "und")
		e = appendText(e, idCodecID, "A_OPUS")
		e = appendBytes(e, idCodecPrivate, opusHead(m.part.channels()))
		e = appendUint(e, idCodecDelay, preSkip*1e9/opusClock)
		e = appendUint(e, idSeekPreRoll, 80_000_000)
		a := appendFloat(nil, idSampling, opusClock)
		e = master(e, idAudio, appendUint(a, idChannels, uint64(m.part.channels())))
		b = master(b, idTrackEntry, e)
	}
	return master(nil, idTracks, b), nil
}

func pictureEntry(t *track, uid uint64) ([]byte, error) {
	e := appendUint(nil, idTrackNumber, trackPictures)
	e = appendUint(e, idTrackUID, uid)
	e = appendUint(e, idTrackType, 1)
	e = appendUint(e, idFlagLacing, 0)
	e = appendText(e, idLanguage, "und")
	e = appendText(e, idCodecID, map[string]string{"vp8": "V_VP8", "vp9": "V_VP9", "av1": "V_AV1"}[t.codec])
	if t.codec == "av1" {
		conf, err := t.av1Conf()
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := conf.Encode(&b); err != nil {
			return nil, err
		}
		e = appendBytes(e, idCodecPrivate, b.Bytes())
	}
	v := appendUint(nil, idPixelWidth, uint64(t.frames[0].w))
	return master(e, idVideo, appendUint(v, idPixelHeight, uint64(t.frames[0].h))), nil
}

// av1Conf is the codec's configuration with the first sequence header.
func (t *track) av1Conf() (av1.CodecConfRec, error) {
	sh, err := av1.ParseSequenceHeader(obuPayload(t.sets.header))
	if err != nil {
		return av1.CodecConfRec{}, fmt.Errorf("describe av1: %w", err)
	}
	return av1.CodecConfRecFromSequenceHeader(sh, t.sets.header), nil
}

func obuPayload(obu []byte) []byte {
	if len(obu) == 0 {
		return nil
	}
	n := 1 + int(obu[0]>>2&1)
	_, used := leb128(obu[min(n, len(obu)):])
	return obu[min(n+used, len(obu)):]
}

// body writes the clusters in the order and sizes of the plan.
func (m *webm) body(w io.Writer) error {
	rd := &reader{src: m.rec.src}
	var b, data []byte
	k := -1
	left := uint64(0)
	return m.part.interleave(func(t *track, f *frame) (err error) {
		at := m.ms(f)
		if left == 0 {
			k++
			c := m.clusters[k]
			b = appendSize(appendID(b[:0], idCluster), c.size)
			b = appendUint(b, idTimestamp, c.at)
			left = c.size - uint64(2+uintLen(c.at))
		} else {
			b = b[:0]
		}
		if data, err = t.data(rd, f, data[:0]); err != nil {
			return err
		}
		flags := byte(0)
		if t.kind == "audio" || f.key() {
			flags = 0x80
		}
		size := 4 + uint64(len(data))
		rel := at - m.clusters[k].at
		b = appendSize(append(b, idSimpleBlock), size)
		b = append(b, 0x80|number(t), byte(rel>>8), byte(rel), flags)
		left -= 1 + uint64(sizeLen(size)) + size
		if _, err := w.Write(b); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
}
