// Package cameras reads RTSP cameras on demand, gives their pictures to whoever looks, and makes
// clips of them. H.264 goes through as it comes; a camera whose video browsers cannot show says so
// in its state. Sound is left out.
//
// Goroutines: Set.Run owns one per camera and one per clip; the RTSP library's goroutines only post
// packets to a bounded queue. Locks: camera.mu guards its state, its ring and its taps; Clips.mu
// guards the list of clips. Neither is held while another is taken.
package cameras

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"jedel/internal/fault"
	"jedel/media/h264"

	"github.com/prometheus/client_golang/prometheus"
)

// Camera is one camera of the configuration.
type Camera struct {
	ID       string     // stable, as in addresses
	Name     fault.Text // in the three languages
	URL      string     // rtsp:// or rtsps://, without login
	Login    string
	Password string
	Lat, Lon float64  // degrees WGS 84
	Placed   bool     // whether Lat and Lon are known
	Heading  *float64 // degrees from north, clockwise; nil: unknown or turning
	Always   bool     // stays connected with nobody watching
}

// Config is how cameras are read.
type Config struct {
	Cameras []Camera
	Linger  time.Duration // how long a camera stays connected after the last who looked
	Past    time.Duration // how much of the past is kept in memory while connected
}

// Bounds that are not configuration.
const (
	// connectTime is how long a camera may take from the first packet of TCP to Play.
	connectTime = 10 * time.Second
	// answerTime is how long it may take to answer one request.
	answerTime = 5 * time.Second
	// silentTime is how long a connected camera may send no whole picture. Key frames come every
	// 1 to 10 seconds from usual cameras.
	silentTime = 15 * time.Second
	// queuePackets is how many packets may wait to be put together: half a second of 20 Mbit/s.
	queuePackets = 1024
	// pastBytes bounds what is kept of one camera's past.
	pastBytes = 48 << 20
	// firstWait and longestWait are the bounds of the time between two attempts to connect.
	// Shorter troubles a camera that starts, longer leaves it dark after it is back.
	firstWait   = time.Second
	longestWait = 30 * time.Second
	// MaxCameras bounds a configuration.
	MaxCameras = 2000
)

// Screen is where a camera's pictures go to be looked at. Its methods do not block.
type Screen interface {
	// Write shows a picture.
	Write(p h264.Picture)
	// Reset tells that the next picture does not follow the last.
	Reset()
	// Viewers is how many look now, or are about to.
	Viewers() int
}

// Set is all cameras. Make it with New, then Run it.
type Set struct {
	cfg  Config
	met  *metrics
	list []*camera
	byID map[string]*camera
}

// New returns the cameras; screen makes the screen of each. Nothing is connected before Run.
func New(cfg Config, screen func() Screen, reg prometheus.Registerer, log *slog.Logger) *Set {
	s := &Set{cfg: cfg, byID: map[string]*camera{}}
	s.met = newMetrics(reg, s.phases)
	for _, c := range cfg.Cameras {
		cam := &camera{
			cfg: c, linger: cfg.Linger, screen: screen(), met: s.met, log: log.With("camera", c.ID), made: time.Now(),
			wake: make(chan struct{}, 1), state: State{Phase: Idle, Since: time.Now()}, ring: ring{length: cfg.Past, bytes: pastBytes},
		}
		s.list = append(s.list, cam)
		s.byID[c.ID] = cam
	}
	return s
}

// Run reads the cameras that are wanted until ctx ends.
func (s *Set) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range s.list {
		wg.Go(func() { c.run(ctx) })
	}
	<-ctx.Done()
	return nil
}

// phases counts the cameras by phase.
func (s *Set) phases() map[Phase]int {
	out := map[Phase]int{}
	for _, c := range s.list {
		out[c.now().Phase]++
	}
	return out
}

func (s *Set) find(id string) (*camera, error) {
	c := s.byID[id]
	if c == nil {
		return nil, fault.New(fault.NoSuchCamera, "camera", nil)
	}
	return c, nil
}

// Screen returns the screen of a camera. A camera
// whose video browsers cannot show comes with an error too.
func (s *Set) Screen(id string) (Screen, error) {
	c, err := s.find(id)
	if err != nil {
		return nil, err
	}
	if st := c.now(); st.Phase == Failed && st.Code.unfit() {
		return c.screen, fault.Newf(fault.CameraUnfit, "camera", "%s", st.Code)
	}
	return c.screen, nil
}

// Wake lets a camera see at once that somebody wants it.
func (s *Set) Wake(id string) {
	if c := s.byID[id]; c != nil {
		c.stir()
	}
}

// Row is a camera in the list.
type Row struct {
	Camera
	State
	DistanceM float64 // from the place asked for; NaN where either is unknown
}

// Point is a place in degrees WGS 84.
type Point struct{ Lat, Lon float64 }

// List returns the cameras, those nearest to near first, those without a place last. near may be
// nil: then they stand in the order of the configuration.
func (s *Set) List(near *Point) []Row {
	out := make([]Row, 0, len(s.list))
	for _, c := range s.list {
		r := Row{Camera: c.cfg, State: c.now(), DistanceM: math.NaN()}
		r.URL, r.Login, r.Password = "", "", ""
		if near != nil && c.cfg.Placed {
			r.DistanceM = Distance(*near, Point{c.cfg.Lat, c.cfg.Lon})
		}
		out = append(out, r)
	}
	if near != nil {
		slices.SortStableFunc(out, func(a, b Row) int { return nearer(a.DistanceM, b.DistanceM) })
	}
	return out
}

// nearer orders distances; unknown ones come last.
func nearer(a, b float64) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b), a == b:
		return 0
	case math.IsNaN(b), a < b:
		return -1
	}
	return 1
}

// earthRadius is the mean radius in metres (IUGG).
const earthRadius = 6371008.8

// Distance is the way along the great circle in metres (haversine formula); within 0.6 % of the
// ellipsoid's.
func Distance(a, b Point) float64 {
	rad := math.Pi / 180
	dLat, dLon := (b.Lat-a.Lat)*rad/2, (b.Lon-a.Lon)*rad/2
	h := math.Pow(math.Sin(dLat), 2) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Pow(math.Sin(dLon), 2)
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}
