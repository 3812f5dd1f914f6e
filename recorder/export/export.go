// Package export makes of one call what an investigator takes to court: a BagIt bag with the
// archive as it is stored, keys for as much of it as the receiver may see, files to play, reports,
// a viewer that needs no network, and what is needed to verify all of it without us.
package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"jedel/recorder/bag"
	"jedel/recorder/derive"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/report"
	"jedel/recorder/verify"
)

// Request says what is exported, for whom and why.
type Request struct {
	ID           string // of this export
	At           time.Time
	By           string // who asks
	Organization string
	Case, Reason string
	Lang         string         // of the pages: kk, ru, en
	Withhold     []Stretch      // what the receiver may not see
	Recipient    keys.Recipient // the receiver's key; zero: the keys lie open beside the archive
}

// Stretch is a part of a call that is withheld, on the call's clock.
type Stretch struct {
	Stream   int           // keys.All: every stream. The journal, with chat, positions and photos, is 0
	From, To time.Duration // To 0: to the end
}

// Site is what the exporting program knows beside the archive.
type Site struct {
	Key      string       // the recorder's public key
	Log      verify.Log   // of the site: its keys and its witnesses' policy
	Ring     *keys.Ring   // keys to the call; nil: the archive goes out closed
	About    report.About // what the centre knows of the call; may be empty: the archive alone speaks
	Accesses []report.Access
	Proven   []Proven    // accesses with their proofs
	LogState *report.Log // of the log they stand in
	Viewer   []byte      // the page that plays the bag; empty: none goes along
	Tools    []Tool
	Version  string
	Progress func(bytes int64) // told of every stretch of bytes made; nil: nobody listens
}

// Tool is a program that verifies.
type Tool struct {
	Name string
	Fill bag.Fill
}

// Reasons why there is no export. Nothing has been written when Prepare returns them.
var (
	ErrNoArchive = errors.New("no archive here")
	ErrPlain     = errors.New("an archive that is not encrypted cannot be withheld in part")
	ErrRequest   = errors.New("request of an export")
)

// Bounds of a request.
const (
	maxText     = 500 // letters
	maxWithheld = 200
)

var (
	goodID   = regexp.MustCompile(`^[0-9A-Za-z-]{4,40}$`)
	goodLang = regexp.MustCompile(`^(kk|ru|en)$`)
)

// Check refuses a request that cannot be carried out.
func (r Request) Check() error {
	if !goodID.MatchString(r.ID) || r.At.IsZero() || !goodLang.MatchString(r.Lang) || len(r.Withhold) > maxWithheld {
		return fmt.Errorf("%w: id %q, language %q, %d stretches", ErrRequest, r.ID, r.Lang, len(r.Withhold))
	}
	for _, s := range []string{r.By, r.Organization, r.Case, r.Reason} {
		if len([]rune(s)) > maxText {
			return fmt.Errorf("%w: a text of more than %d letters", ErrRequest, maxText)
		}
	}
	for _, s := range r.Withhold {
		if s.Stream < keys.All || s.Stream > 0xffff || s.From < 0 || s.To < 0 || s.To != 0 && s.To <= s.From {
			return fmt.Errorf("%w: stretch %s", ErrRequest, s)
		}
	}
	return nil
}

// String returns the stretch as ParseStretch reads it.
func (s Stretch) String() string {
	stream := "all"
	if s.Stream != keys.All {
		stream = strconv.Itoa(s.Stream)
	}
	if s.From == 0 && s.To == 0 {
		return stream
	}
	to := ""
	if s.To != 0 {
		to = s.To.String()
	}
	return stream + ":" + s.From.String() + "-" + to
}

// ParseStretch reads STREAM or STREAM:FROM-TO; the stream a number or "all", the times such as 90s
// or 1m30s, an empty one meaning the call's begin or end.
func ParseStretch(text string) (s Stretch, err error) {
	stream, times, timed := strings.Cut(text, ":")
	if s.Stream = keys.All; stream != "all" {
		if s.Stream, err = strconv.Atoi(stream); err != nil || s.Stream < 0 || s.Stream > 0xffff {
			return s, fmt.Errorf("%w: %q names no stream", ErrRequest, text)
		}
	}
	if !timed {
		return s, nil
	}
	from, to, ok := strings.Cut(times, "-")
	for _, part := range []struct {
		text string
		to   *time.Duration
	}{{from, &s.From}, {to, &s.To}} {
		if part.text == "" {
			continue
		}
		d, err := time.ParseDuration(part.text)
		if err != nil || d < 0 {
			ok = false
		}
		*part.to = d
	}
	if !ok || s.To != 0 && s.To <= s.From {
		return s, fmt.Errorf("%w: %q is no stretch of time", ErrRequest, text)
	}
	return s, nil
}

