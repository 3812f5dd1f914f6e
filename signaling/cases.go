package signaling

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/wire"
)

// Cases answers the console about cases, and carries out what is done to them.
type Cases interface {
	// Cases finds cases, and the cursor of the next page.
	Cases(ctx context.Context, who Who, q store.CaseQuery) ([]CaseItem, string, error)
	// Case tells everything of one case.
	Case(ctx context.Context, who Who, id ident.CaseID) (CaseView, error)
	// Act does something to a case and returns it as it is then.
	Act(ctx context.Context, who Who, id ident.CaseID, act CaseAct) (CaseView, error)
	// Similar returns cases that may be about the same event, the likeliest first.
	Similar(ctx context.Context, who Who, id ident.CaseID) ([]SimilarCase, error)
	// Choices are the configured kinds and outcomes.
	Choices() CaseChoices
}

// CaseRow is a case in a list. Times are milliseconds since 1970 UTC, 0 for never.
type CaseRow struct {
	Case        string   `json:"case"`
	Number      string   `json:"number"`
	Version     uint64   `json:"version"`
	Lane        string   `json:"lane"` // call, report
	Kind        string   `json:"kind"`
	Priority    int      `json:"priority"` // 0 life at risk … 3
	Unit        string   `json:"unit"`
	Status      string   `json:"status"` // registered, in_work, patrol_sent, on_scene, closed, reopened
	Owner       string   `json:"owner"`
	OwnerName   string   `json:"ownerName"`
	Handing     string   `json:"handing"`
	HandingName string   `json:"handingName"`
	Lat         *float64 `json:"lat,omitempty"`
	Lon         *float64 `json:"lon,omitempty"`
	Outcome     string   `json:"outcome"`
	Into        string   `json:"into"`
	CaseTimes
}

// CaseItem is a case in a list, with what a person tells cases apart by.
type CaseItem struct {
	CaseRow
	Name    string    `json:"name"`    // of the citizen
	Place   string    `json:"place"`   // in words
	Text    string    `json:"text"`    // how it begins
	Plate   string    `json:"plate"`   // the first
	Files   int       `json:"files"`   // that came with it
	Patrols []string  `json:"patrols"` // that are at it now, names
	Late    bool      `json:"late"`    // a patrol does not answer
	Why     []CaseWhy `json:"why"`     // what of it a search found
	Alike   []string  `json:"alike"`   // cases of this page that may be about the same event
}

// CaseWhy is where a search found what it looked for.
type CaseWhy struct {
	What string `json:"what"` // number, phone, name, plate, place, note, patrol, reply
	Text string `json:"text"`
}

// CaseTimes are the moments of a case.
type CaseTimes struct {
	OpenedMs  int64 `json:"openedMs"`
	SinceMs   int64 `json:"sinceMs"` // of the status
	SentMs    int64 `json:"sentMs"`
	ArrivedMs int64 `json:"arrivedMs"`
	ClosedMs  int64 `json:"closedMs"`
	RepliedMs int64 `json:"repliedMs"` // when the citizen was first told more than the receipt
}

// CaseView is everything of a case.
type CaseView struct {
	CaseRow
	Citizen    CaseCitizen     `json:"citizen"`
	Card       []CaseLine      `json:"card"`
	Recordings []CaseRecording `json:"recordings"`
	Sendings   []CaseSending   `json:"sendings"`
	Replies    []CaseTold      `json:"replies"`
	Links      []CaseRef       `json:"links"`
	Merged     []CaseRef       `json:"merged"`
	IntoNumber string          `json:"intoNumber"`
	Reply      string          `json:"reply"`  // what the citizen is told of the closing
	UndoMs     int64           `json:"undoMs"` // until when the closing may be taken back; 0: not
	Reopenings int             `json:"reopenings"`
	May        []string        `json:"may"` // what whoever asks may do to it: edit, send, take_over, play
}

