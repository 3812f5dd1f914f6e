package signaling

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jedel/internal/fault"
	"jedel/internal/ident"
)

// copies makes what leaves the house: reports and exports.
type copies struct{ *Server }

// form reads how a report is to be written.
func form(r *http.Request) (Form, error) {
	v := r.URL.Query()
	f := Form{Lang: v.Get("lang"), PDF: v.Get("form") == "pdf"}
	if !slices.Contains([]string{"kk", "ru", "en"}, f.Lang) || !slices.Contains([]string{"", "html", "pdf"}, v.Get("form")) {
		return f, fault.New(fault.BadValue, "evidence.custody", nil)
	}
	return f, nil
}

// why is for what somebody has opened a recording.
func (c copies) why(who Who, call ident.CallID) (Why, error) {
	o, ok := c.openings.use(openedBy{who.Staff, call}, time.Now())
	if !ok {
		return Why{}, fault.New(fault.ReasonNeeded, "evidence", nil)
	}
	return Why(o), nil
}

// custody tells who has had a recording, as a page or as sheets.
func (c copies) custody(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := c.evidenceCall(r, who, "custody")
	if err != nil {
		return err
	}
	f, err := form(r)
	if err != nil {
		return err
	}
	why, err := c.why(who, call)
	if err != nil {
		return err
	}
	write, err := c.evidence.reports.Call(r.Context(), who, call, why, f)
	if err != nil {
		return err
	}
	c.send(w, write, f, "custody-"+string(call))
	return nil
}

// person tells what a member of staff did with recordings.
func (c copies) person(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "evidence.person"
	f, err := form(r)
	if err != nil {
		return err
	}
	v := r.URL.Query()
	q := PersonQuery{Login: r.PathValue("login"), Why: Why{v.Get("case"), v.Get("reason")}}
	b, err := openingRequest(q.Why).check()
	if err != nil {
		return err
	}
	q.Why = Why(b)
	for key, to := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		ms, err := strconv.ParseInt(v.Get(key), 10, 64)
		if err != nil {
			return fault.New(fault.BadValue, op, err)
		}
		*to = time.UnixMilli(ms)
	}
	if !q.From.Before(q.To) || len(q.Login) > 100 {
		return fault.New(fault.BadValue, op, nil)
	}
	if err := c.probes.Audit(r.Context(), who, "person", q.Login, b.Case+" · "+b.Reason); err != nil {
		return err
	}
	write, err := c.evidence.reports.Person(r.Context(), who, q, f)
	if err != nil {
		return err
	}
	c.send(w, write, f, "custody-"+q.Login)
	return nil
}

// send answers with a report.
func (c copies) send(w http.ResponseWriter, write func(io.Writer) error, f Form, name string) {
	kind, ending, shown := "text/html; charset=utf-8", ".html", "inline"
	if f.PDF {
		kind, ending, shown = "application/pdf", ".pdf", "attachment"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	w.Header().Set("Content-Disposition", mime.FormatMediaType(shown, map[string]string{"filename": name + ending}))
	if err := write(w); err != nil {
		c.log.Warn("report broke off", "name", name, "err", err)
		panic(http.ErrAbortHandler)
	}
}

// list tells of the copies of a call.
func (c copies) list(w http.ResponseWriter, r *http.Request, _ Who) error {
	call, err := ident.Parse[ident.CallID](r.PathValue("call"))
	if err != nil {
		return fault.New(fault.NoSuchCall, "evidence.exports", err)
	}
	c.answer(w, http.StatusOK, map[string]any{"exports": c.evidence.exports.List(call)})
	return nil
}

// exportRequest is the order of a copy.
type exportRequest struct {
	Lang         string     `json:"lang"`
	Form         string     `json:"form"` // zip, tar
	Organization string     `json:"organization"`
	Recipient    string     `json:"recipient"`
	Withhold     []Withheld `json:"withhold"`
}

// Bounds of an order.
const (
	maxOrganization = 200
	maxRecipient    = 4000 // a hybrid recipient has some 2,000 letters
	maxWithheld     = 100
)

func (b exportRequest) check() error {
	const op = "evidence.export"
	if !slices.Contains([]string{"kk", "ru", "en"}, b.Lang) || !slices.Contains([]string{"zip", "tar"}, b.Form) {
		return fault.New(fault.BadValue, op, nil)
	}
	if utf8.RuneCountInString(b.Organization) > maxOrganization || len(b.Recipient) > maxRecipient || len(b.Withhold) > maxWithheld {
		return fault.New(fault.TooLarge, op, nil)
	}
	for _, h := range b.Withhold {
		if h.Stream < -1 || h.Stream > 0xffff || h.FromMs < 0 || h.ToMs < 0 || h.ToMs != 0 && h.ToMs <= h.FromMs || h.ToMs > 1e9 || h.FromMs > 1e9 {
			return fault.New(fault.BadValue, op, nil)
		}
	}
	return nil
}

// make begins a copy; it goes on when the page is closed.
func (c copies) make(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := c.evidenceCall(r, who, "export")
	if err != nil {
		return err
	}
	b, err := body[exportRequest](r, "evidence.export")
	if err == nil {
		err = b.check()
	}
	if err != nil {
		return err
	}
	why, err := c.why(who, call)
	if err != nil {
		return err
	}
	state, err := c.evidence.exports.Make(r.Context(), who, call, ExportOrder{
		Why: why, Lang: b.Lang, Organization: strings.TrimSpace(b.Organization), Recipient: strings.TrimSpace(b.Recipient), Tar: b.Form == "tar", Withhold: b.Withhold,
	})
	if err != nil {
		return err
	}
	c.answer(w, http.StatusAccepted, state)
	return nil
}

// take sends a copy; one that broke off goes on where it was.
func (c copies) take(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := c.evidenceCall(r, who, "take")
	if err != nil {
		return err
	}
	file, err := c.evidence.exports.Open(call, r.PathValue("export"))
	if err != nil {
		return err
	}
	defer file.Content.Close()
	w.Header().Set("Content-Type", file.Mime)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("ETag", strconv.Quote(r.PathValue("export")))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	http.ServeContent(w, r, "", file.ModTime, file.Content)
	return nil
}

// drop ends or removes a copy.
func (c copies) drop(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := c.evidenceCall(r, who, "drop")
	if err != nil {
		return err
	}
	if err := c.evidence.exports.Drop(call, r.PathValue("export")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
