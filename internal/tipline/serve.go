package tipline

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"jedel/internal/fault"
	"jedel/internal/tips"
	"jedel/internal/tipstore"
)

// Headers of requests. Names and values are in docs/PROTOCOL.md.
const (
	headMailbox = "Tip-Mailbox" // the mailbox's key
	headLetter  = "Tip-Letter"  // SHA-256 of the body, hexadecimal
	headStamp   = "Tip-Stamp"
)

// Table is every route of the listener; docs/PROTOCOL.md lists them too, a test holds them together.
func (l *Line) Table() map[string]func(http.ResponseWriter, *http.Request) error {
	c, u := citizens{l}, duty{l}
	return map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /api/v1/tips": l.begin,

		"POST /api/v1/tips/units/{unit}/letters": c.post,
		"GET /api/v1/tips/mailbox":               c.replies,
		"GET /api/v1/tips/mailbox/{letter}":      c.reply,
		"DELETE /api/v1/tips/mailbox/{letter}":   c.dropReply,

		"GET /api/v1/tips/units/{unit}/question":             u.question,
		"GET /api/v1/tips/units/{unit}/letters":              u.onDuty(u.list),
		"GET /api/v1/tips/units/{unit}/letters/{letter}":     u.onDuty(u.letter),
		"DELETE /api/v1/tips/units/{unit}/letters/{letter}":  u.onDuty(u.prune),
		"POST /api/v1/tips/units/{unit}/mailboxes/{mailbox}": u.onDuty(u.answer),
	}
}

func (l *Line) routes() {
	l.mux = http.NewServeMux()
	for pattern, fn := range l.Table() {
		l.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { l.done(w, fn(w, r)) })
	}
	l.mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) { l.done(w, fault.New(fault.NotFound, "tips", nil)) })
	l.mux.HandleFunc("/", l.pages.serve)
}

// ServeHTTP answers one request. A panic costs one request; it is told of once a day.
func (l *Line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if recover() != nil {
			l.trouble[bugTrouble].Store(true)
			panic(http.ErrAbortHandler) // ends the connection without a line in any log
		}
	}()
	l.guard(w.Header())
	if r.ContentLength != 0 { // what is refused is read to its end by the server; a letter has a time of its own
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeFor(0)))
	}
	if origin := r.Header.Get("Origin"); origin != "" && r.Method != http.MethodGet && r.Method != http.MethodHead {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			l.done(w, fault.New(fault.ForeignOrigin, "tips", nil))
			return
		}
	}
	l.mux.ServeHTTP(w, r)
}

// statuses are the HTTP statuses of refusals; all others are 400.
var statuses = map[fault.Code]int{
	fault.NotFound: http.StatusNotFound, fault.NoSuchUnit: http.StatusNotFound, fault.NoSuchMailbox: http.StatusNotFound, fault.NotSignedIn: http.StatusUnauthorized,
	fault.RateLimited: http.StatusTooManyRequests, fault.TooLarge: http.StatusRequestEntityTooLarge, fault.NoSpace: http.StatusInsufficientStorage, fault.TooMany: http.StatusConflict,
	fault.ForeignOrigin: http.StatusForbidden, fault.Unavailable: http.StatusServiceUnavailable, fault.Internal: http.StatusInternalServerError, fault.BadStamp: http.StatusPreconditionFailed,
}

// done answers a refusal by code and words. Causes are not logged: they come at the time of the request.
func (l *Line) done(w http.ResponseWriter, err error) {
	if err == nil {
		return
	}
	code := fault.CodeOf(err)
	switch code {
	case fault.Internal:
		l.trouble[storeTrouble].Store(true)
	case fault.NoSpace:
		l.trouble[spaceTrouble].Store(true)
	}
	status, ok := statuses[code]
	if !ok {
		status = http.StatusBadRequest
	}
	_ = answer(w, status, map[string]any{"error": map[string]any{"code": code, "words": fault.Words(code)}})
}

func answer(w http.ResponseWriter, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
	return nil
}

type unitView struct {
	Key        string     `json:"key"`
	Names      fault.Text `json:"names"`
	Recipients []string   `json:"recipients"`
}

