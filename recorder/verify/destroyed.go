package verify

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"jedel/recorder/proof"
)

// SignerFile has the recorder's keys where the segments that name them were deleted.
const SignerFile = "proofs/recorder.pub"

// ending is what the site's log says of the destruction of an archive's keys.
type ending struct {
	known  bool // the statement is there and holds
	erased bool // the segments are gone by the same word
	leaf   proof.Leaf
	index  uint64
	origin string
	own    []string // keys of the log that were found in the archive itself; empty where they were given
	bad    *Fault
}

// remains judges what is left of an archive whose keys were destroyed.
type remains struct{ *checker }

// read reads the statement that the keys were destroyed, where there is one. Only a statement
// that holds, and that is about this seal, explains what is missing.
func (c remains) read(log Log) error {
	raw, err := readBounded(c.fsys, DestroyedProof, maxProof)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	o := &outside{checker: c.checker, log: log}
	if err := o.prepare(); err != nil {
		return err
	}
	p, leaf, point, bad := o.entry(DestroyedProof, raw, Fault{})
	if bad == nil && (c.seal == nil || leaf.Kind != proof.LeafDestroyed || string(leaf.Call) != c.seal.Call || !slices.Contains(strings.Fields(leaf.Text("root")), c.seal.Root)) {
		f := Fault{}.because(badLogOther, Args{"file": DestroyedProof})
		bad = &f
	}
	if c.end.bad = bad; bad != nil {
		return nil
	}
	c.end = ending{known: true, leaf: leaf, index: p.Index, origin: plain(point.Origin)}
	if !o.given {
		c.end.own = o.names
	}
	if len(c.Segments) == 0 && leaf.Text("segments") == "delete" {
		c.end.erased = true
		c.Content.Call, c.Content.Leaves, c.Content.Root = c.seal.Call, c.seal.Leaves, c.seal.Root // nothing else tells them
		c.report.Call, c.report.Leaves, c.report.Root = plain(c.seal.Call), c.seal.Leaves, c.seal.Root
		c.report.Number, c.report.Opened = plain(c.seal.Number), plain(c.seal.Opened)
	}
	return nil
}

// files is V0 where the segments were deleted.
func (c remains) files() Level {
	l := Level{Level: "V0", State: Partial}
	l.say(saidErased, Args{"segments": len(c.seal.Segments), "index": c.end.index, "origin": c.end.origin, "at": c.at()})
	if len(c.end.own) > 0 {
		l.say(saidLogKeyOwn, Args{"keys": c.end.own})
	}
	return l
}

// structure is V1 where the segments were deleted.
func (c remains) structure() Level {
	l := Level{Level: "V1", State: Partial}
	l.say(saidErasedRead, Args{"leaves": c.seal.Leaves, "segments": len(c.seal.Segments)})
	return l
}

// head judges a head whose tree was deleted; empty where it may be right.
func (c remains) head(h Head) Code {
	root, err := base64.StdEncoding.DecodeString(c.seal.Root)
	switch {
	case h.Size > c.seal.Leaves:
		return badHeadGone
	case h.Size == c.seal.Leaves && (err != nil || !bytes.Equal(root, h.Root)):
		return badHeadFork
	}
	return ""
}

func (c remains) at() string { return c.end.leaf.At.UTC().Format(time.RFC3339) }

// say tells in V4 by whose word nobody can open the archive any more.
func (c remains) say(l *Level) {
	l.say(saidDestroyed, Args{"at": c.at(), "by": plain(c.end.leaf.Text("by")), "approver": plain(c.end.leaf.Text("approver")), "index": c.end.index})
}

// signers returns the keys that were kept when the segments were deleted.
func (c remains) signers() ([]string, error) {
	raw, err := readBounded(c.fsys, SignerFile, maxProof)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return strings.Fields(string(raw)), err
}
