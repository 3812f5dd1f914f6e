package derive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// blobInfo is a BLOB_META record.
type blobInfo struct {
	ID       string
	Name     string
	Mime     string
	Size     int64
	SHA256   string
	Declared *BlobFacts
	Found    *BlobFacts
	Marks    []string
}

// BlobFacts is when and where a file is said to have been taken.
type BlobFacts struct {
	Mime      string   `json:"mime,omitempty"`
	TakenAt   string   `json:"taken_at,omitempty"`
	Lat       *float64 `json:"lat,omitempty"`
	Lon       *float64 `json:"lon,omitempty"`
	AccuracyM float64  `json:"accuracy_m,omitempty"`
}

// Bounds of what is kept of blobs. The limit is 20 files of a call.
const (
	maxBlobs  = 10_000
	maxChunks = 1 << 16
)

// blob takes a BLOB_META or BLOB_CHUNK record. Chunks name their blob in word and come in order.
func (l *loader) blob(rec record) {
	i, known := l.blobs[rec.word]
	if rec.kind == recBlobMeta {
		var b blobInfo
		if json.Unmarshal(rec.data, &b) != nil || len(l.rec.Blobs) == maxBlobs {
			l.odd++
			return
		}
		if i, known = l.blobs[b.ID]; !known {
			i = len(l.rec.Blobs)
			l.blobs[b.ID] = i
			l.rec.Blobs = append(l.rec.Blobs, Blob{ID: b.ID, At: ns(rec.at)})
		}
		to := &l.rec.Blobs[i]
		to.Name, to.Mime, to.Size, to.SHA256 = b.Name, b.Mime, b.Size, b.SHA256
		to.Declared, to.Found, to.Marks = b.Declared, b.Found, b.Marks
		return
	}
	if !known {
		if len(l.rec.Blobs) == maxBlobs {
			l.odd++
			return
		}
		i = len(l.rec.Blobs)
		l.blobs[rec.word] = i
		l.rec.Blobs = append(l.rec.Blobs, Blob{ID: rec.word, At: ns(rec.at)})
	}
	b := &l.rec.Blobs[i]
	if rec.no > uint64(len(b.chunks)) || rec.no >= maxChunks {
		l.odd++ // one before is missing: the hash will tell
		return
	}
	b.chunks = append(b.chunks[:rec.no], rec.at0) // sent anew, it begins at 0 again
}

// finishBlobs forgets those that never ended, and notes those that are not whole.
func (l *loader) finishBlobs() {
	l.rec.Blobs = slices.DeleteFunc(l.rec.Blobs, func(b Blob) bool { return b.SHA256 == "" })
	for _, b := range l.rec.Blobs {
		n := int64(0)
		for _, c := range b.chunks {
			n += int64(c.n)
		}
		if n != b.Size {
			l.rec.Damage = append(l.rec.Damage, Fault{At: b.At, Where: "blob " + b.ID, What: fmt.Sprintf("%d of %d bytes", n, b.Size)})
		}
	}
}

// Blob writes the file sent under the name id, as it came. Its hash is checked before the first
// byte is written, so that ErrNoBlob and ErrBadBlob leave w untouched.
func (r *Recording) Blob(id string, w io.Writer) error {
	for i := range r.Blobs {
		if r.Blobs[i].ID != id {
			continue
		}
		b := &r.Blobs[i]
		h := sha256.New()
		if err := r.copyBlob(b, h); err != nil {
			return err
		}
		if !strings.EqualFold(hex.EncodeToString(h.Sum(nil)), b.SHA256) {
			return fmt.Errorf("blob %s: %w", id, ErrBadBlob)
		}
		return r.copyBlob(b, w)
	}
	return ErrNoBlob
}

func (r *Recording) copyBlob(b *Blob, w io.Writer) error {
	rd := &reader{src: r.src}
	for _, c := range b.chunks {
		data, err := rd.block(c.block)
		if err != nil {
			return fmt.Errorf("blob %s: %w", b.ID, err)
		}
		if uint64(c.off)+uint64(c.n) > uint64(len(data)) {
			return fmt.Errorf("blob %s: %w", b.ID, ErrBadBlob)
		}
		if _, err := w.Write(data[c.off : c.off+c.n]); err != nil {
			return fmt.Errorf("blob %s: %w", b.ID, err)
		}
	}
	return nil
}
