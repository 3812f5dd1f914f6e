package recorder

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/proof"
)

// Statements is the site's log as the recorder uses it. Saying something never holds up a recording.
type Statements interface {
	// Say makes a statement, now or a little later.
	Say(leaf proof.Leaf)
	// Sealed makes the statement that an archive has ended, and keeps its proofs in the archive's folder
	// once there are any. Saying it twice does no harm.
	Sealed(leaf proof.Leaf, dir string)
	// LastHead returns the last head or seal of a part of a call that is in the log, looking back no
	// further than since.
	LastHead(ctx context.Context, call ident.CallID, part int, since time.Time) (proof.Leaf, bool, error)
}

// silence is a site without a log.
type silence struct{}

// Say implements Statements.
func (silence) Say(proof.Leaf) {}

// Sealed implements Statements.
func (silence) Sealed(proof.Leaf, string) {}

// LastHead implements Statements.
func (silence) LastHead(context.Context, ident.CallID, int, time.Time) (proof.Leaf, bool, error) {
	return proof.Leaf{}, false, nil
}

// SealProof is the file in an archive's folder that proves its seal to stand in the site's log.
const SealProof = "proofs/seal.tlog-proof"

// say tells the site's log something of this archive.
func (w *writer) say(kind proof.LeafKind, at time.Time, facts map[string]any) {
	if facts == nil {
		facts = map[string]any{}
	}
	facts["part"] = w.a.part
	w.a.rec.cfg.Log.Say(proof.Leaf{Kind: kind, Call: w.a.meta.Call, At: at, Facts: facts})
}

// sayBegun tells that the archive begins, or goes on after a crash.
func (w *writer) sayBegun(old *recovered) {
	if old == nil {
		w.say(proof.LeafOpen, w.a.meta.Opened, nil)
		return
	}
	facts := map[string]any{"n": old.manifest.Leaves, "root": old.manifest.Root, "of": old.part}
	if old.damage != "" {
		facts["damaged"] = true
	}
	w.say(proof.LeafRecover, w.a.base, facts)
}

// treeFacts returns what a statement says of a tree.
func treeFacts(size uint64, root []byte) map[string]any {
	return map[string]any{"n": size, "root": base64.StdEncoding.EncodeToString(root)}
}

// sealLeaf is the statement that an archive has ended with this seal.
func sealLeaf(call ident.CallID, part int, m proof.Manifest, note []byte) proof.Leaf {
	at, err := time.Parse(time.RFC3339Nano, m.Ended)
	if err != nil {
		at = time.Unix(0, 0)
	}
	sum := sha256.Sum256(note)
	return proof.Leaf{Kind: proof.LeafSeal, Call: call, At: at, Facts: map[string]any{
		"part": part, "n": m.Leaves, "root": m.Root, "note": base64.StdEncoding.EncodeToString(sum[:]),
	}}
}

// compare looks up what the site's log has of an unsealed archive.
func (r *Recorder) compare(ctx context.Context, f *found, id ident.CallID, part int) error {
	if !f.opened.IsZero() {
		logged, ok, err := r.cfg.Log.LastHead(ctx, id, part, f.opened.Add(-time.Minute))
		if err != nil {
			return err
		}
		if ok {
			f.against(logged)
		}
	}
	f.roots = nil // only this needed them
	return nil
}

// sayUnproven says the seals again of which the archive has no proof: the log was not there, or a
// crash came between.
func (r *Recorder) sayUnproven(root fs.FS, dir string, id ident.CallID, part int) error {
	if _, silent := r.cfg.Log.(silence); silent {
		return nil
	}
	if _, err := fs.Stat(root, dir+"/"+SealProof); err == nil {
		return nil
	}
	raw, err := fs.ReadFile(root, dir+"/seal.note")
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	text, err := proof.Open(raw, r.verifier)
	if err != nil {
		r.log.Error("a seal that this recorder has not signed; the site log is not told of it", "dir", dir, "err", err)
		return nil
	}
	var m proof.Manifest
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, proof.SealPrefix)), &m); err != nil {
		return fmt.Errorf("seal of %s: %w", dir, err)
	}
	r.cfg.Log.Sealed(sealLeaf(id, part, m, raw), dir)
	return nil
}

// against compares an unsealed archive with the last head that the site's log has of it. A folder
// that was put back to an earlier state, together with its heads, is found by nothing else.
func (f *found) against(logged proof.Leaf) {
	n, ok := logged.Number("n")
	switch {
	case f.damage != "" || !ok:
	case logged.Kind == proof.LeafSeal:
		f.damage = "its seal is gone: the site log has one"
	case n > f.tree.Size():
		f.damage = fmt.Sprintf("lost after signing: the site log has a head of %d leaves, %d found", n, f.tree.Size())
	case n > 0 && base64.StdEncoding.EncodeToString(f.roots[n]) != logged.Text("root"):
		f.damage = fmt.Sprintf("tampered or rotten: the site log has another root of %d leaves", n)
	}
}
