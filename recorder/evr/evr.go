// Package evr is the format of a recorded call: segments of blocks of records, as docs/EVIDENCE.md
// says. It is pure: it turns values into bytes and bytes into values, and takes any bytes.
package evr

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/gowebpki/jcs"
)

// Sizes in bytes.
const (
	PrefixSize = 12       // of a segment header before its JSON
	HeaderSize = 40       // of a block header
	MaxHeader  = 64 << 10 // of a segment header's JSON
	MaxBlock   = 1 << 20  // of a block's plain payload
	Sealed     = 48       // what encryption adds to a payload: key commitment and tag
	MaxChunk   = 256 << 10
)

// MaxTime bounds the time of a block in nanoseconds since the call was opened: a year.
const MaxTime = 366 * 24 * 3600 * 1_000_000_000

// EpochTime is how long one key of a stream lives, in nanoseconds.
const EpochTime = 10_000_000_000

const (
	segmentMagic = "EVR1"
	blockMagic   = "EVB1"
)

// BlockKind is what a block holds.
type BlockKind uint8

// Kinds of blocks.
const (
	BlockMedia    BlockKind = 1 // RTP and RTCP of one stream
	BlockJournal  BlockKind = 2 // everything said and decided; stream 0
	BlockBlob     BlockKind = 3 // pieces of files; stream 0
	BlockClock    BlockKind = 4
	BlockRecovery BlockKind = 5
)

// FlagEncrypted marks a payload that is a key commitment of 32 bytes, AES-256-GCM ciphertext and
// its tag (package keys). Without it the payload is plain.
const FlagEncrypted = 1

// Kind is what a record is.
type Kind uint8

// Kinds of records. Their numbers are part of the format.
const (
	RTP          Kind = 1 // one packet after SRTP
	RTPRecovered Kind = 2 // the same, brought by a retransmission
	RTCPIn       Kind = 3
	RTCPOut      Kind = 4
	StreamOpen   Kind = 10
	StreamClose  Kind = 11
	SDP          Kind = 12
	ICE          Kind = 13
	DTLS         Kind = 14
	Location     Kind = 20
	Chat         Kind = 21
	Event        Kind = 22
	BlobMeta     Kind = 30
	BlobChunk    Kind = 31
	Clock        Kind = 40
	Gap          Kind = 41
	Recovery     Kind = 50
	Degrade      Kind = 51
	Policy       Kind = 52
)

// SegmentHeader is the JSON at the head of a segment (JCS, RFC 8785). Salt, KEKID and WrappedDEK
// belong to encrypted segments; without encryption the last two are empty.
type SegmentHeader struct {
	Format     string `json:"format"` // "EVR1"
	Call       string `json:"call"`
	Seg        int    `json:"seg"`
	FirstLeaf  uint64 `json:"first_leaf"` // the leaf of this header
	Prev       string `json:"prev"`       // file name of the segment before; empty for the first
	PrevBytes  int64  `json:"prev_bytes"` // how many of its bytes count; what follows them is its torn tail
	PrevRoot   string `json:"prev_root"`  // base64 root over all leaves before; empty for the first
	Number     string `json:"number"`     // the call's number
	Zone       string `json:"zone"`       // IANA time zone of the centre
	Opened     string `json:"opened"`     // wall clock of the call's opening, RFC 3339 with nanoseconds
	Created    string `json:"created"`    // wall clock of this segment
	Mono0      int64  `json:"mono0"`      // nanoseconds since the call was opened
	Salt       string `json:"salt"`       // 32 random bytes, base64
	KEKID      string `json:"kek_id"`
	WrappedDEK string `json:"wrapped_dek"`
	Signer     string `json:"signer"` // C2SP verifier key of the heads
	Writer     string `json:"writer"` // program and version
	Host       string `json:"host"`
	Boot       string `json:"boot"`
	Reason     string `json:"reason"` // open, rotate, recover, error
}

// BlockHeader is the 40 bytes before a payload, little endian.
type BlockHeader struct {
	Len    uint32 // bytes of payload, as stored
	CRC    uint32 // CRC-32C over the rest of header and payload
	Kind   BlockKind
	Flags  uint8
	Stream uint16 // 0: the call's journal
	Leaf   uint64 // index in the call's tree
	T      uint64 // nanoseconds since the call was opened, of the first record
	Epoch  uint32 // T / 10 s
	Lost   uint32 // records of the stream dropped before this block
}

// Errors of parsing.
var (
	ErrMissing = errors.New("missing")
	ErrTooBad  = errors.New("too much damage to search through")
	ErrShort   = errors.New("too short")
	ErrMagic   = errors.New("wrong magic")
	ErrCRC     = errors.New("checksum differs")
	ErrSize    = errors.New("size out of bounds")
)

// maxDelta bounds the time of a record within its block, in microseconds: a day.
const maxDelta = 24 * 3600 * 1_000_000

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// EncodeSegmentHeader returns the bytes of a segment header: magic, length, CRC-32C, JSON.
func EncodeSegmentHeader(h SegmentHeader) ([]byte, error) {
	raw, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("segment header: %w", err)
	}
	if raw, err = jcs.Transform(raw); err != nil {
		return nil, fmt.Errorf("segment header: %w", err)
	}
	out := make([]byte, PrefixSize, PrefixSize+len(raw))
	copy(out, segmentMagic)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(raw)))
	binary.LittleEndian.PutUint32(out[8:], crc32.Checksum(raw, castagnoli()))
	return append(out, raw...), nil
}

