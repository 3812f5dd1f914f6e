package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"jedel/docs"
	"jedel/recorder/bag"
	"jedel/recorder/derive"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/report"
)

// original takes in the archive as it is stored. Where something is withheld, the call's key goes
// along in no wrapping: whoever came by a keeper's key could open it.
func (m *maker) original(ctx context.Context) error {
	for _, n := range m.files.names {
		if strings.HasSuffix(n, ".age") && len(m.Withhold) > 0 {
			continue
		}
		s, err := m.add(ctx, "original/"+n, m.files.fill(n))
		if err != nil {
			return err
		}
		m.sums = append(m.sums, report.File{Name: n, Bytes: s.Size, SHA256: s.SHA256})
	}
	return nil
}

// Sums returns the files of an archive as they are stored, with their hashes. Of one that is being
// written it is what is signed.
func Sums(ctx context.Context, dir fs.FS) ([]report.File, error) {
	f, err := freeze(dir)
	if err != nil {
		return nil, err
	}
	var out []report.File
	for _, n := range f.names {
		h := sha256.New()
		if err := errors.Join(ctx.Err(), f.fill(n)(h)); err != nil {
			return nil, err
		}
		out = append(out, report.File{Name: n, Bytes: f.sizes[n], SHA256: hex.EncodeToString(h.Sum(nil))})
	}
	return out, nil
}

// keys takes in what opens the archive for the receiver, and reads the call with it and nothing else.
func (m *maker) keys(ctx context.Context) error {
	encrypted, err := m.encrypted()
	if err != nil {
		return err
	}
	if !encrypted && len(m.Withhold) > 0 {
		return ErrPlain
	}
	if len(m.Withhold) == 0 {
		m.ring = m.site.Ring
	}
	switch {
	case !encrypted:
	case m.site.Ring.Empty():
		if len(m.Withhold) > 0 || m.Recipient.Text != "" {
			return fmt.Errorf("keys: %w", keys.ErrNoKey)
		}
	case m.Recipient.Text != "" && len(m.Withhold) == 0:
		err = m.wrapped(ctx)
	default:
		err = m.disclosed(ctx)
	}
	if err != nil {
		return err
	}
	if m.rec, err = derive.Load(m.files, m.ring); err != nil {
		return err
	}
	m.line = m.rec.Timeline()
	return nil
}

// encrypted reports whether any block is.
func (m *maker) encrypted() (found bool, err error) {
	sc, err := evr.NewScanner(m.files)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, sc.Close()) }()
	for {
		b, err := sc.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil || b.Header.Flags&evr.FlagEncrypted != 0 {
			return err == nil, err
		}
	}
}

// wrapped takes in the call's keys for the receiver alone.
func (m *maker) wrapped(ctx context.Context) error {
	files, err := m.site.Ring.Wrap([]keys.Recipient{m.Recipient})
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("wrap the call's key: %w", keys.ErrNoKey)
	}
	for _, id := range slices.Sorted(maps.Keys(files)) {
		if _, err := m.add(ctx, "original/"+plain.ReceiverName(id, m.Recipient), bag.Bytes(files[id])); err != nil {
			return err
		}
	}
	return nil
}

// disclosed takes in the keys of what is not withheld.
func (m *maker) disclosed(ctx context.Context) error {
	var file bytes.Buffer
	if _, err := plain.DiscloseBut(&file, m.files, m.site.Ring, m.stretches()); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	m.ring = &keys.Ring{}
	if err := keys.ReadDisclosure(bytes.NewReader(file.Bytes()), m.ring); err != nil {
		return err
	}
	_, err := m.add(ctx, "original/"+plain.Disclosed, bag.Bytes(file.Bytes()))
	return err
}

// Bounds of what is taken from an archive's folder of proofs.
const (
	maxProofs = 1000
	maxProof  = 64 << 20
)

// proofs takes in the recorder's public key and what the archive has of proofs by others.
func (m *maker) proofs(ctx context.Context) error {
	if m.site.Key != "" {
		if _, err := m.add(ctx, "proofs/recorder.pub", bag.Bytes([]byte(strings.TrimSpace(m.site.Key)+"\n"))); err != nil {
			return err
		}
	}
	if m.site.Log.Policy != "" {
		if _, err := m.add(ctx, "proofs/witness-policy.txt", bag.Bytes([]byte(m.site.Log.Policy))); err != nil {
			return err
		}
	}
	if keys := m.site.Log.Keys; len(keys) > 0 {
		if _, err := m.add(ctx, "proofs/log.pub", bag.Bytes([]byte(strings.Join(keys, "\n")+"\n"))); err != nil {
			return err
		}
	}
	entries, err := fs.ReadDir(m.proof, "proofs")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries[:min(len(entries), maxProofs)] {
		name := "proofs/" + bag.SafeName(e.Name())
		if !e.Type().IsRegular() || m.plan.Has(name) {
			continue
		}
		f, err := m.proof.Open("proofs/" + e.Name())
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(io.LimitReader(f, maxProof))
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		if _, err := m.add(ctx, name, bag.Bytes(raw)); err != nil {
			return err
		}
	}
	return nil
}

