package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"jedel/recorder/bag"
	"jedel/recorder/derive"
	"jedel/recorder/report"
	"jedel/recorder/verify"
)

// Proven is a line of the accesses as it was hashed, with the proof that the site's log has the
// hash (C2SP tlog-proof).
type Proven struct {
	Line  json.RawMessage `json:"line"` // in JCS form; its SHA-256 is "row" in the statement
	Leaf  string          `json:"leaf"` // the statement, as it stands in the log
	Index uint64          `json:"index"`
	Proof string          `json:"proof"`
}

// verify looks at what goes out with the receiver's keys.
func (m *maker) verify(context.Context) (err error) {
	opts := verify.Options{Ring: m.ring, Log: m.site.Log}
	if m.site.Key != "" {
		opts.Keys = []string{m.site.Key}
	}
	if m.found, err = verify.Dir(m.files, opts); err != nil {
		return err
	}
	m.found.Levels = slices.DeleteFunc(m.found.Levels, func(l verify.Level) bool { return l.State == verify.Absent }) // V5 is about the files made here
	return nil
}

// author writes what people and common programs read of a bag.
type author struct{ *maker }

// report takes in what is known of the recording's custody.
func (m author) report(ctx context.Context) error {
	about := m.site.About
	about.Call, about.Number, about.OpenedMs = m.head.call, m.head.number, m.line.OpenedMs
	if m.closed(0) { // the journal is where the caller told who they are
		about.Name, about.Phone = "", ""
	}
	c := report.Custody{
		Made: m.At, Zone: m.head.zone, Software: m.software(), Writer: m.head.writer, Host: m.head.host, About: about, Line: m.line, Proof: m.found,
		Files: m.sums, Accesses: m.site.Accesses, Log: m.site.LogState,
		Request: report.Request{By: m.By, Organization: m.Organization, Case: m.Case, Reason: m.Reason, Export: m.ID, Withheld: m.withheld()},
	}
	d := c.Doc(m.words)
	if err := m.addDoc(ctx, "report/custody.html", d); err != nil {
		return err
	}
	var sheets bytes.Buffer // made once: glyphs that look alike may be put in another order the next time
	if err := d.PDF(&sheets); err != nil {
		return err
	}
	if _, err := m.add(ctx, "report/custody.pdf", bag.Bytes(sheets.Bytes())); err != nil {
		return err
	}
	if len(m.site.Proven) > 0 {
		if err := m.addJSON(ctx, "proofs/accesses.json", m.site.Proven); err != nil {
			return err
		}
	}
	return m.addJSON(ctx, "report/custody.json", c)
}

func (r Request) withheld() []string {
	out := make([]string, 0, len(r.Withhold))
	for _, s := range r.Withhold {
		out = append(out, s.String())
	}
	return out
}

// viewed is what the viewer shows, in the shapes of the evidence page.
type viewed struct {
	Lang   string          `json:"lang"`
	Export string          `json:"export"`
	Case   string          `json:"case"`
	Detail viewedDetail    `json:"detail"`
	Report *verify.Report  `json:"report"`
	Seen   []report.Access `json:"accesses"`
	Photos map[string]any  `json:"photos"` // addresses by the file's identifier
}

type viewedDetail struct {
	Row      map[string]any `json:"row"`
	Archive  map[string]any `json:"archive"`
	Timeline any            `json:"timeline"`
}

// shown is a timeline with the addresses of its media.
type shown struct {
	derive.Timeline
	Media []shownMedia `json:"media"`
}

type shownMedia struct {
	derive.MediaLine
	URL string `json:"url"`
}

// noData stands in the viewer where the call's data belong.
const noData = `<script id="data" type="application/json">null</script>`

// ErrViewer means that the viewer has no place for the call's data.
var ErrViewer = errors.New("the viewer has no place for data")