// begin tells what a page needs to seal and stamp a letter.
func (l *Line) begin(w http.ResponseWriter, _ *http.Request) error {
	if err := l.take(&l.reads); err != nil {
		return err
	}
	units := []unitView{}
	for _, u := range l.cfg.Units {
		v := unitView{u.Key, u.Names, []string{}}
		for _, r := range u.Recipients {
			v.Recipients = append(v.Recipients, r.Text)
		}
		units = append(units, v)
	}
	return answer(w, http.StatusOK, map[string]any{
		"units": units, "classes": tips.Classes(), "challenge": tips.ChallengeAt(l.secret, l.now()).Text(), "stampBits": l.cfg.StampBits, "keep": l.cfg.KeepText, "onion": l.cfg.Onion,
	})
}

// minPace is how quickly a body must come on the average, in bytes a second: onion services are slow.
const minPace = 16 << 10

func timeFor(bytes int) time.Duration {
	return 30*time.Second + time.Duration(bytes/minPace)*time.Second
}

// longest is how long the largest letter may take in either direction.
func longest() time.Duration { return timeFor(tips.Largest.Bytes()) + time.Minute }

// size tells the class of a letter by its announced length alone.
func size(r *http.Request, recipients int) (tips.Class, error) {
	const op = "tips.size"
	if r.ContentLength > int64(tips.SealedBytes(tips.Largest, recipients)) {
		return 0, fault.New(fault.TooLarge, op, nil)
	}
	c, err := tips.SealedClass(int(r.ContentLength), recipients)
	if err != nil {
		return 0, fault.New(fault.NotSealed, op, nil)
	}
	return c, nil
}

// body reads a sealed letter to so many recipients: its length first, then its bytes, then their shape.
func (l *Line) body(w http.ResponseWriter, r *http.Request, recipients int) ([]byte, tips.Class, error) {
	const op = "tips.body"
	c, err := size(r, recipients)
	if err != nil {
		return nil, 0, err
	}
	n := int(r.ContentLength)
	slots := l.large
	if c == 0 {
		slots = l.small
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	default:
		return nil, 0, fault.New(fault.Unavailable, op, nil)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeFor(n))) // not of a test's recorder
	raw := make([]byte, n)
	if _, err := io.ReadFull(r.Body, raw); err != nil {
		return nil, 0, fault.New(fault.BadMessage, op, nil)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // a late end of it is no reason to drop the letter
	if _, err := tips.CheckSealed(raw, recipients); err != nil {
		return nil, 0, fault.New(fault.NotSealed, op, nil)
	}
	return raw, c, nil
}

func (l *Line) unit(r *http.Request) (Unit, error) {
	u, ok := l.units[r.PathValue("unit")]
	if !ok {
		return u, fault.New(fault.NoSuchUnit, "tips.unit", nil)
	}
	return u, nil
}

// keep makes a letter durable and says of which day it is.
func (l *Line) keep(w http.ResponseWriter, r *http.Request, c tips.Class, t tipstore.Letter) error {
	t.Day = tips.DayOf(l.now().In(l.cfg.Zone))
	fresh, err := l.store.Put(r.Context(), t, func(total, box int64) error { return l.cfg.Bounds.Admit(total, box, c, len(t.Sealed)) })
	if err != nil {
		return err
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	return answer(w, status, map[string]any{"letter": tips.IDOf(t.Sealed).String(), "day": t.Day.String()})
}

type entryView struct {
	Letter  string `json:"letter"`
	Mailbox string `json:"mailbox,omitempty"`
	Day     string `json:"day"`
	Bytes   int    `json:"bytes"`
}

// get returns the letter of the path where it may be seen.
func (l *Line) get(r *http.Request, may func(tipstore.Letter) bool) (tips.ID, tipstore.Letter, error) {
	id, err := tips.ParseID(r.PathValue("letter"))
	if err != nil {
		return id, tipstore.Letter{}, fault.New(fault.NotFound, "tips.get", nil)
	}
	t, err := l.store.Get(r.Context(), id)
	if err == nil && !may(t) {
		err = fault.New(fault.NotFound, "tips.get", nil)
	}
	return id, t, err
}

// hand gives out sealed bytes.
func hand(w http.ResponseWriter, t tipstore.Letter) error {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(t.Sealed)))
	_, _ = w.Write(t.Sealed)
	return nil
}

func (l *Line) drop(w http.ResponseWriter, r *http.Request, id tips.ID) error {
	if err := l.store.Delete(r.Context(), id, tips.DayOf(l.now().In(l.cfg.Zone))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
