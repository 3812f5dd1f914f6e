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

// block appends the bytes of a block as they are stored to out, which has room for them. The pieces
// stay as they are: a disk that fails gets them again in another segment, under another key.
func (c *crypt) block(out []byte, pieces []chunk, h evr.BlockHeader) []byte {
	begin := len(out)
	body := begin + evr.HeaderSize
	if c.sealer != nil {
		body += keys.Lead // sealed where it is put together
	}
	plain := out[body:body]
	for i := range pieces {
		plain = append(plain, pieces[i].buf...)
	}
	out = out[:body+len(plain)]
	if c.sealer != nil {
		h.Flags |= evr.FlagEncrypted
		aad := h.AAD()
		out = c.sealer.Seal(out[:begin+evr.HeaderSize], keys.At{Stream: h.Stream, Epoch: h.Epoch, Leaf: h.Leaf}, aad[:], plain)
	}
	evr.SealBlock(out[begin:], h)
	return out
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
