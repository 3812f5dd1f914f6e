package simtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// versitygw is the S3 server that tests run against: Apache 2.0, one binary, objects as plain
// files, Object Lock in the way of the original. It is no part of our module.
const (
	versitygw        = "github.com/versity/versitygw"
	versitygwVersion = "v1.8.0"
	buildTime        = 9 * time.Minute
)

// S3 is a running S3 server. Start, Stop and Kill are for one goroutine.
type S3 struct {
	// Endpoint is its host:port. AccessKey and SecretKey are those of its administrator.
	Endpoint, AccessKey, SecretKey string
	// Dir holds the newest version of each object as a file, Versions the older ones.
	Dir, Versions string

	bin  string
	proc *process
}

// NewS3 starts a server that ends with the test. The first test on a machine builds it, which
// takes minutes; the test is skipped only where the module cannot be downloaded.
func NewS3(t testing.TB) *S3 {
	t.Helper()
	bin, err := versitygwBinary(t.Context())
	if errors.Is(err, errDownload) {
		t.Skipf("no S3 server to test against: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.MkdirTemp("", "jedel-s3-")
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &S3{
		Endpoint: fmt.Sprintf("127.0.0.1:%d", port), AccessKey: "admin", SecretKey: "only for tests",
		Dir: filepath.Join(root, "objects"), Versions: filepath.Join(root, "versions"), bin: bin,
	}
	if err := errors.Join(os.Mkdir(s.Dir, 0o700), os.Mkdir(s.Versions, 0o700)); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	atEnd(t, root, s.stop)
	return s
}

// Start starts the server again after Stop or Kill, with what is on its disk.
func (s *S3) Start(t testing.TB) {
	t.Helper()
	cmd := exec.Command(s.bin, "--port", s.Endpoint, "--quiet", "posix", "--versioning-dir", s.Versions, s.Dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	var err error
	if s.proc, err = launch(cmd, syscall.SIGKILL); err == nil {
		err = s.proc.await(s.answers)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Stop asks the server to end and waits.
func (s *S3) Stop(t testing.TB) {
	t.Helper()
	if err := s.proc.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server at once, whatever it is doing.
func (s *S3) Kill(t testing.TB) {
	t.Helper()
	if err := s.proc.end(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func (s *S3) stop() error { return s.proc.end(syscall.SIGKILL) }

func (s *S3) answers() bool {
	c, err := net.DialTimeout("tcp", s.Endpoint, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

var errDownload = errors.New("the module " + versitygw + " cannot be downloaded")

// versitygwBinary returns the built server, from the cache of the person who runs the tests.
func versitygwBinary(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	dir := filepath.Join(cache, "jedel-test", "versitygw-"+versitygwVersion)
	bin := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	fresh, err := os.MkdirTemp(dir, "build-") // beside its place: two tests may build at once
	if err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	defer os.RemoveAll(fresh)
	ctx, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "install", versitygw+"/cmd/versitygw@"+versitygwVersion)
	cmd.Dir = fresh                                                                   // outside our module
	cmd.Env = append(os.Environ(), "GOBIN="+fresh, "GOFLAGS=-trimpath", "GOWORK=off") // as make test builds: what both need is compiled once
	if out, err := cmd.CombinedOutput(); err != nil {
		for _, sign := range []string{"dial tcp", "no such host", "proxyconnect", "disabled by GOPROXY", "i/o timeout", "TLS handshake"} {
			if strings.Contains(string(out), sign) {
				return "", fmt.Errorf("%w: %s", errDownload, out)
			}
		}
		return "", fmt.Errorf("build %s: %w: %s", versitygw, err, out)
	}
	if err := os.Rename(filepath.Join(fresh, "versitygw"), bin); err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	return bin, nil
}
