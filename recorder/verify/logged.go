package verify

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"jedel/recorder/proof"

	"github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"
)

// Log is what a verifier brings along about the site's log.
type Log struct {
	// Keys are the log's verifier keys (C2SP form), got from elsewhere than the archive.
	Keys []string
	// Policy says which witnesses are asked for (sigsum's form, keys as C2SP has them).
	Policy string
	// Roots are the certificates that a time stamp may go back to.
	Roots *x509.CertPool
}

// Names of the files in an archive that prove it to stand in the site's log.
const (
	OpenProof = "proofs/open.tlog-proof"
	SealProof = "proofs/seal.tlog-proof"
	SealToken = "proofs/seal.tsr" // RFC 3161 response over the text of the checkpoint in SealProof
	// DestroyedProof proves that the site's log says by whose word the keys, and perhaps the segments,
	// are gone.
	DestroyedProof = "proofs/destroyed.tlog-proof"
	LogKeyFile     = "proofs/log.pub"
)

// maxProof bounds one file of a proof, in bytes.
const maxProof = 64 << 10

// outside judges what others have signed: V3.
type outside struct {
	*checker
	log    Log
	policy *witness.Group
	known  note.Verifiers
	given  bool
	names  []string // of the keys
}

// logged is V3: the seal stands in the site's log, and others have signed that log.
func (c *checker) logged(opts Log) (Level, error) {
	l := Level{Level: "V3", State: Passed}
	if c.end.bad != nil {
		return c.list(l, []Fault{*c.end.bad}), nil
	}
	raw, err := readBounded(c.fsys, SealProof, maxProof)
	switch {
	case !c.sealed && err == nil: // the seal is there before its proof is
		return c.list(l, []Fault{Fault{Second: c.report.Seconds}.because(badNoSeal, Args{"file": SealProof})}), nil
	case !c.sealed:
		l.State = NotChecked
		l.say(saidLogOpen, nil)
		return l, nil
	case errors.Is(err, fs.ErrNotExist):
		l.State = NotChecked
		l.say(saidNoProof, nil)
		return l, nil
	case err != nil:
		return l, err
	}
	o := &outside{checker: c, log: opts}
	if err := o.prepare(); err != nil {
		return l, err
	}
	faults := o.ended(&l, raw)
	faults = append(faults, o.begun(&l, raw)...)
	if len(faults) == 0 {
		switch {
		case len(o.names) == 0:
			l.State = Partial
			l.say(saidLogKeyNone, nil)
		case !o.given:
			l.State = Partial
			l.say(saidLogKeyOwn, Args{"keys": o.names})
		default:
			l.say(saidLogKeyGiven, Args{"keys": o.names})
		}
	}
	return c.list(l, faults), nil
}

// prepare reads keys and policy.
func (o *outside) prepare() error {
	if o.log.Policy != "" {
		g, err := witness.ParsePolicy([]byte(o.log.Policy))
		if err != nil {
			return fmt.Errorf("witness policy: %w", err)
		}
		o.policy = &g
	}
	keys := o.log.Keys
	o.given = len(keys) > 0
	if !o.given {
		raw, err := readBounded(o.fsys, LogKeyFile, maxProof)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		keys = strings.Fields(string(raw))
	}
	var list []note.Verifier
	for _, k := range keys {
		v, err := note.NewVerifier(strings.TrimSpace(k))
		if err != nil && o.given {
			return fmt.Errorf("key of the log %q: %w", k, err)
		}
		if err == nil {
			list = append(list, v)
			o.names = append(o.names, fmt.Sprintf("%s+%08x", v.Name(), v.KeyHash()))
		}
	}
	o.known = note.VerifierList(list...)
	return nil
}

// ended judges the proof of the seal and who signed the log it stands in.
func (o *outside) ended(l *Level, raw []byte) []Fault {
	end := Fault{Second: o.report.Seconds}
	p, leaf, c, bad := o.entry(SealProof, raw, end)
	if bad != nil {
		return []Fault{*bad}
	}
	sum := ""
	if text, err := readBounded(o.fsys, "seal.note", maxSeal); err == nil {
		s := sha256.Sum256(text)
		sum = base64.StdEncoding.EncodeToString(s[:])
	}
	n, _ := leaf.Number("n")
	if leaf.Kind != proof.LeafSeal || string(leaf.Call) != o.Content.Call || o.checker.seal == nil || n != o.checker.seal.Leaves || leaf.Text("root") != o.checker.seal.Root || leaf.Text("note") != sum {
		return []Fault{end.because(badLogOther, Args{"file": SealProof})}
	}
	l.say(saidLogged, Args{"index": p.Index, "size": c.Size, "origin": plain(c.Origin)})
	outsiders := o.witnesses(l, p.Checkpoint)
	stamped, why := o.stamp(l, p.Checkpoint)
	if why != "" {
		return []Fault{end.because(badStamp, Args{"cause": why})}
	}
	if !outsiders && !stamped {
		l.State = Partial
		l.say(saidNoOutsider, nil)
	}
	return nil
}

