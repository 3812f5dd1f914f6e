package derive

import (
	"encoding/json"
	"time"
)

// place is where a record's bytes stand: in the payload of a block, which the source can give
// again at any time.
type place struct {
	block uint32
	off   uint32
	n     uint32
}

// recordKind sorts records by what is done with them here.
type recordKind uint8

const (
	recStreamOpen recordKind = iota + 1
	recRTP
	recSR // RTCP that came in
	recPosition
	recChat
	recEvent
	recGap
	recBlobMeta
	recBlobChunk
)

// record is one record of an archive. data is valid until the next one.
type record struct {
	kind      recordKind
	stream    uint16
	recovered bool   // RTP brought by a retransmission or by error correction
	at        int64  // nanoseconds since the call was opened
	word      string // of events; of blobs the id
	no        uint64 // of a blob's chunk
	data      []byte
	at0       place
}

// source is an archive seen as records.
type source interface {
	// each gives every readable record in the order of writing. What cannot be read is left out
	// and listed by facts. An error from fn ends it.
	each(fn func(record) error) error
	// block returns the payload of one block again. The slice is the caller's to read, not to keep
	// beyond its use.
	block(n uint32) ([]byte, error)
}

// streamInfo is what a stream said about itself when it was opened.
type streamInfo struct {
	Participant  string       `json:"participant"`
	Role         string       `json:"role"`
	Mid          string       `json:"mid"`
	RID          string       `json:"rid"`
	Kind         string       `json:"kind"`
	Codec        string       `json:"codec"`
	Cname        string       `json:"cname"`
	Fmtp         string       `json:"fmtp"`
	ClockRate    uint32       `json:"clockRate"`
	Channels     int          `json:"channels"`
	PayloadTypes payloadTypes `json:"payloadTypes"`
	PayloadType  uint8        `json:"payloadType"` // of the codec; 0: not known
}

// payloadTypes is a list of numbers, which Go writes as base64; both are read.
type payloadTypes []uint8

func (p *payloadTypes) UnmarshalJSON(b []byte) error {
	var list []uint16
	if json.Unmarshal(b, &list) != nil {
		return json.Unmarshal(b, (*[]uint8)(p))
	}
	for _, n := range list {
		*p = append(*p, uint8(n))
	}
	return nil
}

// same tells whether two descriptions are of one stream.
func (a streamInfo) same(b streamInfo) bool {
	return a.Participant == b.Participant && a.Mid == b.Mid && a.RID == b.RID && a.Kind == b.Kind && a.Codec == b.Codec && a.PayloadType == b.PayloadType
}

// gapInfo is a GAP record: what the recorder itself knows to be missing.
type gapInfo struct {
	From, To time.Duration
	Stream   uint16
	Count    int
	Cause    string
}

// entryKind returns the name inside an event, or the record's own word.
func entryKind(word string, body []byte) string {
	var named struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(body, &named) == nil && named.Kind != "" {
		return named.Kind
	}
	return word
}
