package recorder

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/proof"

	"github.com/gowebpki/jcs"
)

// seal writes the last head and the signed manifest. The manifest is made from what stands on the
// disk, not from what this process believes to have written; where the two differ nothing is
// sealed.
func (w *writer) seal(info SealInfo) error {
	if err := w.head("sealed", false); err != nil {
		return err
	}
	if w.file != nil { // if the disk refuses the seal, what comes until the next try goes into a further segment
		w.leave()
		w.reason = "rotate"
	}
	if err := w.closeFiles(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	found, err := survey(os.DirFS(filepath.Join(w.a.rec.cfg.Dir, filepath.FromSlash(w.a.dir))), w.crypt.ring())
	if err != nil {
		return fmt.Errorf("survey: %w", err)
	}
	root, err := w.safe.Root()
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	m := found.manifest
	if m.Root != base64.StdEncoding.EncodeToString(root) || m.Leaves != w.safe.Size() {
		return fmt.Errorf("what is on the disk is not what was written: %d leaves, expected %d", m.Leaves, w.safe.Size())
	}
	m.Format, m.Call, m.Number, m.Site, m.Timezone = "EVR1", string(w.a.meta.Call), w.a.meta.Number, w.a.rec.cfg.Site, w.a.meta.Zone
	m.Opened, m.Answered, m.Ended = stamp(w.a.meta.Opened), stamp(info.Answered), stamp(info.Ended)
	m.EndCause, m.Operator, m.Category, m.Outcome = info.Cause, info.Operator, info.Category, info.Outcome
	m.KEKID, m.Recipients = w.crypt.id, recipientIDs(w.a.rec.cfg.Recipients)
	m.Software, m.Host = w.a.rec.me.writer, w.a.rec.me.host
	m.SiteLog = w.a.rec.cfg.LogOrigin
	raw, err := json.Marshal(m)
	if err == nil {
		raw, err = jcs.Transform(raw)
	}
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	signed, err := proof.Sign(proof.SealPrefix+string(raw)+"\n", w.a.rec.signer)
	if err != nil {
		return err
	}
	if err := w.a.rec.disk.Replace(w.a.dir+"/seal.note", signed); err != nil {
		return err
	}
	w.a.rec.cfg.Log.Sealed(sealLeaf(w.a.meta.Call, w.a.part, m, signed), w.a.dir)
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// found is what stands in an archive's folder.
type found struct {
	manifest  proof.Manifest
	tree      *proof.Tree
	heads     [][]byte // good ones
	torn      int      // bytes after the last good head
	opened    time.Time
	lastT     uint64
	maxID     uint16
	nextSeg   int
	last      string // the last segment that counts, and how many of its bytes
	lastBytes int64
	roots     map[uint64][]byte // by size, for heads
	damage    string            // why the archive must not be continued; empty where it may
}

// survey reads a whole archive, the content as far as the ring has its keys.
func survey(fsys fs.FS, ring *keys.Ring) (*found, error) {
	f := &found{tree: proof.NewTree(), roots: map[uint64][]byte{}}
	if raw, err := fs.ReadFile(fsys, "heads"); err == nil {
		var torn []byte
		f.heads, torn = proof.SplitHeads(raw)
		f.torn = len(torn)
	}
	sc, err := evr.NewScanner(fsys)
	if err != nil {
		return nil, err
	}
	defer sc.Close()
	sv := surveyor{found: f, plain: plain.NewReader(ring), streams: map[uint16]*proof.ManifestStream{}, seg: -1}
	for {
		b, err := sc.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		upTo := len(sc.Segments())
		if err == nil {
			upTo = b.Segment + 1
		}
		sv.segs = sc.Segments()
		if err := sv.headers(sv.segs[:upTo]); err != nil {
			return nil, err
		}
		if err != nil || sv.crashed(sc) {
			break
		}
		if err := sv.block(b); err != nil {
			return nil, err
		}
	}
	return f, sv.finish(fsys, sc)
}

// crashed tells whether the last segment has come to the first place that cannot be read. A power
// cut leaves such places wherever fdatasync had not returned, and whole blocks after them: all of
// it is the torn tail. That nothing signed is among it, the heads tell.
func (sv *surveyor) crashed(sc *evr.Scanner) bool {
	segs := sc.Segments()
	last := len(segs) - 1
	for last >= 0 && !segs[last].Counts {
		last--
	}
	for _, f := range sc.Faults() {
		if f.Segment == last && f.Offset > 0 {
			segs[last].Valid = f.Offset
			return true
		}
	}
	return false
}

// surveyor gathers what survey returns.
type surveyor struct {
	*found
	plain   *plain.Reader
	segs    []evr.Segment
	streams map[uint16]*proof.ManifestStream
	seg     int
	order   []uint16
}

// headers adds the header leaves of segments reached.
func (sv *surveyor) headers(segs []evr.Segment) error {
	for sv.seg+1 < len(segs) {
		sv.seg++
		s := segs[sv.seg]
		if s.Raw == nil || !s.Counts {
			continue
		}
		if s.Header.FirstLeaf != sv.tree.Size() {
			sv.damage = fmt.Sprintf("%s begins at leaf %d, expected %d", s.Name, s.Header.FirstLeaf, sv.tree.Size())
		}
		if t, err := time.Parse(time.RFC3339Nano, s.Header.Opened); err == nil {
			sv.opened = t
		}
		sv.manifest.Boots = appendNew(sv.manifest.Boots, s.Header.Boot)
		if s.Header.Reason == "recover" {
			sv.manifest.Recoveries++
		}
		sv.lastT = max(sv.lastT, uint64(max(0, s.Header.Mono0)))
		if err := sv.leaf(evr.Leaf(s.Raw)); err != nil {
			return err
		}
	}
	return nil
}

func appendNew(list []string, s string) []string {
	for _, x := range list {
		if x == s {
			return list
		}
	}
	return append(list, s)
}

func (sv *surveyor) leaf(h [32]byte) error {
	if err := sv.tree.Add(h); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	root, err := sv.tree.Root()
	sv.roots[sv.tree.Size()] = root
	return err
}

func (sv *surveyor) block(b evr.Block) error {
	if b.Header.Leaf != sv.tree.Size() && sv.damage == "" {
		sv.damage = fmt.Sprintf("block of leaf %d at the place of %d", b.Header.Leaf, sv.tree.Size())
	}
	if err := sv.leaf(evr.Leaf(b.Raw)); err != nil {
		return err
	}
	sv.lastT, sv.maxID = max(sv.lastT, b.Header.T), max(sv.maxID, b.Header.Stream)
	st := sv.streams[b.Header.Stream]
	if st == nil {
		st = &proof.ManifestStream{ID: b.Header.Stream, FirstMs: int64(b.Header.T / 1e6)}
		sv.streams[b.Header.Stream] = st
		sv.order = append(sv.order, b.Header.Stream)
	}
	st.Lost += uint64(b.Header.Lost)
	payload, err := sv.plain.Payload(&sv.segs[b.Segment], b.Header, b.Payload())
	if errors.Is(err, keys.ErrNoKey) { // of an earlier life: counted by what is outside of the ciphertext
		st.LastMs, st.Unread = max(st.LastMs, int64(b.Header.T/1e6)), true
		return nil
	}
	if err != nil && sv.damage == "" {
		sv.damage = "leaf " + fmt.Sprint(b.Header.Leaf) + ": " + err.Error()
		return nil
	}
	err = evr.Records(b.Header, payload, func(r evr.Record) error {
		sv.lastT = max(sv.lastT, r.T)
		st.LastMs = max(st.LastMs, int64(r.T/1e6))
		sv.count(st, r)
		return nil
	})
	if err != nil && sv.damage == "" {
		sv.damage = "records of leaf " + fmt.Sprint(b.Header.Leaf) + ": " + err.Error()
	}
	return nil
}

func (sv *surveyor) count(st *proof.ManifestStream, r evr.Record) {
	m := &sv.manifest
	switch r.Kind {
	case evr.RTP, evr.RTPRecovered:
		st.Packets++
	case evr.StreamOpen:
		var info StreamInfo
		if json.Unmarshal(r.Data, &info) == nil {
			st.Participant, st.Role, st.Kind, st.Codec, st.SSRC = info.Participant, info.Role, info.Kind, info.Codec, info.SSRC
		}
	case evr.Location:
		m.Locations++
	case evr.Chat:
		m.Chat++
	case evr.Event:
		m.Events++
	case evr.Gap:
		m.Gaps++
	case evr.BlobMeta:
		var b proof.ManifestBlob
		if json.Unmarshal(r.Data, &b) == nil {
			m.Blobs = proof.WithBlob(m.Blobs, b)
		}
	}
}

// finish compares with the heads and describes the segments.
func (sv *surveyor) finish(fsys fs.FS, sc *evr.Scanner) error {
	m := &sv.manifest
	root, err := sv.tree.Root()
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	m.Leaves, m.Root, m.Heads = sv.tree.Size(), base64.StdEncoding.EncodeToString(root), len(sv.heads)
	m.Streams, m.Segments, m.Recipients = []proof.ManifestStream{}, []proof.ManifestSegment{}, []string{}
	if m.Blobs == nil {
		m.Blobs = []proof.ManifestBlob{}
	}
	for _, id := range sv.order {
		if id != 0 {
			m.Streams = append(m.Streams, *sv.streams[id])
		}
	}
	for _, raw := range sv.heads {
		sv.checkHead(raw)
	}
	crashed := sv.crashed(sc)
	for i, f := range sc.Faults() {
		if tail := f.Tail || (crashed && i == len(sc.Faults())-1); !tail && sv.damage == "" {
			sv.damage = fmt.Sprintf("%s at %d: %v", f.Name, f.Offset, f.Err)
		}
	}
	if err := sv.keyFiles(fsys); err != nil {
		return err
	}
	segs := sc.Segments()
	sv.nextSeg = len(segs)
	for i, s := range segs {
		sum, err := sumFile(fsys, s.Name)
		if err != nil {
			return err
		}
		last := m.Leaves
		for _, next := range segs[i+1:] {
			if next.Raw != nil && next.Counts {
				last = next.Header.FirstLeaf
				break
			}
		}
		var n int
		if _, err := fmt.Sscanf(s.Name, "%05d.evr", &n); err == nil {
			sv.nextSeg = max(sv.nextSeg, n+1)
		}
		if s.Counts && s.Raw != nil {
			sv.last, sv.lastBytes = s.Name, s.Valid
		}
		m.Segments = append(m.Segments, proof.ManifestSegment{
			Name: s.Name, Bytes: s.Size, ValidBytes: s.Valid, SHA256: sum, FirstLeaf: s.Header.FirstLeaf, LastLeaf: max(last, 1) - 1, Reason: s.Header.Reason,
		})
	}
	return nil
}

// keyFiles notes the wrapped keys of the call.
func (sv *surveyor) keyFiles(fsys fs.FS) error {
	names, err := plain.KeyFiles(fsys)
	sv.manifest.KeyFiles = []proof.ManifestKey{}
	for _, name := range names {
		sum, err := sumFile(fsys, name)
		if err != nil {
			return err
		}
		sv.manifest.KeyFiles = append(sv.manifest.KeyFiles, proof.ManifestKey{Name: name, SHA256: sum})
	}
	return err
}

// checkHead compares one head with what was found.
func (sv *surveyor) checkHead(raw []byte) {
	text, _, ok := cutNote(raw)
	h, err := proof.ParseHead(text)
	switch {
	case sv.damage != "":
	case !ok || err != nil:
		sv.damage = "a head that is none"
	case h.Size > sv.tree.Size():
		sv.damage = fmt.Sprintf("lost after signing: a head of %d leaves, %d found", h.Size, sv.tree.Size())
	case string(sv.roots[h.Size]) != string(h.Root):
		sv.damage = fmt.Sprintf("tampered or rotten: the head of %d leaves has another root", h.Size)
	}
}

// cutNote splits a signed note into text and signatures, without checking them.
func cutNote(raw []byte) (text, sigs string, ok bool) {
	s := string(raw)
	for i := range len(s) - 1 {
		if s[i] == '\n' && s[i+1] == '\n' {
			return s[:i+1], s[i+2:], true
		}
	}
	return "", "", false
}

func sumFile(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", fmt.Errorf("hash %s: %w", name, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hash %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// recovered is an unsealed archive of an earlier process.
type recovered struct {
	dir  string
	part int // of its recording
	*found
}

// recoverAll finds archives without a seal. They are read, never changed: what follows is written
// into a new segment by Start.
func (r *Recorder) recoverAll(ctx context.Context) error {
	root := plain.Regular(os.DirFS(r.cfg.Dir))
	days, err := fs.Glob(root, "calls/*/*/*/*")
	if err != nil {
		return err
	}
	for _, dir := range days {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		id, n, err := parsePart(dir)
		if err != nil {
			continue
		}
		if _, err := fs.Stat(root, dir+"/seal.note"); err == nil {
			if err := r.sayUnproven(root, dir, id, n); err != nil {
				return err
			}
			continue
		}
		sub, err := fs.Sub(root, dir)
		if err != nil {
			return err
		}
		f, err := survey(sub, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		if err := r.compare(ctx, f, id, n); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		if f.damage != "" {
			r.met.damaged.Inc()
			r.log.Error("an unsealed archive is damaged; it is left as it is, and the call goes on beside it", "call", id, "part", n, "why", f.damage)
		}
		if last := r.unsealed[id]; last == nil || last.part < n {
			r.unsealed[id] = &recovered{dir: dir, part: n, found: f}
		}
	}
	return nil
}
