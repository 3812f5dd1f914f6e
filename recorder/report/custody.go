package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"jedel/recorder/derive"
	"jedel/recorder/verify"
)

// Custody is everything known of one recording: what it is, whether it is whole, who has had it.
type Custody struct {
	Made     time.Time       `json:"made"`
	Zone     string          `json:"zone"` // IANA name; times are shown in it
	Software string          `json:"software"`
	Request  Request         `json:"request"`
	About    About           `json:"about"`
	Writer   string          `json:"writer"` // the program that recorded
	Host     string          `json:"host"`   // and its machine
	Line     derive.Timeline `json:"-"`
	Proof    *verify.Report  `json:"proof"`
	Files    []File          `json:"files"`
	Accesses []Access        `json:"accesses"`
	Log      *Log            `json:"log,omitempty"`
}

// Request says who wanted it, and why.
type Request struct {
	By           string   `json:"by,omitempty"`
	Organization string   `json:"organization,omitempty"`
	Case         string   `json:"case,omitempty"`
	Reason       string   `json:"reason,omitempty"`
	Export       string   `json:"export,omitempty"` // identifier of the copy
	Withheld     []string `json:"withheld,omitempty"`
}

// About is what the centre knows of the call. Times are Unix milliseconds; 0: it did not happen.
type About struct {
	Call       string `json:"call"`
	Number     string `json:"number"`
	Site       string `json:"site,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Name       string `json:"name,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Operator   string `json:"operator,omitempty"`
	OpenedMs   int64  `json:"openedMs"`
	AnsweredMs int64  `json:"answeredMs,omitempty"`
	EndedMs    int64  `json:"endedMs,omitempty"`
	EndReason  string `json:"endReason,omitempty"`
	Category   string `json:"category,omitempty"`
	Outcome    string `json:"outcome,omitempty"`
}

// File is a file as it is stored.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Access is one look at a recording, or an attempt. Index and Row tell where the site's log has it,
// and the hash it has of it.
type Access struct {
	AtMs   int64   `json:"atMs"`
	Name   string  `json:"name"`
	Action string  `json:"action"`
	Detail string  `json:"detail,omitempty"`
	Call   string  `json:"call,omitempty"` // number of the call; in reports on a person
	Index  *uint64 `json:"index,omitempty"`
	Row    string  `json:"row,omitempty"` // base64 of SHA-256
}

// Log is the site's log as it stood when the report was made.
type Log struct {
	Origin    string `json:"origin"`
	Size      uint64 `json:"size"`
	Root      string `json:"root"`
	Witnessed bool   `json:"witnessed"` // enough of those outside have signed it
}

// most bounds the rows of a table that a call can make long; the rest is in the files beside.
const most = 500

// custody builds the page.
type custody struct {
	Custody
	Words
	zone *time.Location
}

// Doc returns the page of a call.
func (c Custody) Doc(w Words) Doc {
	m := custody{c, w, zone(c.Zone)}
	d := Doc{
		Lang: w.Lang, Title: w.Say("custody.title"), Sub: "№ " + c.About.Number + " · " + m.time(time.UnixMilli(c.About.OpenedMs)) + " · " + c.About.Call,
		Foot: w.Say("made", "at", m.time(c.Made), "software", c.Software),
	}
	d.Sections = []Section{
		{"", []Block{Text(w.Say("custody.intro"))}},
		{w.Say("call"), []Block{m.about()}},
		{w.Say("request"), []Block{m.request()}},
		{w.Say("proof"), m.proof()},
		{w.Say("files"), []Block{m.files(), Text(w.Say("files.note"))}},
		{w.Say("streams"), []Block{m.streams(), Text(w.Say("streams.note"))}},
		{w.Say("arrivals"), []Block{m.arrivals(), Text(w.Say("arrivals.note"))}},
		{w.Say("holes"), []Block{m.holes()}},
		{w.Say("incidents"), []Block{m.incidents()}},
		{w.Say("accesses"), m.accesses()},
		{w.Say("certificate"), []Block{Text(w.Say("certificate.text")), Signing{w.Say("sign.name"), w.Say("sign.post"), w.Say("sign.date")}}},
	}
	return d
}

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return time.UTC
	}
	return z
}

// time shows a moment on the clocks of the place, with what they differ from UTC by.
func (m custody) time(t time.Time) string {
	if t.UnixMilli() <= 0 {
		return "—"
	}
	return t.In(m.zone).Format("02.01.2006 15:04:05.000 (UTC-07:00)")
}