// played is one participant's file.
type played struct {
	derive.MediaLine
	File   string // below playable/
	SHA256 string
	Bytes  int64
}

// derivation says how a derived file was made, so that anybody can make it again.
type derivation struct {
	Derived bool            `json:"derived"` // true: this is no evidence, the archive is
	Note    string          `json:"note"`
	Tool    string          `json:"tool"`
	Args    []string        `json:"args"`
	Input   derivationInput `json:"input"`
	Output  derivationFile  `json:"output"`
}

type derivationInput struct {
	Call     string        `json:"call"`
	Root     string        `json:"root"`   // of the tree over the leaves
	Leaves   uint64        `json:"leaves"` // from the first
	Segments []report.File `json:"segments"`
	Withheld []string      `json:"withheld"`
}

type derivationFile struct {
	Name       string `json:"name"`
	Mime       string `json:"mime"`
	OffsetMs   int64  `json:"offsetMs"`
	DurationMs int64  `json:"durationMs"`
	Bytes      int64  `json:"bytes"`
	SHA256     string `json:"sha256"`
}

// playable takes in one file per participant that plays in a browser, and how each was made.
func (m *maker) playable(ctx context.Context) error {
	in := derivationInput{m.head.call, m.found.Root, m.found.Leaves, m.sums, m.withheld()}
	for _, line := range m.line.Media {
		p := played{MediaLine: line, File: stem(line.Participant) + ending(line.Mime)}
		s, err := m.add(ctx, "playable/"+p.File, func(w io.Writer) error {
			_, err := m.rec.WriteMedia(w, line.Participant)
			return err
		})
		if err != nil {
			return err
		}
		p.Bytes, p.SHA256 = s.Size, s.SHA256
		m.played = append(m.played, p)
		how := derivation{
			Derived: true, Note: "Made from the archive for playing. The archive in original/ is the evidence; this file can be made again from it, byte for byte.",
			Tool: "jedel " + m.site.Version, Args: []string{"evidence", "play-files", "BAG", "--out", "FOLDER"}, Input: in,
			Output: derivationFile{p.File, p.Mime, p.OffsetMs, p.DurationMs, p.Bytes, p.SHA256},
		}
		if err := m.addJSON(ctx, "playable/"+stem(line.Participant)+".derivation.json", how); err != nil {
			return err
		}
	}
	return nil
}

// ending is that of a file to play.
func ending(mime string) string {
	if strings.Contains(mime, "mp4") {
		return ".mp4"
	}
	return ".webm"
}

func (m *maker) addJSON(ctx context.Context, name string, v any) error {
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err = m.add(ctx, name, bag.Bytes(append(raw, '\n')))
	return err
}

// photo is a file that was sent within the call.
type photo struct {
	derive.BlobLine
	File string // below photos/
}

// pictures takes in what was sent within the call, bit by bit as it came. One that is not whole is
// left out; the report names it.
func (m *maker) pictures(ctx context.Context) error {
	for i, b := range m.line.Blobs {
		if err := m.rec.Blob(b.ID, io.Discard); err != nil { // its hash is checked before anything goes out
			continue
		}
		p := photo{b, fmt.Sprintf("%02d-%s", i+1, bag.SafeName(b.Name))}
		if _, err := m.add(ctx, "photos/"+p.File, func(w io.Writer) error { return m.rec.Blob(b.ID, w) }); err != nil {
			return err
		}
		m.photos = append(m.photos, p)
	}
	return nil
}

// tools takes in what reads and verifies the rest.
func (m *maker) tools(ctx context.Context) error {
	if _, err := m.add(ctx, "tools/FORMAT.md", bag.Bytes(docs.Evidence)); err != nil {
		return err
	}
	if _, err := m.add(ctx, "tools/evr_reader.py", bag.Bytes(docs.Reader)); err != nil {
		return err
	}
	for _, t := range m.site.Tools {
		name := "tools/" + bag.SafeName(t.Name)
		if m.plan.Has(name) {
			continue
		}
		if _, err := m.add(ctx, name, t.Fill); err != nil {
			return err
		}
	}
	return nil
}
