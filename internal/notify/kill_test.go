package notify_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"jedel/internal/notice"
	"jedel/internal/notify"
	"jedel/internal/notify/httpsms"
	"jedel/internal/outbox"
	"jedel/internal/store"

	"github.com/prometheus/client_golang/prometheus"
)

// What tells this program to be the one that is killed.
const (
	victimFile = "JEDEL_NOTIFY_VICTIM"
	victimURL  = "JEDEL_NOTIFY_URL"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(victimFile); file != "" {
		if err := victim(context.Background(), file, os.Getenv(victimURL)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func message() notify.Message {
	return notify.Message{Case: "case1", Version: 1, Kind: notice.Closed, Lang: "kk", To: notify.Citizen{Phone: "+77015551212"}, Args: notice.Args{Number: "26-1", Text: "x"}}
}

// gateway opens a sender whose provider is at url.
func gateway(ctx context.Context, file, url string) (*notify.Sender, *store.DB, error) {
	db, err := store.Open(ctx, "sqlite:"+file, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return nil, nil, err
	}
	c, err := httpsms.New(ctx, httpsms.Config{URL: url, Method: http.MethodPost, Body: "{id}", Format: httpsms.Form, Timeout: 30 * time.Second})
	if err != nil {
		return nil, nil, err
	}
	return notify.New(notify.Config{
		Policy: outbox.Policy{
			Attempts: 5, First: 100 * time.Millisecond, Longest: time.Second, Life: time.Hour, AnswerTime: time.Second, DoubtTime: 500 * time.Millisecond, Repeats: 1,
		},
		Zone: time.UTC, Channels: []outbox.Channel{outbox.SMS}, Carriers: map[outbox.Channel]notify.Carrier{outbox.SMS: c}, Prefixes: []string{"+7"}, Texts: notice.Default(),
		MaxParts: 3, Store: db, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Reg: prometheus.NewRegistry(),
	}), db, nil
}

// victim queues the message and sends until it is killed.
func victim(ctx context.Context, file, url string) error {
	s, _, err := gateway(ctx, file, url)
	if err != nil {
		return err
	}
	if _, err := s.Enqueue(ctx, message()); err != nil {
		return err
	}
	s.Run(ctx)
	return nil
}

// TestAGatewayKilledWhileItSendsRepeatsOnce kills a process with SIGKILL in the middle of each attempt.
func TestAGatewayKilledWhileItSendsRepeatsOnce(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	came := make(chan struct{}, 100)
	provider := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked = append(asked, string(raw))
		mu.Unlock()
		came <- struct{}{}
		<-r.Context().Done() // it has the message, and the answer never arrives
	}))
	defer provider.Close()
	file := filepath.Join(t.TempDir(), "jedel.db")
	for range 2 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), victimFile+"="+file, victimURL+"="+provider.URL)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-came:
		case <-time.After(60 * time.Second):
			t.Error("nothing was sent")
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	s, db, err := gateway(t.Context(), file, provider.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	var last notify.Status
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(60 * time.Second); !last.Ended; {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it does not end: %+v", last)
		}
		list, err := s.Case(t.Context(), "case1")
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		last = list[0]
	}
	cancel()
	<-done
	mu.Lock()
	defer mu.Unlock()
	if want := []string{last.ID + "-1", last.ID + "-2"}; !slices.Equal(asked, want) {
		t.Errorf("sent %v, want %v", asked, want)
	}
	if last.Stage != notify.StageGivenUp || last.Reason != outbox.ReasonDoubt {
		t.Errorf("%+v", last)
	}
}
