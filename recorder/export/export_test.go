package export

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"jedel/internal/ident"
	"jedel/recorder"
	"jedel/recorder/bag"
	"jedel/recorder/derive"
	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/report"
	"jedel/recorder/verify"

	"github.com/pion/rtp"
	"github.com/prometheus/client_golang/prometheus"
)

// taken is a recorded call: its folder, the recorder's key and the keys to it.
type taken struct {
	dir  string
	key  string
	ring *keys.Ring
}

// take records a call of some seconds: speech of one side, a position, a line of chat, a photo.
func take(t *testing.T, seal, encrypted bool, seconds int) taken {
	t.Helper()
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	cfg := recorder.Config{
		Dir: t.TempDir(), Site: "export.test", FlushEvery: 5 * time.Millisecond, HeadEvery: time.Millisecond,
		SegmentBytes: 1 << 20, SegmentTime: time.Hour, PendingCall: 4 << 20, PendingTotal: 1 << 30,
	}
	if encrypted {
		cfg.Recipients = []keys.Recipient{id.Recipient("playback")}
	}
	r, err := recorder.Open(context.Background(), cfg, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	call, opened := ident.New[ident.CallID](), time.Now()
	a, err := r.Start(ctx, recorder.Meta{Call: call, Number: "26-000007", Opened: opened, Zone: "Asia/Almaty"})
	if err != nil {
		t.Fatal(err)
	}
	speak(t, a, opened, seconds)
	for i, line := range []string{
		`{"id":"1","from":"caller","text":"Көмек керек </script><script>alert(1)</script>","atMs":1}`,
		`{"id":"2","from":"operator","name":"Operator","text":"","file":{"file":"f1","name":"../../үй.jpg","mime":"image/jpeg"},"atMs":2}`,
	} {
		if err := a.Append(evr.Chat, opened.Add(time.Duration(i+1)*time.Second), []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Blob(t.Context(), recorder.BlobMeta{ID: "f1", Name: "../../үй.jpg", Mime: "image/jpeg"}, bytes.NewReader(bytes.Repeat([]byte("photo"), 1000))); err != nil {
		t.Fatal(err)
	}
	if seal {
		err = a.Seal(t.Context(), recorder.SealInfo{Ended: time.Now(), Cause: "operator"})
	} else {
		err = a.Flush(t.Context())
	}
	cancel()
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	out := taken{dir: filepath.Join(cfg.Dir, filepath.FromSlash(recorder.Dir(call, opened))), key: r.Key()}
	if out.ring, err = plain.Unwrap(os.DirFS(out.dir), id); err != nil && encrypted {
		t.Fatal(err)
	}
	return out
}

func speak(t *testing.T, a *recorder.Archive, opened time.Time, seconds int) {
	t.Helper()
	audio := a.OpenStream(recorder.StreamInfo{Participant: "caller", Role: "caller", Kind: "audio", Codec: "opus", ClockRate: 48000, SSRC: 7, PayloadTypes: []uint16{111}})
	defer audio.Close()
	for i := range seconds * 50 {
		at := opened.Add(time.Duration(i) * 20 * time.Millisecond)
		raw, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SSRC: 7, SequenceNumber: uint16(i), Timestamp: uint32(i) * 960}, Payload: []byte{0xf8, 0xff, 0xfe}}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		audio.RTP(at, raw, false)
		if i%50 != 0 {
			continue
		}
		if err := a.Append(evr.Location, at, []byte(`{"lat":54.8753,"lon":69.1628,"accuracyM":12,"source":"device"}`)); err != nil {
			t.Fatal(err)
		}
		if err := a.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func request() Request {
	return Request{ID: "7f3k9q", At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), By: "Investigator", Organization: "Court", Case: "24-0017", Reason: "court", Lang: "ru"}
}

func (x taken) site() Site {
	return Site{
		Key: x.key, Ring: x.ring, Version: "test", About: report.About{Name: "Айгүл", Phone: "+77010000000", Operator: "Operator"},
		Accesses: []report.Access{{AtMs: 1, Name: "Investigator", Action: "open"}}, Viewer: []byte("<html>" + noData + "</html>"),
		Tools: []Tool{{"evr-linux-amd64", bag.Bytes([]byte("program"))}},
	}
}

// unzip exports and reads what came out, as files without the bag's folder.
func (x taken) unzip(t *testing.T, r Request, s Site) fstest.MapFS {
	t.Helper()
	e, err := Prepare(t.Context(), os.DirFS(x.dir), r, s)
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := e.Zip(t.Context(), &raw); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw.Bytes()), int64(raw.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		name, ok := strings.CutPrefix(f.Name, e.Name()+"/")
		if !ok {
			t.Fatalf("%s lies outside of the bag's folder", f.Name)
		}
		out[name] = &fstest.MapFile{Data: content}
	}
	return out
}

func check(t *testing.T, files fs.FS, key string) (*verify.Report, map[string]verify.State) {
	t.Helper()
	dir, err := verify.Archive(files)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := plain.Beside(dir)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := verify.Dir(files, verify.Options{Keys: []string{key}, Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]verify.State{}
	for _, l := range rep.Levels {
		states[l.Level] = l.State
	}
	return rep, states
}

func TestAnExportVerifiesByItself(t *testing.T) {
	x := take(t, true, true, 3)
	files := x.unzip(t, request(), x.site())
	rep, states := check(t, files, x.key)
	if states["V0"] != verify.Passed || states["V1"] != verify.Passed || states["V2"] != verify.Passed || states["V4"] != verify.Passed {
		t.Errorf("%+v", rep.Levels)
	}
	for _, name := range []string{
		"bagit.txt", "bag-info.txt", "manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt", "data/00-READ-ME.html", "data/report/custody.html", "data/report/custody.pdf", "data/report/custody.json",
		"data/original/00000.evr", "data/original/seal.note", "data/original/heads", "data/original/" + plain.Disclosed, "data/proofs/recorder.pub", "data/playable/caller.webm", "data/playable/caller.derivation.json",
		"data/timeline.json", "data/chat.html", "data/location.gpx", "data/location.geojson", "data/viewer/index.html", "data/tools/FORMAT.md", "data/tools/evr_reader.py", "data/tools/evr-linux-amd64",
	} {
		if f := files[name]; f == nil || len(f.Data) == 0 {
			t.Errorf("%s is missing", name)
		}
	}
	stored, err := os.ReadFile(filepath.Join(x.dir, "00000.evr"))
	if err != nil || !bytes.Equal(stored, files["data/original/00000.evr"].Data) {
		t.Errorf("the original is not what is stored (%v)", err)
	}
	photos := slices.Collect(func(yield func(string) bool) {
		for n := range files {
			if strings.HasPrefix(n, "data/photos/") && !yield(n) {
				return
			}
		}
	})
	if len(photos) != 1 || strings.Contains(photos[0], "..") || !bytes.HasPrefix(files[photos[0]].Data, []byte("photophoto")) {
		t.Errorf("photos %q", photos)
	}
	viewer := string(files["data/viewer/index.html"].Data)
	if strings.Contains(viewer, "</script><script>alert") || !strings.Contains(viewer, "../playable/caller.webm") || !strings.Contains(viewer, `"number":"26-000007"`) {
		t.Errorf("viewer: %s", viewer)
	}
	if chat := string(files["data/chat.html"].Data); strings.Contains(chat, "<script>") || !strings.Contains(chat, "Көмек керек") || !strings.Contains(chat, photos[0][len("data/"):]) {
		t.Errorf("chat: %s", chat)
	}
	if info := string(files["bag-info.txt"].Data); !strings.Contains(info, "Case-Number: 24-0017") || !strings.Contains(info, "Internal-Sender-Identifier: 7f3k9q") {
		t.Errorf("info: %s", info)
	}
}

func TestPositionsAreReadByOtherPrograms(t *testing.T) {
	x := take(t, true, true, 2)
	files := x.unzip(t, request(), x.site())
	var track struct {
		Points []struct {
			Lat  float64 `xml:"lat,attr"`
			Lon  float64 `xml:"lon,attr"`
			Time string  `xml:"time"`
		} `xml:"trk>trkseg>trkpt"`
	}
	if err := xml.Unmarshal(files["data/location.gpx"].Data, &track); err != nil || len(track.Points) != 2 || track.Points[0].Lat != 54.8753 || track.Points[1].Lon != 69.1628 {
		t.Errorf("%v %+v", err, track)
	}
	if _, err := time.Parse(time.RFC3339Nano, track.Points[1].Time); err != nil {
		t.Error(err)
	}
	var places struct {
		Features []struct {
			Geometry struct{ Coordinates []float64 }
		}
	}
	if err := json.Unmarshal(files["data/location.geojson"].Data, &places); err != nil || len(places.Features) != 2 || places.Features[0].Geometry.Coordinates[0] != 69.1628 {
		t.Errorf("%v %+v", err, places)
	}
}

func TestWhatIsWithheldIsProvenAndStaysClosed(t *testing.T) {
	x := take(t, true, true, 31)
	r := request()
	r.Withhold = []Stretch{{Stream: 0}, {Stream: 1, From: 12 * time.Second, To: 15 * time.Second}}
	files := x.unzip(t, r, x.site())
	rep, states := check(t, files, x.key)
	if states["V0"] != verify.Passed || states["V1"] != verify.Passed || states["V2"] != verify.Passed || states["V4"] != verify.Partial {
		t.Errorf("%+v", rep.Levels)
	}
	for name, f := range files {
		if strings.HasSuffix(name, ".age") {
			t.Errorf("%s opens what is withheld", name)
		}
		for _, secret := range []string{"Айгүл", "+77010000000", "Көмек", "54.8753"} {
			if bytes.Contains(f.Data, []byte(secret)) {
				t.Errorf("%s has %q", name, secret)
			}
		}
	}
	if files["data/location.gpx"] != nil {
		t.Error("positions stand in the journal")
	}
	var line struct {
		Media []struct{ DurationMs int64 }
	}
	if err := json.Unmarshal(files["data/timeline.json"].Data, &line); err != nil || len(line.Media) != 1 {
		t.Fatalf("%v %s", err, files["data/timeline.json"].Data)
	}
	if said := string(files["data/00-READ-ME.html"].Data); !strings.Contains(said, "1:12s-15s") {
		t.Error("the page does not say what is withheld")
	}
}

func TestForAReceiverTheKeysAreWrapped(t *testing.T) {
	x := take(t, true, true, 2)
	id, err := keys.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	r := request()
	r.Recipient = id.Recipient("court")
	files := x.unzip(t, r, x.site())
	if files["data/original/"+plain.Disclosed] != nil {
		t.Error("the keys lie open")
	}
	dir, err := verify.Archive(files)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := plain.Unwrap(dir, id)
	if err != nil || ring.Empty() {
		t.Fatalf("the receiver cannot open it: %v", err)
	}
	rep, err := verify.Dir(files, verify.Options{Keys: []string{x.key}, Ring: ring})
	if err != nil || rep.Levels[4].State != verify.Passed {
		t.Errorf("%v %+v", err, rep.Levels)
	}
}

func TestTheSameExportTwiceIsTheSame(t *testing.T) {
	x := take(t, true, true, 2)
	var sums []string
	var packed [2]bytes.Buffer
	for i := range 2 {
		e, err := Prepare(t.Context(), os.DirFS(x.dir), request(), x.site())
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Tar(t.Context(), &packed[i]); err != nil {
			t.Fatal(err)
		}
		sum, err := e.TagSum(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	if !bytes.Equal(packed[0].Bytes(), packed[1].Bytes()) || sums[0] != sums[1] || len(sums[0]) != 64 {
		t.Error("two exports of one request differ", sums)
	}
	if _, err := tar.NewReader(&packed[0]).Next(); err != nil {
		t.Error(err)
	}
}

func TestARunningCallIsExportedAsFarAsItIsSigned(t *testing.T) {
	x := take(t, false, true, 2)
	files := x.unzip(t, request(), x.site())
	rep, states := check(t, files, x.key)
	if rep.Exit != verify.ExitPartial || states["V2"] != verify.Partial {
		t.Errorf("%d %+v", rep.Exit, rep.Levels)
	}
}

func TestRequestsThatCannotBe(t *testing.T) {
	x := take(t, true, false, 2)
	r := request()
	r.Withhold = []Stretch{{Stream: 1}}
	if _, err := Prepare(t.Context(), os.DirFS(x.dir), r, x.site()); !errors.Is(err, ErrPlain) {
		t.Error(err)
	}
	if _, err := Prepare(t.Context(), os.DirFS(t.TempDir()), request(), x.site()); !errors.Is(err, ErrNoArchive) {
		t.Error(err)
	}
	for name, change := range map[string]func(*Request){
		"id": func(r *Request) { r.ID = "../x" }, "language": func(r *Request) { r.Lang = "de" }, "time": func(r *Request) { r.At = time.Time{} },
		"text": func(r *Request) { r.Reason = strings.Repeat("x", maxText+1) }, "stretch": func(r *Request) { r.Withhold = []Stretch{{Stream: 1, From: 2, To: 1}} },
	} {
		r := request()
		change(&r)
		if _, err := Prepare(t.Context(), os.DirFS(x.dir), r, x.site()); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := x.site()
	s.Viewer = []byte("<html></html>")
	if _, err := Prepare(t.Context(), os.DirFS(x.dir), request(), s); !errors.Is(err, ErrViewer) {
		t.Error(err)
	}
}

func TestStretchesAreReadAsTheyAreWritten(t *testing.T) {
	for _, s := range []string{"all", "0", "3:10s-1m30s", "all:0s-5s", "1:5s-"} {
		one, err := ParseStretch(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if two, err := ParseStretch(one.String()); err != nil || one != two {
			t.Errorf("%s: %v %v %v", s, one, two, err)
		}
	}
	for _, s := range []string{"", "x", "-1", "70000", "1:5s", "1:5s-2s", "1:-5s-2s", "1:a-b"} {
		if got, err := ParseStretch(s); !errors.Is(err, ErrRequest) {
			t.Errorf("%q: %v %v", s, got, err)
		}
	}
}

func TestFilesToPlayAreMadeAgainAndCompared(t *testing.T) {
	x := take(t, true, true, 2)
	v5 := func(files fstest.MapFS, tool string) verify.Level {
		t.Helper()
		dir, err := verify.Archive(files)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := plain.Beside(dir)
		if err != nil {
			t.Fatal(err)
		}
		made, err := Remake(t.Context(), files, ring)
		if err != nil {
			t.Fatal(err)
		}
		rep, err := verify.Dir(files, verify.Options{Keys: []string{x.key}, Ring: ring})
		if err != nil {
			t.Fatal(err)
		}
		rep.Remade(made, tool)
		return rep.Levels[5]
	}
	files := x.unzip(t, request(), x.site())
	if l := v5(files, "jedel test"); l.State != verify.Passed || l.Level != "V5" {
		t.Errorf("%+v", l)
	}
	r := request()
	r.Withhold = []Stretch{{Stream: 0}}
	if l := v5(x.unzip(t, r, x.site()), "jedel test"); l.State != verify.Passed {
		t.Errorf("with what is withheld: %+v", l)
	}
	played := files["data/playable/caller.webm"]
	played.Data = slices.Clone(played.Data)
	played.Data[len(played.Data)-5] ^= 1
	if l := v5(files, "jedel test"); l.State != verify.Failed || l.Fault == nil || l.Fault.Code != "derived.other" {
		t.Errorf("changed: %+v", l)
	}
	if l := v5(files, "jedel next"); l.State != verify.Partial {
		t.Errorf("by another program: %+v", l)
	}
	delete(files, "data/playable/caller.webm")
	if l := v5(files, "jedel test"); l.State != verify.Failed {
		t.Errorf("gone: %+v", l)
	}
	files["data/original/00000.evr"].Data = files["data/original/00000.evr"].Data[:400]
	if l := v5(files, "jedel test"); l.State != verify.Failed {
		t.Errorf("not to be made: %+v", l)
	}
}

func TestARecordingIsReadByManyAtOnce(t *testing.T) {
	x := take(t, true, true, 20)
	rec, err := derive.Load(os.DirFS(x.dir), x.ring)
	if err != nil {
		t.Fatal(err)
	}
	var files [8]bytes.Buffer
	var errs [8]error
	var wg sync.WaitGroup
	for i := range files {
		wg.Go(func() {
			_, err := rec.WriteMedia(&files[i], "caller")
			errs[i] = errors.Join(err, rec.Blob("f1", io.Discard))
		})
	}
	wg.Wait()
	for i := range files {
		if errs[i] != nil || files[i].Len() == 0 || !bytes.Equal(files[i].Bytes(), files[0].Bytes()) {
			t.Errorf("%d: %v, %d bytes", i, errs[i], files[i].Len())
		}
	}
}
