package signaling

import (
	"context"
	"net/http"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
)

// Clips are pieces of a camera's pictures that are kept with a recording.
type Clips interface {
	// Make begins a clip. The same order again is the same clip.
	Make(ctx context.Context, who Who, o ClipOrder) (ClipState, error)
	// State tells how a clip stands.
	State(camera string, id ident.FileID) (ClipState, error)
	// List tells of the clips of a recording in the last day, the newest first.
	List(ctx context.Context, who Who, recording ident.CallID) ([]ClipState, error)
	// Drop takes a clip back while it is being taken.
	Drop(ctx context.Context, who Who, camera string, id ident.FileID) (ClipState, error)
}

// ClipOrder asks for a clip.
type ClipOrder struct {
	Camera    string
	ID        ident.FileID
	Recording ident.CallID
	BackS     int // how many seconds it reaches back
	Seconds   int // how many it goes on from now
}

// ClipState is how a clip stands.
type ClipState struct {
	Clip      string    `json:"clip"`
	Camera    string    `json:"camera"`
	Name      Words     `json:"name"`
	Recording string    `json:"recording"` // what it was made for
	By        string    `json:"by"`
	State     string    `json:"state"` // taking, keeping, kept, dropped, failed
	Code      string    `json:"code"`  // why it failed
	Words     Words     `json:"words"` // of the code
	Progress  float64   `json:"progress"`
	FromMs    int64     `json:"fromMs"` // what was asked for
	UntilMs   int64     `json:"untilMs"`
	BeginsMs  int64     `json:"beginsMs"` // what it shows; 0: nothing yet
	EndsMs    int64     `json:"endsMs"`
	Bytes     int64     `json:"bytes"`
	Width     int       `json:"width"`
	Height    int       `json:"height"`
	SHA256    string    `json:"sha256"` // hex, of the file
	Complete  bool      `json:"complete"`
	Gaps      []ClipGap `json:"gaps"`
	KeptIn    string    `json:"keptIn"` // the recording that has it
}

// ClipGap is a time that a clip does not show.
type ClipGap struct {
	FromMs  int64  `json:"fromMs"`
	UntilMs int64  `json:"untilMs"`
	Code    string `json:"code"`
	Words   Words  `json:"words"`
}

type clipRequest struct {
	ID        string `json:"id"` // chosen by who asks: sent twice it is one clip
	Recording string `json:"recording"`
	BackS     int    `json:"backS"`
	Seconds   int    `json:"seconds"`
}

// maxClipSeconds keeps a number of seconds a duration; the maker's own bounds are narrower.
const maxClipSeconds = 1 << 20

// film answers what concerns clips.
type film struct {
	s     *Server
	clips Clips
}

// table is every route about clips.
func (f film) table() map[string]http.HandlerFunc {
	staff := f.s.withStaff
	return map[string]http.HandlerFunc{
		"POST /api/v1/cameras/{camera}/clips":          staff(access.SeeCameras, f.make),
		"GET /api/v1/cameras/{camera}/clips/{clip}":    staff(access.SeeCameras, f.state),
		"DELETE /api/v1/cameras/{camera}/clips/{clip}": staff(access.SeeCameras, f.drop),
		"GET /api/v1/clips":                            staff(access.SeeCameras, f.list),
	}
}

func (f film) make(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "clip.make"
	b, err := body[clipRequest](r, op)
	if err != nil {
		return err
	}
	id, idErr := ident.Parse[ident.FileID](b.ID)
	call, callErr := ident.Parse[ident.CallID](b.Recording)
	if idErr != nil || callErr != nil || b.BackS < 0 || b.Seconds < 0 || b.BackS > maxClipSeconds || b.Seconds > maxClipSeconds {
		return fault.Newf(fault.BadValue, op, "id, recording, backS or seconds")
	}
	st, err := f.clips.Make(r.Context(), who, ClipOrder{Camera: r.PathValue("camera"), ID: id, Recording: call, BackS: b.BackS, Seconds: b.Seconds})
	if err == nil {
		f.s.answer(w, http.StatusAccepted, st)
	}
	return err
}

func clipOf(r *http.Request) (ident.FileID, error) {
	id, err := ident.Parse[ident.FileID](r.PathValue("clip"))
	if err != nil {
		return id, fault.New(fault.NoSuchClip, "clip", err)
	}
	return id, nil
}

func (f film) state(w http.ResponseWriter, r *http.Request, _ Who) error {
	id, err := clipOf(r)
	if err != nil {
		return err
	}
	st, err := f.clips.State(r.PathValue("camera"), id)
	if err == nil {
		f.s.answer(w, http.StatusOK, st)
	}
	return err
}

func (f film) drop(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := clipOf(r)
	if err != nil {
		return err
	}
	st, err := f.clips.Drop(r.Context(), who, r.PathValue("camera"), id)
	if err == nil {
		f.s.answer(w, http.StatusOK, st)
	}
	return err
}

func (f film) list(w http.ResponseWriter, r *http.Request, who Who) error {
	call, err := ident.Parse[ident.CallID](r.URL.Query().Get("recording"))
	if err != nil {
		return fault.New(fault.BadValue, "clips", err)
	}
	all, err := f.clips.List(r.Context(), who, call)
	if err == nil {
		f.s.answer(w, http.StatusOK, map[string]any{"clips": append([]ClipState{}, all...)})
	}
	return err
}
