package recorder

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
)

// crypt is the keys of an archive while it is written. Its zero value writes plain blocks.
type crypt struct {
	kek    keys.Key
	id     string // of the kek; empty: plain
	sealer *keys.Sealer
	out    []byte
}

// begin makes a key for the call, or for what follows a crash, and keeps it wrapped to every
// recipient beside the segments and in the store of keys: both are durable before a first packet is
// taken.
func (c *crypt) begin(r *Recorder, dir string) error {
	if len(r.cfg.Recipients) == 0 {
		return nil
	}
	rand.Read(c.kek[:])
	file, err := keys.WrapKEK(c.kek, r.cfg.Recipients)
	if err != nil {
		return err
	}
	id := c.kek.ID()
	if err := r.disk.Replace(dir+"/"+plain.KeyName(id), file); err != nil {
		return fmt.Errorf("call key: %w", err)
	}
	second := path.Base(dir)
	if err := errors.Join(r.keystore.MkdirAll(second), r.keystore.Replace(second+"/"+plain.KeyName(id), file)); err != nil {
		return fmt.Errorf("second copy of the call key: %w", err)
	}
	c.id = id
	return nil
}

// segment makes a fresh key for a segment and writes it, wrapped, into the segment's header.
func (c *crypt) segment(h *evr.SegmentHeader, salt []byte) {
	if c.id == "" {
		return
	}
	c.wipe()
	var dek keys.Key
	var nonce [12]byte
	rand.Read(dek[:])
	rand.Read(nonce[:])
	h.KEKID, h.WrappedDEK = c.id, keys.WrapDEK(c.kek, dek, keys.Place(h.Call, h.Seg), nonce)
	c.sealer = keys.NewSealer(dek, salt, h.Call)
}

// block returns the bytes of a block as they are stored. buf has room for the header in front of
// the plain payload, which stays as it is: a disk that fails gets it again in another segment,
// under another key. The result is valid until the next call.
func (c *crypt) block(buf []byte, h evr.BlockHeader) []byte {
	if c.sealer == nil {
		evr.SealBlock(buf, h)
		return buf
	}
	h.Flags |= evr.FlagEncrypted
	aad := h.AAD()
	c.out = append(c.out[:0], make([]byte, evr.HeaderSize)...)
	c.out = c.sealer.Seal(c.out, keys.At{Stream: h.Stream, Epoch: h.Epoch, Leaf: h.Leaf}, aad[:], buf[evr.HeaderSize:])
	evr.SealBlock(c.out, h)
	return c.out
}

// wipe forgets the key of the segment.
func (c *crypt) wipe() {
	if c.sealer != nil {
		c.sealer.Wipe()
		c.sealer = nil
	}
}

// ring returns what this life of the recorder can open: what it wrote itself.
func (c *crypt) ring() *keys.Ring {
	ring := &keys.Ring{}
	if c.id != "" {
		ring.AddKEK(c.kek)
	}
	return ring
}

// recipientIDs returns the recipients as a manifest lists them: fingerprints, no names.
func recipientIDs(all []keys.Recipient) []string {
	out := make([]string, 0, len(all))
	for _, r := range all {
		out = append(out, r.ID())
	}
	return out
}