// CaseCitizen is who asked.
type CaseCitizen struct {
	Name   string `json:"name"`
	Phone  string `json:"phone"`
	Lang   string `json:"lang"`
	Proven bool   `json:"proven"`
}

// CaseLine is one line of a card.
type CaseLine struct {
	ID     string     `json:"id"`
	What   string     `json:"what"` // place, person, vehicle, note
	AtMs   int64      `json:"atMs"`
	By     string     `json:"by"` // name; empty: the citizen
	Place  *CasePlace `json:"place,omitempty"`
	Name   string     `json:"name"`
	Role   string     `json:"role"`
	Phone  string     `json:"phone"`
	Text   string     `json:"text"`
	Gone   bool       `json:"gone"`
	Merged bool       `json:"merged"` // came with a merged case
}

// CasePlace is where something is said to be.
type CasePlace struct {
	Source    string   `json:"source"` // device, caller, operator, words, patrol
	Lat       *float64 `json:"lat,omitempty"`
	Lon       *float64 `json:"lon,omitempty"`
	AccuracyM float64  `json:"accuracyM"` // radius at 95 %; 0: unknown
	Words     string   `json:"words"`
	// Derived is what a map made of the position when it came; nobody has said it.
	Derived *DerivedPlace `json:"derived,omitempty"`
}

// DerivedPlace is a position in words as a map has it.
type DerivedPlace struct {
	Words      Words   `json:"words"`
	Source     string  `json:"source"`     // embedded, gazetteer, photon, nominatim
	Confidence float64 `json:"confidence"` // of RFC 7459; 0: the accuracy of the position is not known
}

// CaseRecording is what was recorded of a case.
type CaseRecording struct {
	Call   string     `json:"call"`
	Kind   string     `json:"kind"`
	AtMs   int64      `json:"atMs"`
	Live   bool       `json:"live"`
	Merged bool       `json:"merged"`
	Files  []CaseFile `json:"files"`
}

// CaseFile is a file that came with a report or from a patrol.
type CaseFile struct {
	File       string   `json:"file"`
	Name       string   `json:"name"`
	Mime       string   `json:"mime"`
	Bytes      int64    `json:"bytes"`
	SHA256     string   `json:"sha256"`
	KeptMs     int64    `json:"keptMs"` // 0: declared, not here yet
	CapturedMs int64    `json:"capturedMs"`
	Lat        *float64 `json:"lat,omitempty"`
	Lon        *float64 `json:"lon,omitempty"`
	Marks      []string `json:"marks"` // what was noticed: foreign_data, other_time, other_place
	Preview    bool     `json:"preview"`
	Refused    string   `json:"refused"`           // the code of why it was not taken; empty: it was, or is still to come
	GivenUpMs  int64    `json:"givenUpMs"`         // announced and never arrived: since then nobody waits for it; 0: it may come
	FoundMs    int64    `json:"foundMs,omitempty"` // when the file itself says that it was taken
	FoundLat   *float64 `json:"foundLat,omitempty"`
	FoundLon   *float64 `json:"foundLon,omitempty"`
}

// CaseSending is a patrol on its way.
type CaseSending struct {
	Patrol     string `json:"patrol"`
	Name       string `json:"name"`
	By         string `json:"by"`
	Reason     string `json:"reason"`
	AtMs       int64  `json:"atMs"`
	AcceptedMs int64  `json:"acceptedMs"`
	EnRouteMs  int64  `json:"enRouteMs"`
	OnSceneMs  int64  `json:"onSceneMs"`
	EndedMs    int64  `json:"endedMs"`
	Why        string `json:"why"`
	Late       bool   `json:"late"`
}

// CaseReply is what the citizen was told.
type CaseReply struct {
	AtMs   int64  `json:"atMs"`
	Status string `json:"status"`
	Text   string `json:"text"`
}

// CaseTold is what the citizen was told, and how it reached them.
type CaseTold struct {
	CaseReply
	Message *CaseMessage `json:"message,omitempty"` // missing: it stands in the page alone
}

