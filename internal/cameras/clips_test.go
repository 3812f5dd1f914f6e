package cameras

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	played "jedel/cmd/callbot/camera"
	"jedel/internal/fault"
	"jedel/internal/ident"
)

// shelf is a keeper in memory. Its first refusals are as many as refuse, with err.
type shelf struct {
	mu     sync.Mutex // guards the rest
	clips  map[ident.FileID]Clip
	files  map[ident.FileID][]byte
	refuse int
	err    error
	asked  int
}

func newShelf() *shelf {
	return &shelf{clips: map[ident.FileID]Clip{}, files: map[ident.FileID][]byte{}}
}

func (s *shelf) KeepClip(_ context.Context, c Clip, file io.Reader) (ident.CallID, error) {
	raw, err := io.ReadAll(file)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked++; s.asked <= s.refuse {
		return "", s.err
	}
	s.clips[c.ID], s.files[c.ID] = c, raw
	return c.Recording, nil
}

// cutter makes clips of a wall for the length of the test; end ends it early.
func cutter(t *testing.T, w *wall, k Keeper) (c *Clips, end func()) {
	t.Helper()
	c = NewClips(w.Set, k, slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(bound):
			t.Error("the clips do not end")
		}
	})
	t.Cleanup(end)
	return c, end
}

func order(cam string, back, length time.Duration) Order {
	return Order{ID: ident.New[ident.FileID](), Camera: cam, Recording: ident.New[ident.CallID](), By: ident.New[ident.StaffID](), Back: back, Length: length}
}

// settled waits until a clip is over.
func settled(t *testing.T, c *Clips, o Order) ClipState {
	t.Helper()
	var st ClipState
	eventually(t, "the clip is over", func() bool {
		var err error
		if st, err = c.State(o.Camera, o.ID); err != nil {
			t.Fatal(err)
		}
		return st.Phase != Taking && st.Phase != Keeping
	})
	return st
}

// probe lets ffprobe and ffmpeg read a file: it counts pictures and tells their length.
func probe(t *testing.T, file []byte) (pictures int, length time.Duration) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", path).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var info struct {
		Streams []struct {
			Codec string      `json:"codec_name"`
			N     json.Number `json:"nb_read_frames"`
		}
		Format struct{ Duration json.Number }
	}
	if err := json.Unmarshal(out, &info); err != nil || len(info.Streams) != 1 || info.Streams[0].Codec != "h264" {
		t.Fatalf("%v: %s", err, out)
	}
	n, _ := info.Streams[0].N.Int64()
	s, _ := info.Format.Duration.Float64()
	return int(n), time.Duration(s * float64(time.Second))
}