// viewer takes in the page that plays the bag from the disk.
func (m author) viewer(ctx context.Context) error {
	if len(m.site.Viewer) == 0 {
		return nil
	}
	data, err := json.Marshal(m.viewed()) // < and > are escaped: no text of a caller ends the script
	if err != nil {
		return fmt.Errorf("viewer: %w", err)
	}
	if !bytes.Contains(m.site.Viewer, []byte(noData)) {
		return ErrViewer
	}
	page := bytes.Replace(m.site.Viewer, []byte(noData), []byte(strings.Replace(noData, "null", string(data), 1)), 1)
	_, err = m.add(ctx, "viewer/index.html", bag.Bytes(page))
	return err
}

func (m author) viewed() viewed {
	a := m.site.About
	if m.closed(0) {
		a.Name, a.Phone = "", ""
	}
	state := "open"
	if m.found.Sealed {
		state = "sealed"
	}
	media := []shownMedia{}
	for _, p := range m.played {
		media = append(media, shownMedia{p.MediaLine, "../playable/" + p.File})
	}
	v := viewed{
		Lang: m.Lang, Export: m.ID, Case: m.Case, Report: m.found, Seen: append([]report.Access{}, m.site.Accesses...), Photos: map[string]any{},
		Detail: viewedDetail{
			Row: map[string]any{
				"call": m.head.call, "number": m.head.number, "name": a.Name, "phone": a.Phone, "operator": a.Operator, "createdMs": m.line.OpenedMs,
				"answeredMs": a.AnsweredMs, "endedMs": a.EndedMs, "endReason": a.EndReason, "category": a.Category, "outcome": a.Outcome, "recording": state,
			},
			Archive: map[string]any{"state": state, "leaves": m.found.Leaves, "root": m.found.Root, "durationMs": m.line.DurationMs, "dir": "data/original", "damaged": []string{}},
		},
	}
	v.Detail.Timeline = shown{m.line, media}
	for _, p := range m.photos {
		v.Photos[p.ID] = "../photos/" + p.File
	}
	return v
}

// readme takes in the page that says what all this is.
func (m author) readme(ctx context.Context) error {
	say := m.words.Say
	links := report.Links{}
	for _, l := range [][2]string{{"readme.viewer", "viewer/index.html"}, {"readme.custody", "report/custody.html"}, {"readme.sheets", "report/custody.pdf"}, {"readme.chat", "chat.html"}} {
		if m.plan.Has(l[1]) {
			links = append(links, [2]string{say(l[0]), l[1]})
		}
	}
	for _, p := range m.played {
		links = append(links, [2]string{say("readme.play", "who", m.words.Stream(p.Role)), "playable/" + p.File})
	}
	sections := []report.Section{{Blocks: []report.Block{report.Text(say("readme.what")), links}}}
	if len(m.Withhold) > 0 {
		sections = append(sections, report.Section{Title: say("withheld"), Blocks: []report.Block{report.Text(say("readme.withheld", "what", strings.Join(m.withheld(), "; ")))}})
	}
	sections = append(sections,
		report.Section{Title: say("readme.verify"), Blocks: []report.Block{
			report.Text(say("readme.verify.sums")), report.Code("sha256sum -c manifest-sha256.txt"),
			report.Text(say("readme.verify.evr")), report.Code("data/tools/evr-linux-amd64 verify -key data/proofs/recorder.pub -log-key data/proofs/log.pub .\ndata\\tools\\evr-windows-amd64.exe verify -key data\\proofs\\recorder.pub -log-key data\\proofs\\log.pub ."),
			report.Text(say("readme.verify.reader")), report.Code("python3 data/tools/evr_reader.py data/original"),
			report.Text(say("readme.verify.keys")),
		}},
		report.Section{Title: say("readme.inside"), Blocks: []report.Block{m.inside()}},
	)
	d := m.doc("readme.title", sections)
	d.Sub += " · " + m.At.In(m.zone).Format(time.DateOnly)
	return m.addDoc(ctx, "00-READ-ME.html", d)
}

// inside tells what the folders are.
func (m author) inside() report.Facts {
	out := report.Facts{}
	for _, f := range []string{"original/", "proofs/", "playable/", "photos/", "report/", "timeline.json", "location.gpx", "location.geojson", "tools/"} {
		out = append(out, [2]string{f, m.words.Say("inside." + strings.Trim(f, "/"))})
	}
	return out
}