func (m custody) clock(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	return fmt.Sprintf("%02d:%02d:%02d.%03d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60, ms%1000)
}

// filled leaves out what is not known.
func filled(all ...[2]string) Facts {
	out := Facts{}
	for _, f := range all {
		if f[1] != "" && f[1] != "—" {
			out = append(out, f)
		}
	}
	return out
}

func (m custody) about() Facts {
	a := m.About
	return filled(
		[2]string{m.Say("number"), a.Number}, [2]string{m.Say("call.id"), a.Call}, [2]string{m.Say("site"), a.Site},
		[2]string{m.Say("caller"), a.Name}, [2]string{m.Say("phone"), a.Phone}, [2]string{m.Say("operator"), a.Operator},
		[2]string{m.Say("opened"), m.time(time.UnixMilli(a.OpenedMs))}, [2]string{m.Say("answered"), m.time(time.UnixMilli(a.AnsweredMs))},
		[2]string{m.Say("ended"), m.time(time.UnixMilli(a.EndedMs))}, [2]string{m.Say("end.reason"), a.EndReason},
		[2]string{m.Say("category"), a.Category}, [2]string{m.Say("outcome"), a.Outcome},
		[2]string{m.Say("length"), m.clock(m.Line.DurationMs)}, [2]string{m.Say("recorder"), m.Writer}, [2]string{m.Say("host"), m.Host},
	)
}

func (m custody) request() Facts {
	r := m.Request
	out := filled(
		[2]string{m.Say("by"), r.By}, [2]string{m.Say("organization"), r.Organization}, [2]string{m.Say("case"), r.Case},
		[2]string{m.Say("reason"), r.Reason}, [2]string{m.Say("made.at"), m.time(m.Made)}, [2]string{m.Say("export.id"), r.Export},
	)
	for _, s := range r.Withheld {
		out = append(out, [2]string{m.Say("withheld"), s})
	}
	return out
}

func (m custody) proof() []Block {
	if m.Proof == nil {
		return []Block{Text(m.Say("unproven"))}
	}
	t := Table{Head: []string{m.Say("level"), m.Say("result"), m.Say("checked")}, Widths: []float64{0.11, 0.17, 0.72}}
	for _, l := range m.Proof.Levels {
		said := ""
		for _, n := range l.Notes {
			said += m.Note(n) + " "
		}
		if l.Fault != nil {
			for _, f := range append([]verify.Fault{*l.Fault}, l.More...) {
				said += "\n" + m.Fault(f)
			}
		}
		t.Rows = append(t.Rows, []string{l.Level, m.Say("state." + string(l.State)), said})
	}
	out := []Block{t, filled([2]string{m.Say("root"), m.Proof.Root}, [2]string{m.Say("leaves"), strconv.FormatUint(m.Proof.Leaves, 10)})}
	for _, n := range m.Proof.Findings {
		out = append(out, Text(m.Note(n)))
	}
	return append(out, Text(m.Say("proof.note")))
}

func (m custody) files() Table {
	t := Table{Head: []string{m.Say("file"), m.Say("bytes"), "SHA-256"}, Widths: []float64{0.2, 0.15, 0.65}, Mono: []int{0, 1, 2}, None: m.Say("none")}
	for _, f := range m.Files {
		t.Rows = append(t.Rows, []string{f.Name, strconv.FormatInt(f.Bytes, 10), f.SHA256})
	}
	return t
}

func (m custody) streams() Table {
	t := Table{
		Head:   []string{m.Say("stream"), m.Say("codec"), m.Say("from"), m.Say("to"), m.Say("clock")},
		Widths: []float64{0.28, 0.12, 0.21, 0.21, 0.18}, Mono: []int{2, 3}, None: m.Say("none"),
	}
	for _, s := range m.Line.Streams {
		t.Rows = append(t.Rows, []string{m.Stream(s.Role + " " + s.Kind), s.Codec, m.clock(s.OffsetMs), m.clock(s.OffsetMs + s.DurationMs), m.Say("clock." + s.Clock)})
	}
	return t
}

// arrivals are what came of each stream, by which way, and what did not.
func (m custody) arrivals() Table {
	t := Table{
		Head:   []string{m.Say("stream"), m.Say("packets"), m.Say("repeated"), m.Say("copied"), m.Say("lost"), m.Say("damaged.time")},
		Widths: []float64{0.25, 0.13, 0.15, 0.15, 0.15, 0.17}, Mono: []int{1, 2, 3, 4, 5}, None: m.Say("none"),
	}
	for _, s := range m.Line.Streams {
		t.Rows = append(t.Rows, []string{
			m.Stream(s.Role + " " + s.Kind), strconv.Itoa(s.Packets), strconv.Itoa(s.Recovered), strconv.Itoa(s.Copied), strconv.Itoa(s.Lost), m.clock(s.MissingMs),
		})
	}
	return t
}

// holes are what is missing, by the recorder's own account or as found on making the files to play.
func (m custody) holes() Table {
	t := Table{Head: []string{m.Say("from"), m.Say("to"), m.Say("stream"), m.Say("why")}, Widths: []float64{0.18, 0.18, 0.22, 0.42}, Mono: []int{0, 1}, None: m.Say("holes.none")}
	for _, list := range [][]derive.IntervalLine{m.Line.Gaps, m.Line.Damage} {
		for _, i := range list[:min(len(list), most)] {
			t.Rows = append(t.Rows, []string{m.clock(i.FromMs), m.clock(i.ToMs), m.Stream(i.Kind), m.Cause(i.Cause)})
		}
	}
	return t
}

// incidents are the events that the recorder itself tells of.
func (m custody) incidents() Table {
	t := Table{Head: []string{m.Say("when"), m.Say("what"), m.Say("details")}, Widths: []float64{0.18, 0.27, 0.55}, Mono: []int{0, 2}, None: m.Say("incidents.none")}
	for _, e := range m.Line.Events {
		if e.Kind != "recovery" && e.Kind != "degrade" && e.Kind != "clock" || len(t.Rows) == most {
			continue
		}
		t.Rows = append(t.Rows, []string{m.clock(e.Ms), m.Event(e.Kind), string(e.Details)})
	}
	return t
}

func (m custody) accesses() []Block {
	t := Table{
		Head:   []string{m.Say("when"), m.Say("who"), m.Say("what"), m.Say("log.index"), m.Say("log.row")},
		Widths: []float64{0.26, 0.16, 0.24, 0.12, 0.22}, Mono: []int{0, 3, 4}, None: m.Say("accesses.none"),
	}
	for _, a := range m.Accesses {
		t.Rows = append(t.Rows, m.access(a))
	}
	return append([]Block{t}, m.log()...)
}

func (m custody) access(a Access) []string {
	action, refused := strings.CutSuffix(a.Action, " refused")
	what, index := m.known("access."+action, action), "—"
	if refused {
		what += ", " + m.Say("access.refused")
	}
	if a.Detail != "" {
		what += ": " + a.Detail
	}
	if a.Index != nil {
		index = strconv.FormatUint(*a.Index, 10)
	}
	return []string{m.time(time.UnixMilli(a.AtMs)), a.Name, what, index, a.Row}
}

func (m custody) log() []Block {
	if m.Log == nil {
		return nil
	}
	witnessed := m.Say("log.unwitnessed")
	if m.Log.Witnessed {
		witnessed = m.Say("log.enough")
	}
	return []Block{
		Text(m.Say("log.note")),
		Facts{{m.Say("log.origin"), m.Log.Origin}, {m.Say("log.size"), strconv.FormatUint(m.Log.Size, 10)}, {m.Say("root"), m.Log.Root}, {m.Say("log.witnessed"), witnessed}},
	}
}

// Person is what one person has done with recordings.
type Person struct {
	Made     time.Time `json:"made"`
	Zone     string    `json:"zone"`
	Software string    `json:"software"`
	Request  Request   `json:"request"`
	Name     string    `json:"name"`
	Login    string    `json:"login"`
	From, To time.Time // what was asked for
	Accesses []Access  `json:"accesses"`
	Log      *Log      `json:"log,omitempty"`
	More     bool      `json:"more"` // there are older ones than fit in
}

// Doc returns the page of a person.
func (p Person) Doc(w Words) Doc {
	m := custody{Custody{Zone: p.Zone, Made: p.Made, Request: p.Request, Accesses: p.Accesses, Log: p.Log}, w, zone(p.Zone)}
	t := Table{
		Head:   []string{w.Say("when"), w.Say("call"), w.Say("what"), w.Say("log.index"), w.Say("log.row")},
		Widths: []float64{0.26, 0.14, 0.26, 0.12, 0.22}, Mono: []int{0, 3, 4}, None: w.Say("person.none"),
	}
	for _, a := range p.Accesses {
		row := m.access(a)
		row[1] = a.Call
		t.Rows = append(t.Rows, row)
	}
	blocks := []Block{t}
	if p.More {
		blocks = append(blocks, Text(w.Say("person.more", "n", len(p.Accesses))))
	}
	return Doc{
		Lang: w.Lang, Title: w.Say("person.title"), Sub: p.Name + " (" + p.Login + ") · " + m.time(p.From) + " – " + m.time(p.To), Foot: w.Say("made", "at", m.time(p.Made), "software", p.Software),
		Sections: []Section{{"", []Block{Text(w.Say("person.intro"))}}, {w.Say("request"), []Block{m.request()}}, {w.Say("accesses"), append(blocks, m.log()...)}},
	}
}
