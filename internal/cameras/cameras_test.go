package cameras

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	played "jedel/cmd/callbot/camera"
	"jedel/internal/fault"
	"jedel/media/h264"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"
)

// bound is how long anything in a test may take.
const bound = 20 * time.Second

// eventually waits until ok, checking every few milliseconds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(bound)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within %v: %s", bound, what)
		}
	}
}

// screen keeps what a camera shows.
type screen struct {
	mu      sync.Mutex // guards the rest
	pics    []h264.Picture
	resets  int
	viewers int
}

func (s *screen) Write(p h264.Picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pics = append(s.pics, p)
}

func (s *screen) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resets++
}

func (s *screen) Viewers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.viewers
}

func (s *screen) look(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.viewers = n
}

func (s *screen) shown() []h264.Picture {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]h264.Picture(nil), s.pics...)
}

// wall is a set of cameras that runs for the length of the test.
type wall struct {
	*Set
	screens map[string]*screen
	log     *bytes.Buffer // what the set has logged; read after the end only
	end     func()
}

func hang(t testing.TB, cfg Config) *wall {
	t.Helper()
	w := &wall{screens: map[string]*screen{}, log: &bytes.Buffer{}}
	var order []*screen
	if cfg.Past == 0 {
		cfg.Past = 30 * time.Second
	}
	w.Set = New(cfg, func() Screen { order = append(order, &screen{}); return order[len(order)-1] },
		prometheus.NewRegistry(), slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for i, c := range cfg.Cameras {
		w.screens[c.ID] = order[i]
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	w.end = sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(bound):
			t.Error("the cameras do not end")
		}
	})
	t.Cleanup(w.end)
	return w
}

func (w *wall) state(id string) State { return w.byID[id].now() }

// serve runs an RTSP server for the length of the test.
func serve(t testing.TB, login, password string) *played.Server {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("ffmpeg is needed to feed the cameras: apt install ffmpeg (make test does)")
	}
	s, err := played.Start("127.0.0.1:0", login, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// show lets ffmpeg publish at path until off is called.
func show(t testing.TB, s *played.Server, path string, args ...string) (off func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Show(ctx, path, args...) }()
	off = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(off)
	eventually(t, "ffmpeg shows "+path, func() bool { return s.Shows(path) })
	return off
}

// decode lets ffmpeg decode pictures and returns how many it made of them.
func decode(t testing.TB, pics []h264.Picture) int {
	t.Helper()
	var in bytes.Buffer
	for _, p := range pics {
		for _, u := range p.NALUs {
			in.Write(append([]byte{0, 0, 0, 1}, u...))
		}
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-xerror", "-f", "h264", "-i", "-", "-vf", "scale=4:4,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo", "-")
	var said strings.Builder
	cmd.Stdin, cmd.Stderr = &in, &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, &said)
	}
	return len(out) / 16
}