func TestClipReachesBackAndIsKeptWithNobodyWatching(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	w := hang(t, Config{Linger: time.Second, Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/yard"}}})
	k := newShelf()
	c, _ := cutter(t, w, k)
	sc := w.screens["yard"]
	sc.look(1)
	eventually(t, "four seconds of the past", func() bool { return len(sc.shown()) >= 60 })
	sc.look(0)
	o := order("yard", 2*time.Second, 2*time.Second)
	if _, err := c.Make(o); err != nil {
		t.Fatal(err)
	}
	if st, err := c.Make(o); err != nil || st.Phase != Taking || len(c.List(o.Recording)) != 1 {
		t.Errorf("the same order again: %+v %v", st, err)
	}
	st := settled(t, c, o)
	if st.Phase != Kept || !st.Complete() || st.KeptIn != o.Recording || st.Width != 320 || st.Height != 240 {
		t.Fatalf("%+v", st)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	file := k.files[o.ID]
	sum := sha256.Sum256(file)
	if hex.EncodeToString(sum[:]) != st.SHA256 || int64(len(file)) != st.Size {
		t.Error("the hash is another file's")
	}
	n, length := probe(t, file)
	if n != st.Pictures || n < 50 || length < 3500*time.Millisecond || length > 6*time.Second {
		t.Errorf("%d pictures of %d, %v", n, st.Pictures, length)
	}
	if st.Begins.After(st.From) || st.From.Sub(st.Begins) > 1500*time.Millisecond || st.Until.Sub(st.Ends) > time.Second {
		t.Errorf("asked %v to %v, got %v to %v", st.From, st.Until, st.Begins, st.Ends)
	}
}

func TestClipOfAnIdleCameraConnectsItAndSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	w := hang(t, Config{Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/yard"}}})
	c, _ := cutter(t, w, newShelf())
	o := order("yard", 10*time.Second, 3*time.Second)
	if _, err := c.Make(o); err != nil {
		t.Fatal(err)
	}
	st := settled(t, c, o)
	if st.Phase != Kept || st.Complete() || len(st.Gaps) != 1 || st.Gaps[0].Code != NotWatched || !st.Gaps[0].From.Equal(st.From) || !st.Gaps[0].Until.Equal(st.Begins) {
		t.Fatalf("%+v", st)
	}
	eventually(t, "the camera rests", func() bool { return w.state("yard").Phase == Idle })
}

func TestClipCutByALostCameraIsKeptWithItsGaps(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	off := show(t, s, "/yard", played.Picture("320x240", 15)...)
	w := hang(t, Config{Linger: time.Second, Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/yard"}}})
	k := newShelf()
	c, _ := cutter(t, w, k)
	sc := w.screens["yard"]
	sc.look(1)
	eventually(t, "pictures", func() bool { return len(sc.shown()) >= 20 })
	back, end := order("yard", 0, 14*time.Second), order("yard", time.Second, 4*time.Second)
	for _, o := range []Order{back, end} {
		if _, err := c.Make(o); err != nil {
			t.Fatal(err)
		}
	}
	n := len(sc.shown())
	eventually(t, "a second of both", func() bool { return len(sc.shown()) >= n+15 })
	off()
	eventually(t, "the camera is lost", func() bool { return w.state("yard").Phase == Failed })
	if st := settled(t, c, end); st.Phase != Kept || st.Complete() || len(st.Gaps) != 1 || st.Gaps[0].Code != Lost || !st.Gaps[0].Until.Equal(st.Until) {
		t.Errorf("cut: %+v", st)
	}
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	st := settled(t, c, back)
	if st.Phase != Kept || st.Complete() || len(st.Gaps) != 1 || st.Gaps[0].Code != Lost || !st.Gaps[0].From.Before(st.Gaps[0].Until) || !st.Gaps[0].Until.Before(st.Until) {
		t.Errorf("broken in the middle: %+v", st)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range []Order{back, end} {
		if n, _ := probe(t, k.files[o.ID]); n != k.clips[o.ID].Pictures {
			t.Errorf("%d pictures of %d", n, k.clips[o.ID].Pictures)
		}
	}
}

func TestClipIsTakenBackOnlyWhileItIsTaken(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	w := hang(t, Config{Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/yard"}}})
	k := newShelf()
	c, _ := cutter(t, w, k)
	gone, stays := order("yard", 0, time.Minute), order("yard", 0, 2*time.Second)
	for _, o := range []Order{gone, stays} {
		if _, err := c.Make(o); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // twice is once
		if st, err := c.Drop("yard", gone.ID); err != nil || st.Phase != Dropped {
			t.Fatal(st.Phase, err)
		}
	}
	settled(t, c, stays)
	if _, err := c.Drop("yard", stays.ID); fault.CodeOf(err) != fault.WrongState {
		t.Error(err)
	}
	for _, wrong := range []struct {
		cam string
		id  ident.FileID
	}{{"yard", ident.New[ident.FileID]()}, {"other", gone.ID}} {
		if _, err := c.Drop(wrong.cam, wrong.id); fault.CodeOf(err) != fault.NoSuchClip {
			t.Error(err)
		}
	}
	if k.mu.Lock(); len(k.clips) != 1 {
		t.Errorf("%d kept", len(k.clips))
	}
	k.mu.Unlock()
	eventually(t, "nobody wants the camera", func() bool { return w.state("yard").Phase == Idle })
}

func TestKeeperIsAskedAgainAndARefusalIsFinal(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	w := hang(t, Config{Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/yard"}}})
	for _, x := range []struct {
		err   error
		phase ClipPhase
		asked int
	}{
		{fault.New(fault.Unavailable, "test", nil), Kept, 3},
		{errors.New("the disk is slow"), Kept, 3},
		{fault.New(fault.WrongState, "test", nil), Broken, 1},
	} {
		k := newShelf()
		k.refuse, k.err = 2, x.err
		c, _ := cutter(t, w, k)
		o := order("yard", 0, 2*time.Second)
		if _, err := c.Make(o); err != nil {
			t.Fatal(err)
		}
		if st := settled(t, c, o); st.Phase != x.phase || k.asked != x.asked {
			t.Errorf("%v: %s after %d", x.err, st.Phase, k.asked)
		}
	}
}

func TestClipsBeingTakenAreCutAndKeptAtTheEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	show(t, s, "/yard", played.Picture("320x240", 15)...)
	w := hang(t, Config{Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/yard"}}})
	k := newShelf()
	c, end := cutter(t, w, k)
	o := order("yard", 0, time.Minute)
	if _, err := c.Make(o); err != nil {
		t.Fatal(err)
	}
	eventually(t, "pictures", func() bool { return len(w.screens["yard"].shown()) >= 15 })
	end()
	st, err := c.State("yard", o.ID)
	if err != nil || st.Phase != Kept || st.Complete() || st.Gaps[len(st.Gaps)-1].Code != Interrupted {
		t.Fatalf("%+v %v", st, err)
	}
	if n, _ := probe(t, k.files[o.ID]); n != st.Pictures || n == 0 {
		t.Errorf("%d pictures of %d", n, st.Pictures)
	}
	if _, err := c.Make(order("yard", 0, time.Second)); fault.CodeOf(err) != fault.TooMany {
		t.Errorf("after the end: %v", err)
	}
}

func TestClipWithoutAPictureFailsWithItsReason(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "")
	w := hang(t, Config{Cameras: []Camera{{ID: "yard", URL: "rtsp://" + s.Addr() + "/nowhere"}}})
	c, _ := cutter(t, w, newShelf())
	o := order("yard", 0, 2*time.Second)
	if _, err := c.Make(o); err != nil {
		t.Fatal(err)
	}
	if st := settled(t, c, o); st.Phase != Broken || st.Code != NoStream {
		t.Errorf("%+v", st)
	}
}

func TestOrdersOutOfBoundsAreRefused(t *testing.T) {
	t.Parallel()
	w := hang(t, Config{Cameras: []Camera{{ID: "yard", URL: "rtsp://192.0.2.1/x"}}})
	c, _ := cutter(t, w, newShelf())
	for _, x := range []struct {
		cam          string
		back, length time.Duration
		code         fault.Code
	}{
		{"other", 0, time.Second, fault.NoSuchCamera}, {"yard", -time.Second, time.Minute, fault.BadValue}, {"yard", MaxBack + 1, 0, fault.BadValue},
		{"yard", 0, MaxLength + 1, fault.BadValue}, {"yard", 0, 0, fault.BadValue}, {"yard", 0, -time.Second, fault.BadValue},
	} {
		if _, err := c.Make(order(x.cam, x.back, x.length)); fault.CodeOf(err) != x.code {
			t.Errorf("%+v: %v", x, err)
		}
	}
	o := order("yard", 0, time.Minute)
	for range maxTaking {
		o = order("yard", 0, time.Minute)
		if _, err := c.Make(o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Make(order("yard", 0, time.Minute)); fault.CodeOf(err) != fault.TooMany {
		t.Error(err)
	}
	o.By = ident.New[ident.StaffID]()
	if _, err := c.Make(o); fault.CodeOf(err) != fault.BadValue {
		t.Errorf("another's id: %v", err)
	}
}
