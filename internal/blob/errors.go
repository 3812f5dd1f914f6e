package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/minio/minio-go/v7"
)

// What a bucket refuses, each with what to do. They are compared with errors.Is.
var (
	// ErrNoBucket: the bucket does not exist or its name is wrong.
	ErrNoBucket = errors.New("the bucket does not exist: create it with Object Lock enabled")
	// ErrNotVersioned: anybody who may write could overwrite evidence.
	ErrNotVersioned = errors.New("the bucket keeps no versions: enable versioning, it is needed for Object Lock")
	// ErrNotLocked: anybody who may delete could delete evidence.
	ErrNotLocked = errors.New("the bucket has no Object Lock: create a bucket with Object Lock enabled, most servers cannot enable it later")
	// ErrDenied: the access key is wrong or may not do this.
	ErrDenied = errors.New("the S3 server refuses the access key: check access_key_file, secret_key_file and the key's policy")
	// ErrClock: requests are signed with the time; this machine's clock or the server's is wrong.
	ErrClock = errors.New("the clocks of this machine and of the S3 server are too far apart: check NTP on both")
	// ErrLocked: the version is locked until its date or held; nothing was changed.
	ErrLocked = errors.New("the version is locked and can be neither deleted nor kept for less time")
	// ErrChanged: what the server received or gave back is not what was sent; nothing is believed.
	ErrChanged = errors.New("the bytes are not those that were hashed")
	// ErrNotFound: there is no such object or version.
	ErrNotFound = errors.New("no such object")
	// ErrUnavailable: the server does not answer or asks to come back later.
	ErrUnavailable = errors.New("the S3 server does not answer")
	// ErrRefused: the server refuses for another reason, which is in the text.
	ErrRefused = errors.New("the S3 server refuses")
)

// Reason names the errors for metrics and logs: a closed set.
func Reason(err error) string {
	for _, r := range []struct {
		err  error
		name string
	}{
		{ErrNoBucket, "no_bucket"}, {ErrNotVersioned, "not_versioned"}, {ErrNotLocked, "not_locked"}, {ErrDenied, "denied"},
		{ErrClock, "clock"}, {ErrLocked, "locked"}, {ErrChanged, "changed"}, {ErrNotFound, "not_found"},
		{ErrUnavailable, "unavailable"}, {ErrRefused, "refused"},
	} {
		if errors.Is(err, r.err) {
			return r.name
		}
	}
	return "local"
}

// classify gives err its sentinel. The caller's own end stays what it is.
func classify(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return fmt.Errorf("%s: %w", op, context.Cause(ctx))
	}
	return fmt.Errorf("%s: %w (%w)", op, sentinel(err), err)
}

func sentinel(err error) error {
	var known minio.ErrorResponse
	var network net.Error // *url.Error is one
	switch {
	case errors.As(err, &known):
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.DeadlineExceeded):
		return ErrUnavailable
	default:
		return ErrRefused // an answer that is not the protocol's
	}
	switch known.Code {
	case "NoSuchBucket", "InvalidBucketName":
		return ErrNoBucket
	case "RequestTimeTooSkewed":
		return ErrClock
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound":
		return ErrDenied
	case "ObjectLockConfigurationNotFoundError", "InvalidBucketState":
		return ErrNotLocked
	case "XAmzContentSHA256Mismatch", "BadDigest", "InvalidDigest", "IncompleteBody", "XAmzContentChecksumMismatch":
		return ErrChanged
	case "NoSuchKey", "NoSuchVersion", "NoSuchObject":
		return ErrNotFound
	case "ObjectLocked", "InvalidRetentionPeriod":
		return ErrLocked
	case "AccessDenied":
		return ErrDenied
	case "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException":
		return ErrUnavailable
	}
	switch {
	case known.StatusCode >= 500, known.StatusCode == http.StatusTooManyRequests, known.StatusCode == http.StatusRequestTimeout:
		return ErrUnavailable
	case known.StatusCode == http.StatusNotFound:
		return ErrNotFound
	case known.StatusCode == http.StatusForbidden, known.StatusCode == http.StatusUnauthorized:
		return ErrDenied
	}
	return ErrRefused
}