func TestCameraIsReadOnDemandAndRestsAfterwards(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	w := hang(t, Config{Linger: time.Second, Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/yard"}}})
	if st := w.state("yard"); st.Phase != Idle || s.Opened() != 0 {
		t.Fatalf("nobody looks: %+v, opened %d times", st, s.Opened())
	}
	sc := w.screens["yard"]
	sc.look(1)
	w.Wake("yard")
	eventually(t, "thirty pictures", func() bool { return len(sc.shown()) >= 30 })
	if st := w.state("yard"); st.Phase != Live || st.Width != 320 || st.Height != 240 || st.Viewers != 1 {
		t.Errorf("%+v", st)
	}
	pics := sc.shown()
	if n := decode(t, pics); n != len(pics) || !pics[0].Key {
		t.Errorf("%d pictures decoded of %d, begins with a key frame: %v", n, len(pics), pics[0].Key)
	}
	for i := 1; i < len(pics); i++ {
		if d := pics[i].TS - pics[i-1].TS; d <= 0 || d > h264.Clock {
			t.Fatalf("picture %d is %d ticks after the last", i, d)
		}
	}
	sc.look(0)
	eventually(t, "at rest", func() bool { return w.state("yard").Phase == Idle })
	if s.Opened() != 1 {
		t.Errorf("opened %d times", s.Opened())
	}
}

func TestAlwaysCameraIsLiveWithNobodyWatching(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	show(t, s, "/gate", played.Picture("320x240", 10)...)
	w := hang(t, Config{Linger: time.Second, Cameras: []Camera{{ID: "gate", URL: "rtsp://" + s.Addr() + "/gate", Always: true}}})
	eventually(t, "live", func() bool { return w.state("gate").Phase == Live })
}

func TestCameraThatBreaksOffComesBack(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	off := show(t, s, "/yard", played.Picture("320x240", 15)...)
	w := hang(t, Config{Linger: time.Second, Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/yard"}}})
	sc := w.screens["yard"]
	sc.look(1)
	eventually(t, "pictures", func() bool { return len(sc.shown()) >= 10 })
	off()
	eventually(t, "failed", func() bool { st := w.state("yard"); return st.Phase == Failed && st.Code == Lost })
	n := len(sc.shown())
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	eventually(t, "pictures again", func() bool { return len(sc.shown()) >= n+10 })
	pics := sc.shown()
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if !pics[n].Key || pics[n].TS <= pics[n-1].TS || sc.resets == 0 {
		t.Errorf("after the break: key %v, time %d after %d, %d resets", pics[n].Key, pics[n].TS, pics[n-1].TS, sc.resets)
	}
}

func TestLoginIsUsedAndNeverLogged(t *testing.T) {
	t.Parallel()
	const password = "s3cret-ca-nary"
	s := serve(t, "watch", password)
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	url := "rtsp://" + s.Addr() + "/yard"
	w := hang(t, Config{Linger: time.Second, Cameras: []Camera{
		{ID: "right", URL: url, Login: "watch", Password: password},
		{ID: "wrong", URL: url, Login: "watch", Password: password + "x"},
		{ID: "none", URL: url},
	}})
	for _, sc := range w.screens {
		sc.look(1)
	}
	eventually(t, "live with the right one", func() bool { return w.state("right").Phase == Live })
	for _, id := range []string{"wrong", "none"} {
		eventually(t, "refused: "+id, func() bool { st := w.state(id); return st.Phase == Failed && st.Code == BadLogin })
	}
	for _, r := range w.List(nil) {
		if r.Password != "" || r.URL != "" || r.Login != "" {
			t.Errorf("the list tells the login of %s", r.ID)
		}
	}
	w.end()
	if strings.Contains(w.log.String(), password) {
		t.Errorf("logged: %s", w.log)
	}
}

func TestVideoThatBrowsersCannotShowSaysWhy(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	src := []string{"-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=15"}
	show(t, s, "/h265", append(src, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")...)
	show(t, s, "/bframes", append(src, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "15")...)
	w := hang(t, Config{Linger: time.Second, Cameras: []Camera{
		{ID: "h265", URL: "rtsp://" + s.Addr() + "/h265"}, {ID: "bframes", URL: "rtsp://" + s.Addr() + "/bframes"}, {ID: "missing", URL: "rtsp://" + s.Addr() + "/nowhere"},
	}})
	for id, want := range map[string]State{"h265": {Code: WrongCodec, Codec: "H265"}, "bframes": {Code: Reordered}, "missing": {Code: NoStream}} {
		w.screens[id].look(1)
		eventually(t, id+" says why", func() bool {
			st := w.state(id)
			return st.Phase == Failed && st.Code == want.Code && st.Codec == want.Codec
		})
		_, err := w.Screen(id)
		if refused := fault.CodeOf(err) == fault.CameraUnfit; refused != want.Code.unfit() {
			t.Errorf("%s: %v", id, err)
		}
		if words, ok := Words(string(want.Code)); !ok || words.KK == "" || words.RU == "" || words.EN == "" {
			t.Errorf("%s has no words", want.Code)
		}
	}
	if _, err := w.Screen("unknown"); fault.CodeOf(err) != fault.NoSuchCamera {
		t.Error(err)
	}
}

func TestEveryPhaseAndCodeHasWords(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		string(Idle), string(Connecting), string(Live), string(Failed), string(Unreachable), string(Slow), string(BadLogin), string(NoStream), string(BadStream), string(NoVideo),
		string(WrongCodec), string(Reordered), string(NoPicture), string(Lost), string(NotWatched), string(NotKept), string(Interrupted), string(Missing),
	} {
		if w, ok := Words(name); !ok || w.KK == "" || w.RU == "" || w.EN == "" || w.RU == w.EN || w.KK == w.RU {
			t.Errorf("%s: %+v", name, w)
		}
	}
	if _, ok := Words("nonsense"); ok {
		t.Error("words for nonsense")
	}
}

func TestListStandsByDistance(t *testing.T) {
	t.Parallel()
	set := New(Config{Cameras: []Camera{
		{ID: "far", Lat: 54.9, Lon: 69.3, Placed: true}, {ID: "nowhere"}, {ID: "near", Lat: 54.8754, Lon: 69.1630, Placed: true},
	}}, func() Screen { return &screen{} }, prometheus.NewRegistry(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	rows := set.List(&Point{54.8753, 69.1628})
	if rows[0].ID != "near" || rows[1].ID != "far" || rows[2].ID != "nowhere" || !math.IsNaN(rows[2].DistanceM) || rows[0].DistanceM > 20 {
		t.Errorf("%+v", rows)
	}
	if rows := set.List(nil); rows[0].ID != "far" {
		t.Error("order of the configuration is lost")
	}
}

func TestDistanceIsOne(t *testing.T) {
	t.Parallel()
	// Petropavl to Astana, by a great circle on the same sphere: 424.6 km.
	if d := Distance(Point{54.8753, 69.1628}, Point{51.1694, 71.4491}); math.Abs(d-438_100) > 2000 {
		t.Errorf("%.0f m", d)
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Point {
			return Point{rapid.Float64Range(-90, 90).Draw(t, name+" lat"), rapid.Float64Range(-180, 180).Draw(t, name+" lon")}
		}
		a, b, c := draw("a"), draw("b"), draw("c")
		ab, ba := Distance(a, b), Distance(b, a)
		if math.IsNaN(ab) || ab < 0 || ab > math.Pi*earthRadius+1 || math.Abs(ab-ba) > 1e-3 {
			t.Fatalf("%v %v", ab, ba)
		}
		if Distance(a, c) > ab+Distance(b, c)+1 {
			t.Fatal("the way round is shorter")
		}
	})
}