// Export is a bag that is ready to be written. Its archive must stay readable until it is.
type Export struct {
	name string
	plan *bag.Plan
}

// Name returns what the bag is called, without an ending.
func (e *Export) Name() string { return e.name }

// TagSum returns the SHA-256 of the bag's list of lists, in hex: it stands for the whole bag.
func (e *Export) TagSum(ctx context.Context) (string, error) { return e.plan.TagSum(ctx) }

// Size returns the bytes of the content.
func (e *Export) Size() int64 { return e.plan.Size() }

// Zip writes the bag as a zip.
func (e *Export) Zip(ctx context.Context, w io.Writer) error { return e.plan.Zip(ctx, w) }

// Tar writes the bag as a tar.
func (e *Export) Tar(ctx context.Context, w io.Writer) error { return e.plan.Tar(ctx, w) }

// maker gathers the content of one export.
type maker struct {
	Request
	site  Site
	files *frozen
	proof fs.FS // the archive's folder, for what lies below it
	plan  *bag.Plan
	words report.Words
	zone  *time.Location
	head  header
	ring  *keys.Ring // what the receiver can open
	rec   *derive.Recording
	line  derive.Timeline

	played []played
	photos []photo
	sums   []report.File // of the originals
	found  *verify.Report
}

// header is what the first segment says of the call.
type header struct {
	call, number, zone, opened, writer, host string
}

// Prepare measures everything that the export of the archive in dir will hold. What is still being
// recorded is exported as far as it is signed.
func Prepare(ctx context.Context, dir fs.FS, r Request, site Site) (*Export, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	m := &maker{Request: r, site: site, proof: dir}
	if err := m.open(dir); err != nil {
		return nil, err
	}
	a := author{m}
	for _, step := range []func(context.Context) error{m.original, m.keys, m.proofs, m.verify, m.playable, m.pictures, a.lists, a.report, a.viewer, m.tools, a.readme} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
	}
	return &Export{name: m.name(), plan: m.plan}, nil
}

func (m *maker) name() string { return bag.SafeName(m.head.call + "-export-" + m.ID) }

// open freezes the archive and begins the bag.
func (m *maker) open(dir fs.FS) (err error) {
	if m.files, err = freeze(dir); err != nil {
		return err
	}
	h, err := m.files.header()
	if err != nil {
		return err
	}
	m.head = header{h.Call, h.Number, h.Zone, h.Opened, h.Writer, h.Host}
	if m.zone, err = time.LoadLocation(h.Zone); err != nil {
		m.zone = time.UTC
	}
	if m.words, err = report.In(m.Lang); err != nil {
		return err
	}
	if m.plan, err = bag.New(m.name(), m.At); err != nil {
		return err
	}
	for _, l := range [][2]string{
		{"Source-Organization", m.Organization}, {"Contact-Name", m.By}, {"External-Identifier", h.Call}, {"External-Description", "Recording of call " + h.Number},
		{"Bagging-Date", m.At.UTC().Format(time.DateOnly)}, {"Internal-Sender-Identifier", m.ID}, {"Case-Number", m.Case}, {"Reason", m.Reason}, {"Bag-Software-Agent", "jedel " + m.site.Version},
	} {
		if l[1] != "" {
			m.plan.Info(l[0], l[1])
		}
	}
	return nil
}

// add takes a file in and tells of it.
func (m *maker) add(ctx context.Context, name string, fill bag.Fill) (bag.Sum, error) {
	return m.plan.Add(ctx, name, m.told(fill))
}

// told makes a fill tell how much it has written.
func (m *maker) told(fill bag.Fill) bag.Fill {
	if m.site.Progress == nil {
		return fill
	}
	return func(w io.Writer) error { return fill(teller{w, m.site.Progress}) }
}

type teller struct {
	to   io.Writer
	tell func(int64)
}

func (t teller) Write(b []byte) (int, error) {
	n, err := t.to.Write(b)
	t.tell(int64(n))
	return n, err
}

// closed reports whether something of a stream is withheld.
func (r Request) closed(stream int) bool {
	for _, s := range r.Withhold {
		if s.Stream == keys.All || s.Stream == stream {
			return true
		}
	}
	return false
}

func (r Request) stretches() []plain.Stretch {
	out := make([]plain.Stretch, 0, len(r.Withhold))
	for _, s := range r.Withhold {
		to := uint64(s.To)
		if s.To == 0 {
			to = 1<<64 - 1
		}
		out = append(out, plain.Stretch{Stream: s.Stream, From: uint64(s.From), To: to})
	}
	return out
}