// CaseMessage is how a message to a citizen stands.
type CaseMessage struct {
	Stage   string `json:"stage"`   // queued, sending, sent, delivered, failed, given_up
	Channel string `json:"channel"` // push, sms; empty: none was tried
	Reason  string `json:"reason"`  // why it did not arrive; empty: nothing is known
	AtMs    int64  `json:"atMs"`
}

// CaseRef names another case.
type CaseRef struct {
	Case   string `json:"case"`
	Number string `json:"number"`
	Status string `json:"status"`
}

// SimilarCase is a case that may be about the same event.
type SimilarCase struct {
	CaseRow
	Score  float64 `json:"score"` // 0 to 1
	Metres float64 `json:"metres"`
	ApartS int64   `json:"apartS"`
}

// CaseChoices are the kinds and outcomes of cases.
type CaseChoices struct {
	Kinds    []CaseKind    `json:"kinds"`
	Outcomes []CaseOutcome `json:"outcomes"`
	Limits   FileLimits    `json:"limits"`
}

// FileLimits are the sizes that files may have.
type FileLimits struct {
	PhotoBytes int64 `json:"photoBytes"` // of a photo or a sound
	VideoBytes int64 `json:"videoBytes"`
	Files      int   `json:"files"` // of one side of a case
}

// CaseKind is what a report or case may be about.
type CaseKind struct {
	Code     string `json:"code"`
	Name     Words  `json:"name"`
	Priority int    `json:"priority"`
	Plate    bool   `json:"plate"`  // a number plate fits
	Report   bool   `json:"report"` // citizens may choose it
}

// CaseOutcome is how a case may end, and what its citizen is told by default.
type CaseOutcome struct {
	Code  string `json:"code"`
	Name  Words  `json:"name"`
	Reply Words  `json:"reply"`
}

// CaseAct is what is done to a case; which fields count follows from Act.
type CaseAct struct {
	Act      string   `json:"act"`                // take, take_over, hand_over, accept, decline, classify, add, withdraw, send, recall, close, unclose, reopen, merge, split, link, unlink
	To       string   `json:"to,omitempty"`       // hand_over; empty takes it back
	Kind     string   `json:"kind,omitempty"`     // classify
	Priority int      `json:"priority,omitempty"` // classify
	Line     *NewLine `json:"line,omitempty"`     // add
	ID       string   `json:"id,omitempty"`       // withdraw
	Patrol   string   `json:"patrol,omitempty"`   // send, recall
	Reason   string   `json:"reason,omitempty"`   // send, reopen
	Outcome  string   `json:"outcome,omitempty"`  // close
	Text     string   `json:"text,omitempty"`     // close
	Case     string   `json:"case,omitempty"`     // merge (into it), split (out of it), link, unlink
	Version  uint64   `json:"version,omitempty"`  // classify, close: what the asker has seen; 0: whatever it is
}

// NewLine is a line for the card as a member of staff writes it.
type NewLine struct {
	ID    string    `json:"id"` // chosen by the page: sent twice it is one
	What  string    `json:"what"`
	Place *NewPlace `json:"place,omitempty"`
	Name  string    `json:"name,omitempty"`
	Role  string    `json:"role,omitempty"`
	Phone string    `json:"phone,omitempty"`
	Text  string    `json:"text,omitempty"`
}

// NewPlace is a place as a member of staff says or shows it.
type NewPlace struct {
	Lat       *float64 `json:"lat,omitempty"`
	Lon       *float64 `json:"lon,omitempty"`
	AccuracyM float64  `json:"accuracyM,omitempty"`
	Words     string   `json:"words,omitempty"`
}

