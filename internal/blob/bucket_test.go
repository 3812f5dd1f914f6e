package blob

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jedel/internal/simtest"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const bucketName = "evidence"

// raw is the server's administrator without any of our rules: the attacker of these tests.
func raw(t *testing.T, s *simtest.S3) *minio.Client {
	t.Helper()
	c, err := minio.New(s.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, ""), Region: "us-east-1", MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func config(s *simtest.S3) BucketConfig {
	return BucketConfig{Endpoint: s.Endpoint, Bucket: bucketName, Prefix: "site/", AccessKey: s.AccessKey, SecretKey: s.SecretKey}
}

// locked is a server with a bucket that locks, and the way to it.
func locked(t *testing.T) (*simtest.S3, *Bucket) {
	t.Helper()
	s := simtest.NewS3(t)
	if err := raw(t, s).MakeBucket(t.Context(), bucketName, minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	b, err := NewBucket(config(s))
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

func sumOf(b []byte) Sum { return Sum{SHA256: sha256.Sum256(b), MD5: md5.Sum(b), Size: int64(len(b))} }

func put(t *testing.T, b *Bucket, key string, body []byte, l Lock) Version {
	t.Helper()
	id, err := b.Put(t.Context(), key, bytes.NewReader(body), sumOf(body), l)
	if err != nil {
		t.Fatal(err)
	}
	return Version{Key: key, ID: id, Size: int64(len(body))}
}

func in(d time.Duration) time.Time { return time.Now().Add(d).UTC().Truncate(time.Second) }

func TestABucketThatCouldForgetIsRefused(t *testing.T) {
	s, b := locked(t)
	if err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []struct {
		name      string
		versioned bool
	}{{"plain", false}, {"versioned", true}} {
		if err := raw(t, s).MakeBucket(t.Context(), opts.name, minio.MakeBucketOptions{}); err != nil {
			t.Fatal(err)
		}
		if opts.versioned {
			if err := raw(t, s).EnableVersioning(t.Context(), opts.name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*BucketConfig)
		want   error
	}{
		"no such bucket": {func(c *BucketConfig) { c.Bucket = "nowhere" }, ErrNoBucket},
		"no versions":    {func(c *BucketConfig) { c.Bucket = "plain" }, ErrNotVersioned},
		"no locks":       {func(c *BucketConfig) { c.Bucket = "versioned" }, ErrNotLocked},
		"wrong secret":   {func(c *BucketConfig) { c.SecretKey = "wrong" }, ErrDenied},
		"wrong key":      {func(c *BucketConfig) { c.AccessKey = "nobody" }, ErrDenied},
		"no server":      {func(c *BucketConfig) { c.Endpoint = "127.0.0.1:1" }, ErrUnavailable},
		"not S3":         {func(c *BucketConfig) { c.TLS = true }, ErrUnavailable},
	} {
		cfg := config(s)
		c.change(&cfg)
		other, err := NewBucket(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Check(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestWhatIsPutIsLockedAndComesBack(t *testing.T) {
	_, b := locked(t)
	body := bytes.Repeat([]byte("evidence "), 300_000) // 2.7 MB
	until := in(time.Hour)
	v := put(t, b, "calls/2026/11/23/x/00000.evr", body, Lock{Until: until, Hold: true})
	var back bytes.Buffer
	sha, err := b.Read(t.Context(), v, &back)
	sum := sha256.Sum256(body)
	if err != nil || !bytes.Equal(back.Bytes(), body) || sha != hex.EncodeToString(sum[:]) {
		t.Fatalf("%v: %d bytes, hash %q", err, back.Len(), sha)
	}
	if l, err := b.Lock(t.Context(), v); err != nil || !l.Until.Equal(until) || !l.Hold {
		t.Fatalf("%+v %v", l, err)
	}
	list, err := b.Versions(t.Context(), "calls/2026/11/23/x/")
	if err != nil || len(list) != 1 || list[0] != (Version{Key: v.Key, ID: v.ID, Size: v.Size, Latest: true}) {
		t.Fatalf("%+v %v", list, err)
	}
	if _, err := b.Read(t.Context(), Version{Key: "calls/none"}, io.Discard); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	later := in(2 * time.Hour)
	if err := errors.Join(b.Extend(t.Context(), v, later), b.SetHold(t.Context(), v, false)); err != nil {
		t.Fatal(err)
	}
	if l, err := b.Lock(t.Context(), v); err != nil || !l.Until.Equal(later) || l.Hold {
		t.Fatalf("%+v %v", l, err)
	}
}

// TestTheServerComparesWhatItReceives holds that a file which changed after it was hashed is kept
// nowhere.
func TestTheServerComparesWhatItReceives(t *testing.T) {
	_, b := locked(t)
	body := []byte("what was hashed")
	_, err := b.Put(t.Context(), "k", strings.NewReader("what was posted"), sumOf(body), Lock{Until: in(time.Hour)})
	if !errors.Is(err, ErrChanged) {
		t.Fatal(err)
	}
	if list, err := b.Versions(t.Context(), ""); err != nil || len(list) != 0 {
		t.Fatalf("%+v %v", list, err)
	}
}

// TestR1_NobodyRemovesALockedVersion attacks with the administrator's own key.
func TestR1_NobodyRemovesALockedVersion(t *testing.T) {
	s, b := locked(t)
	body := []byte("a call for help")
	v := put(t, b, "k", body, Lock{Until: in(time.Hour)})
	if err := b.Remove(t.Context(), v); !errors.Is(err, ErrLocked) {
		t.Errorf("our own removal: %v", err)
	}
	admin := raw(t, s)
	for name, opts := range map[string]minio.RemoveObjectOptions{
		"removed": {VersionID: v.ID}, "removed with bypass": {VersionID: v.ID, GovernanceBypass: true}, "removed with force": {VersionID: v.ID, ForceDelete: true},
	} {
		if err := admin.RemoveObject(t.Context(), bucketName, "site/k", opts); err == nil {
			t.Errorf("%s", name)
		}
	}
	if err := admin.RemoveBucketWithOptions(t.Context(), bucketName, minio.RemoveBucketOptions{ForceDelete: true}); err == nil {
		t.Error("the bucket was removed")
	}
	// Overwriting or hiding makes a new version in front; the locked one stays behind it.
	_, _ = admin.PutObject(t.Context(), bucketName, "site/k", strings.NewReader("nothing happened"), 16, minio.PutObjectOptions{})
	_ = admin.RemoveObject(t.Context(), bucketName, "site/k", minio.RemoveObjectOptions{})
	var back bytes.Buffer
	if _, err := b.Read(t.Context(), v, &back); err != nil || !bytes.Equal(back.Bytes(), body) {
		t.Fatalf("%v: %q", err, back.String())
	}
}

// TestR2_RetentionIsNeverShortened attacks the date and the mode.
func TestR2_RetentionIsNeverShortened(t *testing.T) {
	s, b := locked(t)
	until := in(time.Hour)
	v := put(t, b, "k", []byte("x"), Lock{Until: until})
	if err := b.Extend(t.Context(), v, in(time.Minute)); !errors.Is(err, ErrLocked) {
		t.Errorf("our own shortening: %v", err)
	}
	admin := raw(t, s)
	sooner, governance, compliance := in(time.Minute), minio.Governance, minio.Compliance
	for name, opts := range map[string]minio.PutObjectRetentionOptions{
		"shorter":             {Mode: &compliance, RetainUntilDate: &sooner, VersionID: v.ID},
		"shorter with bypass": {Mode: &compliance, RetainUntilDate: &sooner, VersionID: v.ID, GovernanceBypass: true},
		"governance":          {Mode: &governance, RetainUntilDate: &until, VersionID: v.ID, GovernanceBypass: true},
		"none":                {VersionID: v.ID, GovernanceBypass: true},
	} {
		if err := admin.PutObjectRetention(t.Context(), bucketName, "site/k", opts); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if l, err := b.Lock(t.Context(), v); err != nil || !l.Until.Equal(until) {
		t.Fatalf("%+v %v", l, err)
	}
}

// TestR3_AHeldVersionStaysAfterItsDate holds that we remove nothing that is held. Servers differ in
// what they refuse after the date, which is why TestR4 keeps the date of held archives ahead.
func TestR3_AHeldVersionStaysAfterItsDate(t *testing.T) {
	_, b := locked(t)
	v := put(t, b, "k", []byte("x"), Lock{Until: in(2 * time.Second), Hold: true})
	simtest.Eventually(t, 20*time.Second, "the lock ends", func() bool { return expired(t, b, v) })
	if err := b.Remove(t.Context(), v); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	if err := errors.Join(b.SetHold(t.Context(), v, false), b.Remove(t.Context(), v)); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Versions(t.Context(), ""); err != nil || len(list) != 0 {
		t.Fatalf("%+v %v", list, err)
	}
}

func expired(t *testing.T, b *Bucket, v Version) bool {
	l, err := b.Lock(t.Context(), v)
	return err == nil && time.Now().After(l.Until.Add(time.Second))
}

func TestACallThatIsCancelledSaysSo(t *testing.T) {
	_, b := locked(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Check(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
}

// late is a way to the server on which every request looks an hour off, as that of a machine whose
// clock is wrong.
type late struct{ next http.RoundTripper }

func (l late) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	wrong := time.Now().UTC().Add(-time.Hour)
	if wrong.Day() != time.Now().UTC().Day() { // the day is part of the signature
		wrong = wrong.Add(2 * time.Hour)
	}
	r.Header.Set("X-Amz-Date", wrong.Format("20060102T150405Z"))
	return l.next.RoundTrip(r)
}

func TestWrongClockIsNamed(t *testing.T) {
	s, _ := locked(t)
	b, err := newBucket(config(s), late{http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Put(t.Context(), "k", strings.NewReader("x"), sumOf([]byte("x")), Lock{Until: in(time.Hour)})
	for _, err := range []error{err, b.Check(t.Context())} {
		if !errors.Is(err, ErrClock) || !strings.Contains(err.Error(), "clocks") || !strings.Contains(err.Error(), "NTP") {
			t.Errorf("%v", err)
		}
	}
}

func TestSecretsAreReadFromFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadSecret(name); err != nil || s != "secret" {
		t.Fatal(s, err)
	}
}
