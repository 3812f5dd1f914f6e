package keep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"jedel/internal/ident"
	"jedel/recorder/evr"
	"jedel/recorder/verify"
)

// copies are the places on this machine where the keys of archives lie.
type copies struct {
	root, second string // folders of the archives, and of second copies
	disk, other  Disk   // the same
	log          *slog.Logger
}

// roots returns the roots of the seals of an archive's parts, and whether the newest part is sealed.
func (c copies) roots(dirs []string) (string, bool) {
	var all []string
	sealed := false
	for _, dir := range dirs {
		raw, err := os.ReadFile(filepath.Join(c.root, filepath.FromSlash(dir), "seal.note"))
		_, rest, _ := strings.Cut(string(raw), "\n")
		manifest, _, _ := strings.Cut(rest, "\n")
		var m struct {
			Root string `json:"root"`
		}
		if sealed = err == nil && json.Unmarshal([]byte(manifest), &m) == nil && m.Root != "" && len(m.Root) <= 64; sealed {
			all = append(all, m.Root)
		}
	}
	return strings.Join(all[:min(len(all), 7)], " "), sealed // as many as a record takes
}

// wipe destroys every key file of an archive on this machine and returns how many there were.
func (c copies) wipe(id ident.CallID, dirs []string) (n int, err error) {
	second := c.secondOf(id)
	for _, name := range c.keyFiles(c.root, dirs) {
		n++
		err = errors.Join(err, c.disk.Wipe(name))
	}
	for _, name := range c.keyFiles(c.second, second) {
		n++
		err = errors.Join(err, c.other.Wipe(name))
	}
	if err != nil {
		return n, fmt.Errorf("keys: %w", err)
	}
	for _, dir := range second {
		if err := c.other.Remove(dir); err != nil {
			return n, fmt.Errorf("keys: %w", err)
		}
	}
	return n, nil
}

// maxParts is how many folders a recording may have.
const maxParts = 99

// secondOf lists the folders of second copies: they may be there where the archive is not.
func (c copies) secondOf(id ident.CallID) []string {
	var out []string
	for n := 1; n <= maxParts; n++ {
		name := string(id)
		if n > 1 {
			name += "." + strconv.Itoa(n)
		}
		if _, err := os.Lstat(filepath.Join(c.second, name)); err == nil {
			out = append(out, name)
		}
	}
	return out
}

// keyFiles lists the key files in folders below a root, and what a crash has left of writing them.
func (c copies) keyFiles(root string, dirs []string) []string {
	var out []string
	for _, dir := range dirs {
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.log.Error("keys cannot be looked for", "dir", dir, "err", err)
			out = append(out, dir) // it counts as left
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "kek-") {
				out = append(out, path.Join(dir, e.Name()))
			}
		}
	}
	return out
}

// erase removes the segments. Seal, heads and proofs stay: they say what there was; and so do the
// recorder's keys, which only the segments named.
func (c copies) erase(dirs []string) error {
	for _, dir := range dirs {
		sc, err := evr.NewScanner(os.DirFS(filepath.Join(c.root, filepath.FromSlash(dir))))
		if err != nil {
			return fmt.Errorf("segments: %w", err)
		}
		segments := sc.Segments()
		if err := sc.Close(); err != nil {
			return fmt.Errorf("segments: %w", err)
		}
		var signers []string
		for _, s := range segments {
			if s.Err == nil && !slices.Contains(signers, s.Header.Signer) {
				signers = append(signers, s.Header.Signer)
			}
		}
		if _, err := os.Stat(filepath.Join(c.root, filepath.FromSlash(dir), filepath.FromSlash(verify.SignerFile))); len(signers) > 0 && errors.Is(err, fs.ErrNotExist) {
			if err := c.disk.Replace(dir+"/"+verify.SignerFile, []byte(strings.Join(signers, "\n")+"\n")); err != nil {
				return fmt.Errorf("keys of the recorder: %w", err)
			}
		}
		for _, s := range segments {
			if err := c.disk.Remove(path.Join(dir, s.Name)); err != nil {
				return fmt.Errorf("segments: %w", err)
			}
		}
	}
	return nil
}

// left counts the copies of keys that are still there.
func (c copies) left(id ident.CallID, dirs []string) int {
	return len(c.keyFiles(c.root, dirs)) + len(c.keyFiles(c.second, c.secondOf(id)))
}
