package plain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"jedel/recorder/keys"
)

// FromFiles returns the keys that open an archive: those of its call that the identities of one file
// unwrap, and those that another file discloses. Either name may be empty; where both are, the keys
// are those that an export put beside the archive, or nil.
func FromFiles(dir fs.FS, identity, disclosed string) (*keys.Ring, error) {
	if identity == "" && disclosed == "" {
		return Beside(dir)
	}
	ring := &keys.Ring{}
	if identity != "" {
		raw, err := os.ReadFile(identity)
		if err != nil {
			return nil, err
		}
		ids, err := keys.ParseIdentities(string(raw))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", identity, err)
		}
		if ring, err = Unwrap(dir, ids...); err != nil {
			return nil, err
		}
	}
	if disclosed != "" {
		f, err := os.Open(disclosed)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(keys.ReadDisclosure(f, ring), f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", disclosed, err)
		}
	}
	return ring, nil
}
