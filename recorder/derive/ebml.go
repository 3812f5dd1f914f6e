package derive

import (
	"encoding/binary"
	"math"
)

// The part of EBML (RFC 8794) and Matroska (RFC 9559) that a WebM file needs. Elements are
// appended to a slice; a master's size is known before it is written.
const (
	idEBML            = 0x1A45DFA3
	idEBMLVersion     = 0x4286
	idEBMLReadVersion = 0x42F7
	idEBMLMaxID       = 0x42F2
	idEBMLMaxSize     = 0x42F3
	idDocType         = 0x4282
	idDocVersion      = 0x4287
	idDocReadVersion  = 0x4285

	idSegment      = 0x18538067
	idSeekHead     = 0x114D9B74
	idSeek         = 0x4DBB
	idSeekID       = 0x53AB
	idSeekPosition = 0x53AC

	idInfo           = 0x1549A966
	idSegmentUUID    = 0x73A4
	idTimestampScale = 0x2AD7B1
	idDuration       = 0x4489
	idDateUTC        = 0x4461
	idMuxingApp      = 0x4D80
	idWritingApp     = 0x5741

	idTracks       = 0x1654AE6B
	idTrackEntry   = 0xAE
	idTrackNumber  = 0xD7
	idTrackUID     = 0x73C5
	idTrackType    = 0x83
	idFlagLacing   = 0x9C
	idCodecID      = 0x86
	idCodecPrivate = 0x63A2
	idCodecDelay   = 0x56AA
	idSeekPreRoll  = 0x56BB
	idLanguage     = 0x22B59C
	idVideo        = 0xE0
	idPixelWidth   = 0xB0
	idPixelHeight  = 0xBA
	idAudio        = 0xE1
	idSampling     = 0xB5
	idChannels     = 0x9F

	idChapters         = 0x1043A770
	idEditionEntry     = 0x45B9
	idChapterAtom      = 0xB6
	idChapterUID       = 0x73C4
	idChapterTimeStart = 0x91
	idChapterTimeEnd   = 0x92
	idChapterDisplay   = 0x80
	idChapString       = 0x85
	idChapLanguage     = 0x437C

	idCues               = 0x1C53BB6B
	idCuePoint           = 0xBB
	idCueTime            = 0xB3
	idCueTrackPositions  = 0xB7
	idCueTrack           = 0xF7
	idCueClusterPosition = 0xF1

	idCluster     = 0x1F43B675
	idTimestamp   = 0xE7
	idSimpleBlock = 0xA3
)

// appendID writes an element's identifier, which carries its own length.
func appendID(b []byte, id uint32) []byte {
	for shift := 24; shift > 0; shift -= 8 {
		if id>>shift != 0 {
			b = append(b, byte(id>>shift))
		}
	}
	return append(b, byte(id))
}

// sizeLen is how many bytes appendSize takes for n.
func sizeLen(n uint64) int {
	l := 1
	for n >= 1<<(7*l)-1 { // all ones is "unknown"
		l++
	}
	return l
}

func appendSize(b []byte, n uint64) []byte {
	l := sizeLen(n)
	n |= 1 << (7 * l)
	for i := l - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

// appendSize8 writes a size in 8 bytes, so that it does not move what follows.
func appendSize8(b []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(b, n|1<<56)
}

func appendBytes(b []byte, id uint32, data []byte) []byte {
	b = appendID(b, id)
	b = appendSize(b, uint64(len(data)))
	return append(b, data...)
}

func appendText(b []byte, id uint32, s string) []byte { return appendBytes(b, id, []byte(s)) }

// appendUint writes n in as few bytes as it needs.
func appendUint(b []byte, id uint32, n uint64) []byte {
	l := uintLen(n)
	b = appendID(b, id)
	b = appendSize(b, uint64(l))
	for i := l - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

func uintLen(n uint64) int {
	l := 1
	for l < 8 && n>>(8*l) != 0 {
		l++
	}
	return l
}

// appendUint8 writes n in 8 bytes.
func appendUint8(b []byte, id uint32, n uint64) []byte {
	b = appendID(b, id)
	b = appendSize(b, 8)
	return binary.BigEndian.AppendUint64(b, n)
}

func appendFloat(b []byte, id uint32, v float64) []byte {
	return appendUint8(b, id, math.Float64bits(v))
}

// master writes an element made of the others.
func master(b []byte, id uint32, body []byte) []byte { return appendBytes(b, id, body) }
