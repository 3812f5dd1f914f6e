package codec

// OpusFrameTicks is the length of one frame in 48 kHz samples, by the configuration in the first
// byte of a packet (RFC 6716 section 3.1).
func OpusFrameTicks(toc byte) int {
	config := int(toc >> 3)
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		return [4]int{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		return [2]int{480, 960}[config&1]
	}
	return 120 << (config & 3) // CELT: 2.5, 5, 10, 20 ms
}

// OpusTicks returns the length of an Opus packet in 48 kHz samples, or 0 for one that breaks a
// rule of RFC 6716 section 3.4 and would stop a decoder.
func OpusTicks(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	toc, rest := b[0], b[1:]
	one := OpusFrameTicks(toc)
	switch toc & 3 {
	case 0:
		if len(rest) > opusMaxFrame {
			return 0
		}
		return one
	case 1: // two frames of one size
		if len(rest)%2 != 0 || len(rest)/2 > opusMaxFrame {
			return 0
		}
		return 2 * one
	case 2: // two frames, the first with its size
		n, used := opusSize(rest)
		if used == 0 || n > len(rest)-used || len(rest)-used-n > opusMaxFrame {
			return 0
		}
		return 2 * one
	}
	return opusMany(rest, one)
}

// opusMaxFrame is the largest frame in bytes (rule R2).
const opusMaxFrame = 1275

// opusMany checks a packet of code 3: a count, padding, and frames with or without their sizes.
func opusMany(b []byte, one int) int {
	if len(b) == 0 {
		return 0
	}
	count := int(b[0] & 0x3f)
	vbr, padded := b[0]&0x80 != 0, b[0]&0x40 != 0
	if count == 0 || count*one > 5760 { // R5: at most 120 ms
		return 0
	}
	b = b[1:]
	if padded {
		pad := 0
		for {
			if len(b) == 0 {
				return 0
			}
			v := int(b[0])
			b = b[1:]
			if v < 255 {
				pad += v
				break
			}
			pad += 254
		}
		if pad > len(b) {
			return 0
		}
		b = b[:len(b)-pad]
	}
	if !vbr {
		if len(b)%count != 0 || len(b)/count > opusMaxFrame {
			return 0
		}
		return count * one
	}
	sum := 0
	for range count - 1 {
		n, used := opusSize(b)
		if used == 0 {
			return 0
		}
		b = b[used:]
		sum += n
	}
	if sum > len(b) || len(b)-sum > opusMaxFrame {
		return 0
	}
	return count * one
}

// opusSize reads a frame length (RFC 6716 section 3.2.1); used is 0 when there is none.
func opusSize(b []byte) (n, used int) {
	if len(b) == 0 {
		return 0, 0
	}
	if b[0] < 252 {
		return int(b[0]), 1
	}
	if len(b) < 2 {
		return 0, 0
	}
	return 4*int(b[1]) + int(b[0]), 2
}
