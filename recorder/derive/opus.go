package derive

import (
	"encoding/binary"

	"jedel/media/codec"
)

// opusClock is the rate in which Opus counts, whatever it carries (RFC 7587 section 4.1).
const opusClock = 48000

// preSkip is the delay of a usual Opus encoder in samples: 6.5 ms (RFC 7845 section 4.2).
const preSkip = 312

// silence returns an Opus packet of at most ticks samples that decodes to silence everywhere, and
// its length: a CELT frame with only its silence flag set. Without fill, players disagree about
// what a hole in the sound means, and tools that ignore time stamps close it.
func silence(ticks int) (toc byte, length int) {
	for config := byte(31); config > 28; config-- {
		if n := codec.OpusFrameTicks(config << 3); n <= ticks {
			return config << 3, n
		}
	}
	return 28 << 3, 120
}

// silent is the body of such a packet, after its first byte.
var silent = [2]byte{0xff, 0xfe}

// opusHead is the codec's private data (RFC 7845 section 5.1).
func opusHead(channels int) []byte {
	b := append([]byte("OpusHead"), 1, byte(channels))
	b = binary.LittleEndian.AppendUint16(b, preSkip)
	b = binary.LittleEndian.AppendUint32(b, opusClock)
	return append(b, 0, 0, 0) // no gain, mapping family 0
}
