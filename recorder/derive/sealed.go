package derive

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"strings"

	"jedel/recorder/proof"
)

// maxSeal bounds what is read of a seal in bytes.
const maxSeal = 64 << 20

// sealedStreams returns what the seal says of each stream, as its own description would say it. A
// stream whose first ten seconds are withheld has lost its own. Without a seal, or with one that
// cannot be read, there is none: whoever wants to know whether a seal holds asks recorder/verify.
func sealedStreams(fsys fs.FS) map[uint16][]byte {
	out := map[uint16][]byte{}
	f, err := fsys.Open("seal.note")
	if err != nil {
		return out
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSeal))
	if errors.Join(err, f.Close()) != nil {
		return out
	}
	body, _ := strings.CutPrefix(string(raw), proof.SealPrefix)
	line, _, _ := strings.Cut(body, "\n")
	var m proof.Manifest
	if json.Unmarshal([]byte(line), &m) != nil {
		return out
	}
	for _, s := range m.Streams {
		if s.Kind == "" {
			continue
		}
		info, err := json.Marshal(streamInfo{Participant: s.Participant, Role: s.Role, Kind: s.Kind, Codec: s.Codec})
		if err == nil {
			out[s.ID] = info
		}
	}
	return out
}
