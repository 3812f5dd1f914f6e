package replica

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jedel/internal/blob"
	"jedel/internal/ident"
	"jedel/internal/simtest"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// site is a folder of archives, a server and what copies from the one to the other.
type site struct {
	dir    string
	server *simtest.S3
	raw    *minio.Client
	bucket *blob.Bucket
	want   blob.Lock
	*Replica
}

const name = "evidence"

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), server: simtest.NewS3(t)}
	var err error
	if s.raw, err = minio.New(s.server.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(s.server.AccessKey, s.server.SecretKey, ""), Region: "us-east-1", MaxRetries: 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.raw.MakeBucket(t.Context(), name, minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	if s.bucket, err = blob.NewBucket(blob.BucketConfig{Endpoint: s.server.Endpoint, Bucket: name, Prefix: "site/", AccessKey: s.server.AccessKey, SecretKey: s.server.SecretKey}); err != nil {
		t.Fatal(err)
	}
	s.again(s.bucket)
	return s
}

// again is the replica of a new life.
func (s *site) again(b Bucket) {
	s.Replica = New(Config{}, Parts{
		Archives: os.DirFS(s.dir), Bucket: b, Log: slog.New(slog.DiscardHandler), Reg: prometheus.NewRegistry(),
		Want:    func(context.Context, ident.CallID) (blob.Lock, error) { return s.want, nil },
		Folders: func(_ context.Context, id ident.CallID) ([]string, error) { return []string{folderOf(id)}, nil },
	})
}

func folderOf(id ident.CallID) string {
	return "calls/" + time.Now().UTC().Format("2006/01/02") + "/" + string(id)
}

func (s *site) write(t *testing.T, name string, content []byte) {
	t.Helper()
	full := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o700), os.WriteFile(full, content, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// archive writes what a recorder would.
func (s *site) archive(t *testing.T, sealed bool) ident.CallID {
	t.Helper()
	id := ident.New[ident.CallID]()
	dir := folderOf(id)
	for _, n := range []string{"00000.evr", "00001.evr", "heads", "kek-0123.age"} {
		raw := make([]byte, 100_000)
		rand.Read(raw)
		s.write(t, dir+"/"+n, raw)
	}
	if sealed {
		s.write(t, dir+"/seal.note", []byte("seal of "+string(id)))
		s.write(t, dir+"/proofs/seal.tlog-proof", []byte("proof"))
	}
	return id
}

// there lists what the bucket has of a call, without markers.
func (s *site) there(t *testing.T, id ident.CallID) (names []string) {
	t.Helper()
	list, err := s.bucket.Versions(t.Context(), folderOf(id)+"/")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		if !v.Marker {
			names = append(names, strings.TrimPrefix(v.Key, folderOf(id)+"/"))
		}
	}
	return names
}

func TestClosedFilesAreCopiedLockedAndCompared(t *testing.T) {
	s := newSite(t)
	open, closed := s.archive(t, false), s.archive(t, true)
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.there(t, open); strings.Join(got, " ") != "00000.evr" {
		t.Errorf("of a running call: %q", got)
	}
	if got := s.there(t, closed); strings.Join(got, " ") != "00000.evr 00001.evr heads proofs/seal.tlog-proof seal.note" {
		t.Errorf("of an ended one: %q; a key must not be among them", got)
	}
	for _, n := range s.there(t, closed) {
		key := folderOf(closed) + "/" + n
		list, err := s.bucket.Versions(t.Context(), key)
		if err != nil || len(list) != 1 {
			t.Fatal(err, list)
		}
		l, err := s.bucket.Lock(t.Context(), list[0])
		if err != nil || time.Until(l.Until) < 29*24*time.Hour {
			t.Errorf("%s: %v %v", n, l, err)
		}
		if err := s.bucket.Remove(t.Context(), list[0]); !errors.Is(err, blob.ErrLocked) {
			t.Errorf("%s can be removed: %v", n, err)
		}
		// Nor by anybody who goes around this program.
		if err := s.raw.RemoveObject(t.Context(), name, "site/"+key, minio.RemoveObjectOptions{VersionID: list[0].ID, ForceDelete: true, GovernanceBypass: true}); err == nil {
			t.Errorf("%s was removed by its administrator", n)
		}
	}
	if n := testutil.ToFloat64(s.met.compared); n != 6 {
		t.Errorf("%v copies were read back", n)
	}
	s.want = blob.Lock{Until: time.Now().Add(3 * 365 * 24 * time.Hour), Hold: true}
	for dir := range s.done {
		s.done[dir] = time.Now().Add(-2 * lookAgain)
	}
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if held, err := s.Held(t.Context(), closed); err != nil || !held {
		t.Error("a hold does not reach the copies", err)
	}
	if n := testutil.ToFloat64(s.met.compared); n != 6 {
		t.Errorf("%v copies were read back: those that were are read again", n)
	}
	if s.measure(time.Now()) != 0 {
		t.Error("something waits")
	}
}

func TestWhatRetentionSaysReachesTheCopies(t *testing.T) {
	s := newSite(t)
	id := s.archive(t, true)
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(10 * 365 * 24 * time.Hour)
	for range 2 { // all of it may be done twice
		if err := errors.Join(s.Lock(t.Context(), id, until), s.Lock(t.Context(), id, time.Now()), s.Hold(t.Context(), id, true)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.bucket.Versions(t.Context(), folderOf(id))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		if l, err := s.bucket.Lock(t.Context(), v); err != nil || !l.Hold || l.Until.Unix() != until.Unix() {
			t.Errorf("%s: %+v %v", v.Key, l, err)
		}
	}
	if err := s.Hold(t.Context(), id, false); err != nil {
		t.Fatal(err)
	}
	if held, err := s.Held(t.Context(), id); err != nil || held {
		t.Error(held, err)
	}
	if left, err := s.Destroy(t.Context(), id); left != 0 || err != nil {
		t.Error(left, err)
	}
}

func TestABucketThatIsAwayStopsNothingAndIsCaughtUp(t *testing.T) {
	s := newSite(t)
	s.server.Kill(t)
	id := s.archive(t, true)
	if err := s.Pass(t.Context()); !errors.Is(err, blob.ErrUnavailable) {
		t.Fatal(err)
	}
	if s.measure(time.Now().Add(2*time.Hour)) < time.Hour {
		t.Error("nothing waits")
	}
	s.server.Start(t)
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.there(t, id)) != 5 || s.measure(time.Now()) != 0 {
		t.Error(s.there(t, id))
	}
}

func TestANewLifeReadsBackWhatIsThereAndPutsNothingTwice(t *testing.T) {
	s := newSite(t)
	id := s.archive(t, true)
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.again(s.bucket)
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := testutil.ToFloat64(s.met.compared); n != 5 || len(s.there(t, id)) != 5 || testutil.ToFloat64(s.met.put) != 0 {
		t.Errorf("%v read back, %q", n, s.there(t, id))
	}
}

// flipped gives back one bit other than what it has.
type flipped struct {
	*blob.Bucket
	on bool
}

func (f *flipped) Read(ctx context.Context, v blob.Version, w io.Writer) (string, error) {
	var raw bytes.Buffer
	said, err := f.Bucket.Read(ctx, v, &raw)
	if err == nil && f.on {
		raw.Bytes()[raw.Len()/2] ^= 1
	}
	_, errWrite := w.Write(raw.Bytes())
	return said, errors.Join(err, errWrite)
}

func TestABitThatFlippedOnTheWayIsSeen(t *testing.T) {
	s := newSite(t)
	f := &flipped{s.bucket, true}
	s.again(f)
	s.archive(t, true)
	if err := s.Pass(t.Context()); !errors.Is(err, ErrDiffers) {
		t.Fatal(err)
	}
	if testutil.ToFloat64(s.met.alarms.WithLabelValues("differs")) == 0 || s.measure(time.Now().Add(time.Second)) == 0 {
		t.Error("it counts as a copy")
	}
	f.on = false // it was the way, not the copy
	if err := s.Pass(t.Context()); err != nil || s.measure(time.Now()) != 0 {
		t.Error(err)
	}
}

func TestWhatOthersDoToTheBucketIsSeen(t *testing.T) {
	s := newSite(t)
	id := s.archive(t, true)
	// Another file of this name was there before.
	body := []byte("not this recording")
	if _, err := s.raw.PutObject(t.Context(), name, "site/"+folderOf(id)+"/00000.evr", bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Pass(t.Context()); !errors.Is(err, ErrDiffers) {
		t.Fatal(err)
	}
	other := s.archive(t, true)
	if err := s.Pass(t.Context()); !errors.Is(err, ErrDiffers) || len(s.there(t, other)) != 5 {
		t.Fatal("one bad archive stops the others", err, s.there(t, other))
	}
	// A deletion without a version hides it; it is shown again.
	if err := s.raw.RemoveObject(t.Context(), name, "site/"+folderOf(other)+"/seal.note", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	s.again(s.bucket)
	if err := s.Pass(t.Context()); !errors.Is(err, ErrDiffers) {
		t.Fatal(err)
	}
	if testutil.ToFloat64(s.met.alarms.WithLabelValues("hidden")) != 1 {
		t.Error("nobody is told that a copy was hidden")
	}
	if _, err := s.raw.StatObject(t.Context(), name, "site/"+folderOf(other)+"/seal.note", minio.StatObjectOptions{}); err != nil {
		t.Error("it is still hidden:", err)
	}
}

func TestAServerThatDiesWhileItIsSentTo(t *testing.T) {
	s := newSite(t)
	id := ident.New[ident.CallID]()
	big := make([]byte, 24<<20)
	rand.Read(big)
	s.write(t, folderOf(id)+"/00000.evr", big)
	s.write(t, folderOf(id)+"/00001.evr", []byte("x"))
	done := make(chan error, 1)
	go func() { done <- s.Pass(t.Context()) }()
	pause := time.NewTimer(30 * time.Millisecond)
	<-pause.C
	s.server.Kill(t)
	<-done // it may have been quick enough
	s.server.Start(t)
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	var back bytes.Buffer
	list, err := s.bucket.Versions(t.Context(), folderOf(id)+"/00000.evr")
	if err != nil || len(list) == 0 {
		t.Fatal(err, list)
	}
	if _, err := s.bucket.Read(t.Context(), list[0], &back); err != nil || !bytes.Equal(back.Bytes(), big) {
		t.Error("the copy is not whole", err)
	}
}

func TestRunEndsAndAlarms(t *testing.T) {
	s := newSite(t)
	s.server.Kill(t)
	s.archive(t, true)
	s.cfg.Every, s.cfg.Alarm = 20*time.Millisecond, time.Nanosecond
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s.Run(ctx)
	if testutil.ToFloat64(s.met.failures.WithLabelValues("unavailable")) == 0 {
		t.Error("nobody is told that the bucket is away")
	}
}

func TestAnArchiveComesBackFromTheBucket(t *testing.T) {
	s := newSite(t)
	id := s.archive(t, true)
	before := map[string]Standing{}
	look := func() {
		clear(before)
		if err := Survey(t.Context(), os.DirFS(s.dir), s.bucket, func(x Standing) error { before[x.Dir] = x; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if x := before[folderOf(id)]; x.Missing != 5 || !x.Sealed {
		t.Errorf("%+v", x)
	}
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if look(); before[folderOf(id)].Missing != 0 {
		t.Errorf("%+v", before)
	}
	if err := s.raw.RemoveObject(t.Context(), name, "site/"+folderOf(id)+"/heads", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if look(); before[folderOf(id)].Hidden != 1 {
		t.Errorf("%+v", before)
	}
	got := map[string]*bytes.Buffer{}
	n, err := Fetch(t.Context(), s.bucket, folderOf(id), func(name string) (io.WriteCloser, error) {
		got[name] = &bytes.Buffer{}
		return closer{got[name]}, nil
	})
	if err != nil || n != 5 {
		t.Fatal(n, err)
	}
	for name, b := range got {
		if raw, err := os.ReadFile(filepath.Join(s.dir, folderOf(id), name)); err != nil || !bytes.Equal(raw, b.Bytes()) {
			t.Errorf("%s is not what it was (%v)", name, err)
		}
	}
	if _, err := Fetch(t.Context(), s.bucket, "calls/2000/01/01/x", nil); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	body := []byte("x")
	if _, err := s.raw.PutObject(t.Context(), name, "site/calls/2000/01/01/x/..%2fy", bytes.NewReader(body), 1, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Fetch(t.Context(), s.bucket, "calls/2000/01/01/x", nil); err == nil {
		t.Error("a name that leads out of the folder is taken")
	}
}

type closer struct{ io.Writer }

func (closer) Close() error { return nil }
