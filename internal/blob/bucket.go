// Package blob keeps a second copy of closed evidence where nobody can delete it: an S3 bucket
// with Object Lock in COMPLIANCE mode. What is there and what is missing is always read from the
// bucket and from the local files, never remembered.
package blob

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// requestTime is how long a request may take beside its bytes. Shorter gives up on servers that
	// are busy, longer waits for dead ones.
	requestTime = 30 * time.Second
	// slowest is the slowest transfer that is waited for, in bytes per second.
	slowest = 64 << 10
	// maxVersions bounds the versions that are listed below one prefix: more is an attack on the
	// replica's memory by somebody who may write to the bucket.
	maxVersions = 20000
	// maxSecret bounds a file with a key of the S3 server, in bytes.
	maxSecret = 4 << 10
)

// BucketConfig says where the bucket is. The bucket must exist: a program that may create buckets
// could create one without locks.
type BucketConfig struct {
	Endpoint  string // host:port
	TLS       bool
	CAFile    string // PEM of the authority that signed the server's certificate; empty: the system's
	Region    string // empty: us-east-1
	Bucket    string
	Prefix    string // before every key, "petropavl/"; empty: none
	AccessKey string
	SecretKey string
}

// Bucket is one bucket with Object Lock. All methods may be called at the same time; each ends
// within a bound that grows with the bytes it moves, and tries once: who calls repeats.
type Bucket struct {
	s3     minio.Core
	name   string
	prefix string
}

// NewBucket prepares the way to a bucket. It sends nothing; Check does.
func NewBucket(c BucketConfig) (*Bucket, error) {
	transport, err := newTransport(c)
	if err != nil {
		return nil, err
	}
	return newBucket(c, transport)
}

func newTransport(c BucketConfig) (*http.Transport, error) {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: 8, DisableCompression: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("replica authority: %w", err)
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("replica authority: no certificate in %s", c.CAFile)
		}
	}
	return transport, nil
}

func newBucket(c BucketConfig, transport http.RoundTripper) (*Bucket, error) {
	region := c.Region
	if region == "" {
		region = "us-east-1"
	}
	client, err := minio.New(c.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""), Secure: c.TLS, Transport: transport, Region: region,
		BucketLookup: minio.BucketLookupPath, MaxRetries: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("replica %s: %w", c.Endpoint, err)
	}
	return &Bucket{s3: minio.Core{Client: client}, name: c.Bucket, prefix: c.Prefix}, nil
}

// ReadSecret reads a key of the S3 server from its file.
func ReadSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("replica key: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret))
	if err != nil {
		return "", fmt.Errorf("replica key: %w", err)
	}
	return string(bytes.TrimSpace(raw)), nil
}

// bounded gives a request its deadline: size is the bytes it moves.
func bounded(ctx context.Context, size int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTime+time.Duration(size/slowest)*time.Second)
}

// Check says whether the bucket keeps what is put there: it exists, keeps versions, locks objects,
// and the key may read it. ErrNoBucket, ErrNotVersioned, ErrNotLocked, ErrDenied, ErrClock and
// ErrUnavailable tell what is wrong.
func (b *Bucket) Check(ctx context.Context) error {
	ctx, cancel := bounded(ctx, 0)
	defer cancel()
	versioning, err := b.s3.GetBucketVersioning(ctx, b.name)
	if err != nil {
		return classify(ctx, "replica versioning", err)
	}
	if versioning.Status != minio.Enabled {
		return fmt.Errorf("replica bucket %s: %w", b.name, ErrNotVersioned)
	}
	lock, _, _, _, err := b.s3.GetObjectLockConfig(ctx, b.name)
	if err != nil {
		return classify(ctx, "replica lock", err)
	}
	if lock != "Enabled" {
		return fmt.Errorf("replica bucket %s: %w", b.name, ErrNotLocked)
	}
	return nil
}

// Sum is the hashes of a file. S3 servers ask for MD5 with a locked object; SHA-256 is what counts.
type Sum struct {
	SHA256 [32]byte
	MD5    [16]byte
	Size   int64
}

// Lock is how a version is protected. In COMPLIANCE mode nobody can move Until to an earlier time.
type Lock struct {
	Until time.Time // whole seconds, as S3 keeps them
	Hold  bool
}

// Put stores body under key as a new version, locked from its first moment. The server compares
// the bytes with sum before it keeps them: ErrChanged when body is not what was hashed. It returns
// the version's name.
func (b *Bucket) Put(ctx context.Context, key string, body io.ReadSeeker, sum Sum, l Lock) (string, error) {
	ctx, cancel := bounded(ctx, sum.Size)
	defer cancel()
	opts := minio.PutObjectOptions{
		Mode: minio.Compliance, RetainUntilDate: l.Until.UTC(), ContentType: "application/octet-stream",
		DisableContentSha256: true, // not in pieces: the hash of the whole is in the signature
		UserMetadata: map[string]string{
			shaKey: hex.EncodeToString(sum.SHA256[:]), "X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum.SHA256[:]),
		},
	}
	if l.Hold {
		opts.LegalHold = minio.LegalHoldEnabled
	}
	info, err := b.s3.PutObject(ctx, b.name, b.prefix+key, body, sum.Size,
		base64.StdEncoding.EncodeToString(sum.MD5[:]), hex.EncodeToString(sum.SHA256[:]), opts)
	if err != nil {
		return "", classify(ctx, "replica put "+key, err)
	}
	if info.VersionID == "" {
		return "", fmt.Errorf("replica put %s: %w", key, ErrNotVersioned)
	}
	return info.VersionID, nil
}

