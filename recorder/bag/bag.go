// Package bag writes and checks BagIt bags (RFC 8493): a folder of files with their checksums,
// packed as zip or tar. Everything in a bag is made twice: once to be measured, once to be written,
// so that nothing lies in the clear on a disk in between; what is not the same both times is an error.
package bag

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"time"
)

// Fill writes the content of one file. It is called twice and must write the same both times.
type Fill func(io.Writer) error

// Sum is what a file was measured to be.
type Sum struct {
	Size   int64
	SHA256 string // hex
	SHA512 string // hex
	crc    uint32
}

// Reasons why a bag is not made.
var (
	ErrTwice   = errors.New("two files of one name")
	ErrChanged = errors.New("a file changed while the bag was made")
	ErrMany    = errors.New("too many files")
)

// maxFiles bounds the files of a bag.
const maxFiles = 100_000

// Plan is a bag to be: its files, measured. It is used by one goroutine.
type Plan struct {
	base  string
	at    time.Time
	info  [][2]string
	files []entry
	names map[string]bool // folded: Windows and macOS see no difference of case
}

type entry struct {
	name string // within the bag
	fill Fill
	sum  Sum
}

// New returns an empty plan of a bag whose folder is called base. Every file gets the time at, so
// that the same content is the same bag.
func New(base string, at time.Time) (*Plan, error) {
	if err := CheckName(base); err != nil || strings.Contains(base, "/") {
		return nil, errors.Join(ErrName, err)
	}
	return &Plan{base: base, at: at.UTC().Truncate(2 * time.Second), names: map[string]bool{}}, nil // 2 s: what zip can say
}

// Info adds a line to bag-info.txt (RFC 8493 section 2.2.2). Line breaks in the value become spaces.
func (p *Plan) Info(label, value string) {
	value = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == 0x2028 || r == 0x2029 || r == 0x85 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(value, "_")))
	p.info = append(p.info, [2]string{label, value})
}

// Has reports whether there is a file of that name, in whatever case, below data/.
func (p *Plan) Has(name string) bool { return p.names[strings.ToLower(payload+name)] }

// Original is the folder of the archive in an export's bag.
const Original = payload + "original"

// payload is the folder of what is kept in a bag.
const payload = "data/"

// Add measures a file of the payload, name being below data/, and takes it in.
func (p *Plan) Add(ctx context.Context, name string, fill Fill) (Sum, error) {
	if err := CheckName(payload + name); err != nil {
		return Sum{}, err
	}
	if p.Has(name) {
		return Sum{}, fmt.Errorf("%w: %s", ErrTwice, name)
	}
	if len(p.files) == maxFiles {
		return Sum{}, ErrMany
	}
	s, err := measure(ctx, fill)
	if err != nil {
		return Sum{}, fmt.Errorf("%s: %w", name, err)
	}
	p.names[strings.ToLower(payload+name)] = true
	p.files = append(p.files, entry{payload + name, fill, s})
	return s, nil
}

// Size returns the bytes of the payload so far.
func (p *Plan) Size() int64 {
	n := int64(0)
	for _, f := range p.files {
		n += f.sum.Size
	}
	return n
}

// TagSum returns the SHA-256 of the bag's tagmanifest-sha256.txt in hex: it stands for the whole
// bag, however it is packed.
func (p *Plan) TagSum(ctx context.Context) (string, error) {
	tags, err := p.tags(ctx)
	if err != nil {
		return "", err
	}
	return tags[len(tags)-1].sum.SHA256, nil
}

// Bytes is a Fill of what is in memory.
func Bytes(b []byte) Fill {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

// measure counts and sums what fill writes.
func measure(ctx context.Context, fill Fill) (Sum, error) {
	small, large, crc := sha256.New(), sha512.New(), crc32.NewIEEE()
	w := &counter{ctx: ctx.Err, to: io.MultiWriter(small, large, crc)}
	if err := fill(w); err != nil {
		return Sum{}, err
	}
	return Sum{w.n, hex.EncodeToString(small.Sum(nil)), hex.EncodeToString(large.Sum(nil)), crc.Sum32()}, nil
}

// counter counts what goes through it and ends with its context.
type counter struct {
	ctx func() error
	to  io.Writer
	n   int64
}

func (c *counter) Write(b []byte) (int, error) {
	if err := c.ctx(); err != nil {
		return 0, err
	}
	n, err := c.to.Write(b)
	c.n += int64(n)
	return n, err
}

// copyTo writes a file a second time and holds it against its measure.
func (e entry) copyTo(ctx context.Context, w io.Writer) error {
	h := sha256.New()
	c := &counter{ctx: ctx.Err, to: io.MultiWriter(h, &limited{w, e.sum.Size})}
	if err := e.fill(c); err != nil {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	if c.n != e.sum.Size || hex.EncodeToString(h.Sum(nil)) != e.sum.SHA256 {
		return fmt.Errorf("%w: %s", ErrChanged, e.name)
	}
	return nil
}

// limited takes no more than was measured: the header in front has said how much it is.
type limited struct {
	to   io.Writer
	left int64
}

func (l *limited) Write(b []byte) (int, error) {
	if int64(len(b)) > l.left {
		return 0, ErrChanged
	}
	l.left -= int64(len(b))
	return l.to.Write(b)
}

// tags returns the tag files in front of the payload, measured.
func (p *Plan) tags(ctx context.Context) ([]entry, error) {
	var info strings.Builder
	for _, l := range p.info {
		fmt.Fprintf(&info, "%s: %s\n", l[0], l[1])
	}
	fmt.Fprintf(&info, "Payload-Oxum: %d.%d\n", p.Size(), len(p.files))
	texts := [][2]string{
		{"bagit.txt", declaration},
		{"bag-info.txt", info.String()},
		{"manifest-sha256.txt", p.manifest(func(s Sum) string { return s.SHA256 })},
		{"manifest-sha512.txt", p.manifest(func(s Sum) string { return s.SHA512 })},
	}
	var out []entry
	var tagged strings.Builder
	add := func(name, text string) error {
		s, err := measure(ctx, Bytes([]byte(text)))
		out = append(out, entry{name, Bytes([]byte(text)), s})
		fmt.Fprintf(&tagged, "%s  %s\n", s.SHA256, name)
		return err
	}
	for _, t := range texts {
		if err := add(t[0], t[1]); err != nil {
			return nil, err
		}
	}
	return out, add("tagmanifest-sha256.txt", tagged.String())
}

const declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

// manifest lists the payload's checksums, in the order of the names.
func (p *Plan) manifest(sum func(Sum) string) string {
	files := slices.SortedFunc(slices.Values(p.files), func(a, b entry) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%s  %s\n", sum(f.sum), encodePath(f.name))
	}
	return b.String()
}
