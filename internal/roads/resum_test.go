package roads

import "crypto/sha256"

// resum puts the right checksum on what a fuzzer made, which would not find it.
func resum(raw []byte) []byte {
	if len(raw) < sha256.Size {
		return raw
	}
	body := raw[:len(raw)-sha256.Size]
	sum := sha256.Sum256(body)
	return append(append([]byte{}, body...), sum[:]...)
}