// shaKey is the metadata in which Put leaves the hash of what it sent.
const shaKey = "Sha256"

// Read reads a version into w and returns the hash that was sent with it, in hex, empty where
// there is none.
func (b *Bucket) Read(ctx context.Context, v Version, w io.Writer) (string, error) {
	ctx, cancel := bounded(ctx, v.Size)
	defer cancel()
	body, info, _, err := b.s3.GetObject(ctx, b.name, b.prefix+v.Key, minio.GetObjectOptions{VersionID: v.ID})
	if err != nil {
		return "", classify(ctx, "replica read "+v.Key, err)
	}
	defer body.Close()
	// One byte more than announced is enough to know that it is another object.
	if _, err := io.Copy(w, io.LimitReader(body, v.Size+1)); err != nil {
		return "", classify(ctx, "replica read "+v.Key, err)
	}
	return info.UserMetadata[shaKey], nil
}

// Version is one version of an object. A deletion without a version's name leaves a marker in
// front, and the versions behind it.
type Version struct {
	Key    string
	ID     string
	Size   int64
	Latest bool
	Marker bool
}

// Versions lists all versions below a prefix, those of one key newest first.
func (b *Bucket) Versions(ctx context.Context, prefix string) ([]Version, error) {
	ctx, cancel := bounded(ctx, 0)
	defer cancel()
	var out []Version
	for o := range b.s3.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			return nil, classify(ctx, "replica list "+prefix, o.Err)
		}
		if len(out) == maxVersions {
			return nil, fmt.Errorf("replica list %s: more than %d versions: %w", prefix, maxVersions, ErrRefused)
		}
		out = append(out, Version{Key: o.Key[len(b.prefix):], ID: o.VersionID, Size: o.Size, Latest: o.IsLatest, Marker: o.IsDeleteMarker})
	}
	return out, classify(ctx, "replica list "+prefix, ctx.Err())
}

// Lock returns how a version is protected: Until is zero where it is not locked in COMPLIANCE mode.
// It is read from the headers of the object: the answers of the requests made for it differ between
// servers.
func (b *Bucket) Lock(ctx context.Context, v Version) (Lock, error) {
	ctx, cancel := bounded(ctx, 0)
	defer cancel()
	info, err := b.s3.StatObject(ctx, b.name, b.prefix+v.Key, minio.StatObjectOptions{VersionID: v.ID})
	if err != nil {
		return Lock{}, classify(ctx, "replica lock of "+v.Key, err)
	}
	l := Lock{Hold: info.Headers.Get("X-Amz-Object-Lock-Legal-Hold") == string(minio.LegalHoldEnabled)}
	if info.Headers.Get("X-Amz-Object-Lock-Mode") == string(minio.Compliance) {
		if l.Until, err = time.Parse(time.RFC3339, info.Headers.Get("X-Amz-Object-Lock-Retain-Until-Date")); err != nil {
			return Lock{}, fmt.Errorf("replica lock of %s: %w (%w)", v.Key, ErrRefused, err)
		}
		l.Until = l.Until.UTC()
	}
	return l, nil
}

// Extend locks a version until a later time. An earlier one is ErrLocked and changes nothing.
func (b *Bucket) Extend(ctx context.Context, v Version, until time.Time) error {
	now, err := b.Lock(ctx, v)
	if err != nil {
		return err
	}
	until = until.UTC().Truncate(time.Second)
	if until.Before(now.Until) {
		return fmt.Errorf("replica extend %s: %w", v.Key, ErrLocked)
	}
	ctx, cancel := bounded(ctx, 0)
	defer cancel()
	mode := minio.Compliance
	err = b.s3.PutObjectRetention(ctx, b.name, b.prefix+v.Key, minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until, VersionID: v.ID})
	return classify(ctx, "replica extend "+v.Key, err)
}

// SetHold sets or clears the legal hold of a version. It is independent of Until.
func (b *Bucket) SetHold(ctx context.Context, v Version, on bool) error {
	ctx, cancel := bounded(ctx, 0)
	defer cancel()
	status := minio.LegalHoldDisabled
	if on {
		status = minio.LegalHoldEnabled
	}
	err := b.s3.PutObjectLegalHold(ctx, b.name, b.prefix+v.Key, minio.PutObjectLegalHoldOptions{Status: &status, VersionID: v.ID})
	return classify(ctx, "replica hold "+v.Key, err)
}

// Remove deletes one version for good, ErrLocked while it is locked or held. To delete the object
// without naming a version would only hide it.
func (b *Bucket) Remove(ctx context.Context, v Version) error {
	if v.ID == "" {
		return fmt.Errorf("replica remove %s: %w", v.Key, ErrNotFound)
	}
	if !v.Marker {
		l, err := b.Lock(ctx, v)
		if err != nil {
			return err
		}
		if l.Hold || l.Until.After(time.Now()) {
			return fmt.Errorf("replica remove %s: %w", v.Key, ErrLocked)
		}
	}
	ctx, cancel := bounded(ctx, 0)
	defer cancel()
	return classify(ctx, "replica remove "+v.Key, b.s3.RemoveObject(ctx, b.name, b.prefix+v.Key, minio.RemoveObjectOptions{VersionID: v.ID}))
}