// casesTable is every route about cases.
func (s *Server) casesTable() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/cases":                s.withStaff(access.ReadCases, s.caseList),
		"GET /api/v1/cases/choices":        func(w http.ResponseWriter, _ *http.Request) { s.answer(w, http.StatusOK, s.cases.Choices()) },
		"GET /api/v1/cases/{case}":         s.withStaff(access.ReadCases, s.caseView),
		"GET /api/v1/cases/{case}/similar": s.withStaff(access.ReadCases, s.caseSimilar),
		"POST /api/v1/cases/{case}/acts":   s.withStaff(access.ReadCases, s.caseAct),
	}
}

// pathCase is the case that a request is about.
func pathCase(r *http.Request) (ident.CaseID, error) {
	id, err := ident.Parse[ident.CaseID](r.PathValue("case"))
	if err != nil {
		return "", fault.New(fault.NoSuchCase, "case", err)
	}
	return id, nil
}

func (s *Server) caseView(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := pathCase(r)
	if err != nil {
		return err
	}
	v, err := s.cases.Case(r.Context(), who, id)
	if err == nil {
		s.answer(w, http.StatusOK, v)
	}
	return err
}

func (s *Server) caseSimilar(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := pathCase(r)
	if err != nil {
		return err
	}
	list, err := s.cases.Similar(r.Context(), who, id)
	if err == nil {
		s.answer(w, http.StatusOK, map[string]any{"cases": list})
	}
	return err
}

func (s *Server) caseAct(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := pathCase(r)
	if err != nil {
		return err
	}
	act, err := body[CaseAct](r, "case.act")
	if err != nil {
		return err
	}
	v, err := s.cases.Act(r.Context(), who, id, act)
	if err == nil {
		s.answer(w, http.StatusOK, v)
	}
	return err
}

func (s *Server) caseList(w http.ResponseWriter, r *http.Request, who Who) error {
	q, err := caseQuery(r)
	if err != nil {
		return err
	}
	list, next, err := s.cases.Cases(r.Context(), who, q)
	if err == nil {
		s.answer(w, http.StatusOK, map[string]any{"cases": list, "next": next})
	}
	return err
}

// caseQuery reads the parameters of a search.
func caseQuery(r *http.Request) (store.CaseQuery, error) {
	const op = "cases"
	v := r.URL.Query()
	q := store.CaseQuery{
		Open: v.Get("open") == "1", Statuses: v["status"], Lane: v.Get("lane"), Kind: v.Get("kind"), Unit: v.Get("unit"), Text: v.Get("text"),
		Owner: ident.StaffID(v.Get("owner")), Unowned: v.Get("unowned") == "1", Unheard: v.Get("unanswered") == "1", Phone: v.Get("phone"),
		Cursor: v.Get("cursor"), Limit: 50,
	}
	switch v.Get("order") {
	case "", "newest":
	case "oldest":
		q.Order = store.OldestFirst
	case "urgent":
		q.Order = store.UrgentFirst
	default:
		return q, fault.Newf(fault.BadValue, op, "order: newest, oldest or urgent")
	}
	if l := v.Get("limit"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 || n > store.MaxPage {
			return q, fault.Newf(fault.BadValue, op, "limit: 1 to %d", store.MaxPage)
		}
		q.Limit = n
	}
	if len(q.Statuses) > 10 {
		return q, fault.Newf(fault.BadValue, op, "status: too many")
	}
	if err := wire.Line("text", q.Text, wire.MaxName); err != nil {
		return q, fault.New(fault.BadValue, op, err)
	}
	for name, at := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		if text := v.Get(name); text != "" {
			ms, err := strconv.ParseInt(text, 10, 64)
			if err != nil || ms < 0 || ms > 1<<53 {
				return q, fault.Newf(fault.BadValue, op, "%s: not a time", name)
			}
			*at = time.UnixMilli(ms)
		}
	}
	if near := v.Get("near"); near != "" {
		n, err := nearOf(near)
		if err != nil {
			return q, fault.New(fault.BadValue, op, err)
		}
		q.Near = &n
	}
	return q, nil
}