// begun judges the proof of the opening: that the archive was not made up later.
func (o *outside) begun(l *Level, seal []byte) []Fault {
	raw, err := readBounded(o.fsys, OpenProof, maxProof)
	if err != nil {
		l.State = Partial // a site may not have had a log yet when the call began
		l.say(saidUnbegun, nil)
		return nil
	}
	begin := Fault{}
	p, leaf, _, bad := o.entry(OpenProof, raw, begin)
	if bad != nil {
		return []Fault{*bad}
	}
	if leaf.Kind != proof.LeafOpen && leaf.Kind != proof.LeafRecover || string(leaf.Call) != o.Content.Call || !sameCheckpoint(p, seal) {
		return []Fault{begin.because(badLogOther, Args{"file": OpenProof})}
	}
	l.say(saidOpenLogged, Args{"index": p.Index, "at": leaf.At.UTC().Format(time.RFC3339)})
	return nil
}

// sameCheckpoint tells whether two proofs end at one checkpoint: what is found about the signatures of
// one holds for the other.
func sameCheckpoint(p proof.Logged, other []byte) bool {
	q, err := proof.ParseLogged(other)
	return err == nil && bytes.Equal(p.Checkpoint, q.Checkpoint)
}

// entry checks one proof file.
func (o *outside) entry(name string, raw []byte, at Fault) (proof.Logged, proof.Leaf, proof.Checkpoint, *Fault) {
	fail := func(code Code, why Code) *Fault {
		f := at.because(code, Args{"file": name, "cause": why})
		return &f
	}
	p, err := proof.ParseLogged(raw)
	if err != nil {
		return p, proof.Leaf{}, proof.Checkpoint{}, fail(badProof, causeMalformed)
	}
	leaf, err := proof.ParseLeaf(p.Entry)
	if err != nil {
		return p, leaf, proof.Checkpoint{}, fail(badProof, causeMalformed)
	}
	if len(o.names) == 0 { // nobody's signature can be checked; the path still can
		text, _ := proof.NoteText(p.Checkpoint)
		c, err := proof.ParseCheckpoint(text)
		if err == nil {
			err = p.Follows(c)
		}
		if err != nil {
			return p, leaf, c, fail(badProof, causePath)
		}
		return p, leaf, c, nil
	}
	c, err := p.Check(o.known)
	switch {
	case errors.Is(err, proof.ErrProof):
		return p, leaf, c, fail(badProof, causePath)
	case err != nil:
		return p, leaf, c, fail(badProof, cause(err))
	}
	return p, leaf, c, nil
}

// witnesses tells who has cosigned; true where the policy asked for is satisfied.
func (o *outside) witnesses(l *Level, checkpoint []byte) bool {
	if o.policy == nil {
		return false
	}
	var who []string
	for _, c := range proof.Cosigners(checkpoint, *o.policy) {
		who = append(who, c.Name+" "+c.At.UTC().Format(time.RFC3339))
	}
	slices.Sort(who)
	if o.policy.Satisfied(checkpoint) {
		l.say(saidWitnessed, Args{"names": who})
		return true
	}
	l.State = Partial
	l.say(saidUnwitnessed, Args{"names": who})
	return false
}

// stamp judges the authority's token; true where it goes back to a certificate that was given. The
// chain is judged at the time that the token names: certificates end, what they signed stays.
func (o *outside) stamp(l *Level, checkpoint []byte) (bool, Code) {
	raw, err := readBounded(o.fsys, SealToken, maxProof)
	if err != nil {
		return false, "" // none: an authority is not everywhere to be had
	}
	token, err := ParseToken(raw)
	if err != nil {
		return false, causeToken
	}
	if text, _ := proof.NoteText(checkpoint); !token.Stamps(text) {
		return false, causeImprint
	}
	who := "?"
	if cert := token.signed.GetOnlySigner(); cert != nil {
		who = plain(cert.Subject.CommonName)
		if !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) {
			return false, causeChain
		}
	}
	args := Args{"at": token.Time.UTC().Format(time.RFC3339), "authority": who}
	if o.log.Roots == nil {
		l.say(saidStampedBy, args)
		return false, ""
	}
	if err := token.signed.VerifyWithOpts(x509.VerifyOptions{Roots: o.log.Roots, CurrentTime: token.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}}); err != nil {
		return false, causeChain
	}
	l.say(saidStamped, args)
	return true, ""
}