// DecodeSegmentHeader reads the header at the front of b and returns its length in bytes.
func DecodeSegmentHeader(b []byte) (SegmentHeader, int, error) {
	var h SegmentHeader
	if len(b) < PrefixSize {
		return h, 0, ErrShort
	}
	if string(b[:4]) != segmentMagic {
		return h, 0, ErrMagic
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n > MaxHeader {
		return h, 0, ErrSize
	}
	if len(b) < PrefixSize+int(n) {
		return h, 0, ErrShort
	}
	raw := b[PrefixSize : PrefixSize+int(n)]
	if crc32.Checksum(raw, castagnoli()) != binary.LittleEndian.Uint32(b[8:]) {
		return h, 0, ErrCRC
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		return h, 0, fmt.Errorf("segment header: %w", err)
	}
	if h.Format != segmentMagic || h.Seg < 0 || h.PrevBytes < 0 {
		return h, 0, ErrSize
	}
	return h, PrefixSize + int(n), nil
}

// SealBlock writes the header of a block into the first HeaderSize bytes of b, whose rest is the
// payload, and sets length and checksum.
func SealBlock(b []byte, h BlockHeader) {
	aad := h.AAD()
	copy(b[12:], aad[:])
	copy(b, blockMagic)
	putLen(b, uint32(len(b)-HeaderSize))
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli()))
}

// AAD returns the bytes of the header from its kind on: the additional data of an encrypted
// payload. They do not depend on the payload.
func (h BlockHeader) AAD() (out [HeaderSize - 12]byte) {
	le := binary.LittleEndian
	out[0], out[1] = byte(h.Kind), h.Flags
	le.PutUint16(out[2:], h.Stream)
	le.PutUint64(out[4:], h.Leaf)
	le.PutUint64(out[12:], h.T)
	le.PutUint32(out[20:], h.Epoch)
	le.PutUint32(out[24:], h.Lost)
	return out
}

func putLen(b []byte, n uint32) { binary.LittleEndian.PutUint32(b[4:], n) }

// DecodeBlockHeader reads a block header without checking its checksum.
func DecodeBlockHeader(b []byte) (BlockHeader, error) {
	var h BlockHeader
	if len(b) < HeaderSize {
		return h, ErrShort
	}
	if string(b[:4]) != blockMagic {
		return h, ErrMagic
	}
	le := binary.LittleEndian
	h = BlockHeader{
		Len: le.Uint32(b[4:]), CRC: le.Uint32(b[8:]), Kind: BlockKind(b[12]), Flags: b[13], Stream: le.Uint16(b[14:]),
		Leaf: le.Uint64(b[16:]), T: le.Uint64(b[24:]), Epoch: le.Uint32(b[32:]), Lost: le.Uint32(b[36:]),
	}
	if h.Len == 0 || h.Len > MaxBlock+Sealed {
		return h, ErrSize
	}
	return h, nil
}

// CheckBlock checks the checksum of a whole block, header and payload.
func CheckBlock(b []byte, h BlockHeader) error {
	if len(b) != HeaderSize+int(h.Len) {
		return ErrShort
	}
	if crc32.Checksum(b[12:], castagnoli()) != h.CRC {
		return ErrCRC
	}
	return nil
}

// Leaf returns the leaf hash of a segment header or a block (RFC 6962 section 2.1).
func Leaf(b []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(b)
	var out [sha256.Size]byte
	h.Sum(out[:0])
	return out
}

// AppendRecord adds one record to a payload: kind, microseconds since the block's T, length, bytes.
func AppendRecord(dst []byte, k Kind, dtMicros uint64, data []byte) []byte {
	dst = append(dst, byte(k))
	dst = binary.AppendUvarint(dst, dtMicros)
	dst = binary.AppendUvarint(dst, uint64(len(data)))
	return append(dst, data...)
}

// RecordSize bounds what AppendRecord adds for n bytes of data.
func RecordSize(n int) int { return 1 + 2*binary.MaxVarintLen64 + n }

// Record is one record of a block. Data points into the payload.
type Record struct {
	Kind Kind
	T    uint64 // nanoseconds since the call was opened
	Off  int    // where Data begins in the payload
	Data []byte
}

// Records reads the records of a plain payload. An error from fn ends it. ErrShort means that the
// payload breaks off within a record; what came before was given.
func Records(h BlockHeader, payload []byte, fn func(Record) error) error {
	for at := 0; at < len(payload); {
		r := Record{Kind: Kind(payload[at])}
		at++
		dt, n := binary.Uvarint(payload[at:])
		if n <= 0 {
			return ErrShort
		}
		if dt > maxDelta || h.T > MaxTime {
			return ErrSize
		}
		at += n
		size, n := binary.Uvarint(payload[at:])
		if n <= 0 || size > uint64(len(payload)-at-n) {
			return ErrShort
		}
		at += n
		r.T, r.Off, r.Data = h.T+dt*1000, at, payload[at:at+int(size)]
		at += int(size)
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// AppendChunk writes the data of a BlobChunk record: length of the id, id, number, bytes.
func AppendChunk(dst []byte, id string, no uint64, data []byte) []byte {
	dst = append(dst, byte(len(id)))
	dst = append(dst, id...)
	dst = binary.AppendUvarint(dst, no)
	return append(dst, data...)
}

// ParseChunk reads the data of a BlobChunk record; off is where the bytes begin.
func ParseChunk(b []byte) (id string, no uint64, off int, err error) {
	if len(b) < 1 || len(b) < 1+int(b[0]) {
		return "", 0, 0, ErrShort
	}
	id = string(b[1 : 1+int(b[0])])
	no, n := binary.Uvarint(b[1+len(id):])
	if n <= 0 {
		return "", 0, 0, ErrShort
	}
	return id, no, 1 + len(id) + n, nil
}
