package signaling

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/signaling/wire"
)

// Cameras are the cameras of the site.
type Cameras interface {
	// List tells of all cameras; those nearest to near first, where that is not nil.
	List(near *Place) []CameraRow
	// View answers a browser's offer to look at a camera.
	View(ctx context.Context, who Who, camera, offer string) (View, error)
	// Leave ends a viewer.
	Leave(camera, viewer string) error
	// Looks reports whether a viewer is there.
	Looks(camera, viewer string) bool
}

// View is one browser that looks at a camera.
type View struct {
	Viewer string // its name
	Answer string // SDP
	Relays []wire.ICEServer
}

// Place is a position in degrees WGS 84.
type Place struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// CameraRow is a camera in the list.
type CameraRow struct {
	Camera     string   `json:"camera"`
	Name       Words    `json:"name"`
	State      string   `json:"state"` // idle, connecting, live, failed
	Code       string   `json:"code"`  // of the last failure; empty: none
	Words      Words    `json:"words"` // of the code, or of the state where there is none
	Codec      string   `json:"codec"` // of a camera whose codec browsers cannot show
	SinceMs    int64    `json:"sinceMs"`
	Width      int      `json:"width"` // of the pictures while live, else 0
	Height     int      `json:"height"`
	Viewers    int      `json:"viewers"`
	At         *Place   `json:"at,omitempty"`         // missing: unknown
	HeadingDeg *float64 `json:"headingDeg,omitempty"` // from north, clockwise; missing: unknown or turning
	DistanceM  *float64 `json:"distanceM,omitempty"`  // from the place asked for
}

// maxOffer bounds an offer in bytes, as the forwarding unit does.
const maxOffer = 64 << 10

// watch answers what concerns cameras.
type watch struct {
	s *Server
	*lookers
}

// table is every route about cameras.
func (c watch) table() map[string]http.HandlerFunc {
	staff := c.s.withStaff
	return map[string]http.HandlerFunc{
		"GET /api/v1/cameras":                           staff(access.SeeCameras, c.list),
		"POST /api/v1/cameras/{camera}/whep":            staff(access.SeeCameras, c.view),
		"DELETE /api/v1/cameras/{camera}/whep/{viewer}": staff(access.SeeCameras, c.leaves),
	}
}

func (c watch) list(w http.ResponseWriter, r *http.Request, _ Who) error {
	near, err := placeOf(r.URL.Query())
	if err != nil {
		return err
	}
	c.s.answer(w, http.StatusOK, map[string]any{"cameras": append([]CameraRow{}, c.cameras.List(near)...)})
	return nil
}

// placeOf reads lat and lon; both or neither are given.
func placeOf(q url.Values) (*Place, error) {
	if !q.Has("lat") && !q.Has("lon") {
		return nil, nil
	}
	lat, latErr := strconv.ParseFloat(q.Get("lat"), 64)
	lon, lonErr := strconv.ParseFloat(q.Get("lon"), 64)
	if latErr != nil || lonErr != nil || !(lat >= -90 && lat <= 90) || !(lon >= -180 && lon <= 180) {
		return nil, fault.Newf(fault.BadValue, "cameras", "lat or lon")
	}
	return &Place{lat, lon}, nil
}

// view is WHEP (draft-ietf-wish-whep, section 4): the offer is posted as SDP, the answer is 201 with
// the viewer's address. Candidates come within the offer; there is no PATCH. Relays come as links (section 4.6 of RFC 9725, which
// WHEP takes over) and are good for a further offer.
func (c watch) view(w http.ResponseWriter, r *http.Request, who Who) error {
	const op = "camera.whep"
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/sdp" {
		return fault.Newf(fault.BadSDP, op, "the body is not application/sdp")
	}
	offer, err := io.ReadAll(io.LimitReader(r.Body, maxOffer+1))
	switch {
	case err != nil:
		return fault.New(fault.BadMessage, op, err)
	case len(offer) > maxOffer:
		return fault.New(fault.TooLarge, op, nil)
	}
	who.reachedBy(r)
	v, err := c.cameras.View(r.Context(), who, r.PathValue("camera"), string(offer))
	if err != nil {
		return err
	}
	c.add(v.Viewer, looker{r.PathValue("camera"), staffToken(r)})
	for _, link := range relayLinks(v.Relays) {
		w.Header().Add("Link", link)
	}
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", "/api/v1/cameras/"+url.PathEscape(r.PathValue("camera"))+"/whep/"+url.PathEscape(v.Viewer))
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, v.Answer)
	return nil
}

// relayLinks writes relays as RFC 9725 section 4.6 does. Names and passwords of ours are hex and base64: nothing of them needs a backslash.
func relayLinks(relays []wire.ICEServer) []string {
	var out []string
	for _, r := range relays {
		for _, u := range r.URLs {
			out = append(out, fmt.Sprintf(`<%s>; rel="ice-server"; username="%s"; credential="%s"; credential-type="password"`, u, r.Username, r.Credential))
		}
	}
	return out
}

func (c watch) leaves(w http.ResponseWriter, r *http.Request, _ Who) error {
	if err := c.lookers.leave(r.PathValue("camera"), r.PathValue("viewer")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
