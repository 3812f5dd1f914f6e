package simtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
)

const (
	pgUser     = "jedel"
	pgPassword = "only-for-tests"
)

// Postgres is a running PostgreSQL. Stop, Crash and Start are for one goroutine.
type Postgres struct {
	bin  string // folder of the programs
	dir  string
	port int
	as   *syscall.SysProcAttr // PostgreSQL refuses to run as root
	proc *process

	databases atomic.Uint64 // made so far
}

// StartPostgres makes a cluster and starts it, for a TestMain; a test uses NewPostgres. Whoever
// calls it calls Remove.
func StartPostgres(ctx context.Context) (*Postgres, error) {
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(bins) == 0 {
		return nil, errors.New("this test needs PostgreSQL: sudo apt-get install postgresql")
	}
	slices.SortFunc(bins, func(a, b string) int { return version(a) - version(b) })
	p := &Postgres{bin: bins[len(bins)-1]}
	if p.dir, err = os.MkdirTemp("", "jedel-postgres-"); err != nil {
		return nil, err
	}
	if err := p.create(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(p.dir))
	}
	return p, nil
}

// version is the 17 of /usr/lib/postgresql/17/bin.
func version(bin string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return n
}

// NewPostgres starts a cluster that ends with the test.
func NewPostgres(t testing.TB) *Postgres {
	t.Helper()
	p, err := StartPostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	atEnd(t, p.dir, p.Crash)
	return p
}

func (p *Postgres) create(ctx context.Context) error {
	if err := p.dropRoot(); err != nil {
		return err
	}
	secret := filepath.Join(p.dir, "password")
	if err := os.WriteFile(secret, []byte(pgPassword), 0o600); err != nil {
		return err
	}
	if p.as != nil {
		if err := errors.Join(p.give(p.dir), p.give(secret)); err != nil {
			return err
		}
	}
	if err := p.run(ctx, "initdb", "--pgdata", p.data(), "--username", pgUser, "--pwfile", secret, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--locale", "C", "--no-sync"); err != nil {
		return err
	}
	var err error
	if p.port, err = freePort(); err != nil {
		return err
	}
	return p.Start(ctx)
}

// dropRoot finds the account to run as where we are root.
func (p *Postgres) dropRoot() error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and there is no account for it: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	p.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return nil
}

func (p *Postgres) give(path string) error {
	return os.Chown(path, int(p.as.Credential.Uid), int(p.as.Credential.Gid))
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// command is one of PostgreSQL's programs, under its account.
func (p *Postgres) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "PGPASSWORD=" + pgPassword}
	if p.as != nil {
		attr := *p.as
		cmd.SysProcAttr = &attr
	}
	return cmd
}

func (p *Postgres) run(ctx context.Context, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if out, err := p.command(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// Start starts the server again after Stop or Crash, on the same port with the same data.
func (p *Postgres) Start(ctx context.Context) error {
	var err error
	// The server outlives the context of whoever starts it; Stop ends it.
	p.proc, err = launch(p.command(context.WithoutCancel(ctx), "postgres", "-D", p.data(), "-p", strconv.Itoa(p.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "shared_buffers=16MB", "-c", "max_connections=60"), syscall.SIGQUIT)
	if err != nil {
		return err
	}
	return p.proc.await(func() bool {
		return p.command(ctx, "pg_isready", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port)).Run() == nil
	})
}

// Stop ends the server in order, breaking off its sessions.
func (p *Postgres) Stop() error { return p.proc.end(syscall.SIGINT) }

// Crash ends the server as a power cut would: it recovers from its log at the next start.
func (p *Postgres) Crash() error { return p.proc.end(syscall.SIGQUIT) }

// Remove ends the server, without the checkpoint of a stop in order, and removes its data.
func (p *Postgres) Remove() error { return errors.Join(p.Crash(), os.RemoveAll(p.dir)) }

// Database makes an empty database and returns its address.
func (p *Postgres) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("db%d", p.databases.Add(1))
	if err := p.run(t.Context(), "createdb", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", pgUser, name); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", pgUser, pgPassword, p.port, name)
}
