package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// archived is a tar as a gateway sends it.
func archived(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, body := range map[string][]byte{"call1/00000.evr": bytes.Repeat([]byte("evidence"), 4000), "call1/seal.note": []byte("seal")} {
		if err := errors.Join(w.WriteHeader(&tar.Header{Name: name, Mode: 0o444, Size: int64(len(body))}), second(w.Write(body))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func second(_ int, err error) error { return err }

// fake answers as a gateway does; archive sends the tar in whatever way a test wants.
type fake struct {
	*httptest.Server
	out atomic.Int32 // sessions that were ended
}

func gateway(t *testing.T, archive http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{}
	no := func(w http.ResponseWriter, status int, code, words string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": code, "words": map[string]string{"en": words}}})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/staff/session", func(w http.ResponseWriter, r *http.Request) {
		var form struct{ Login, Password, TOTP string }
		_ = json.NewDecoder(r.Body).Decode(&form)
		switch {
		case form.Password != "right":
			no(w, http.StatusUnauthorized, "bad_sign_in", "Wrong login or password")
		case form.Login == "careful" && form.TOTP != "123456":
			no(w, http.StatusUnauthorized, "totp_needed", "The code of the authenticator is needed")
		default:
			_ = json.NewEncoder(w).Encode(map[string]string{"token": "token-of-" + form.Login})
		}
	})
	mux.HandleFunc("DELETE /api/v1/staff/session", func(w http.ResponseWriter, _ *http.Request) {
		f.out.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})
	var why atomic.Bool
	mux.HandleFunc("POST /api/v1/evidence/calls/{call}/opening", func(w http.ResponseWriter, r *http.Request) {
		var form struct{ Case, Reason string }
		_ = json.NewDecoder(r.Body).Decode(&form)
		if form.Case != "case 7" || form.Reason != "test" {
			no(w, http.StatusPreconditionRequired, "reason_needed", "Say why")
			return
		}
		why.Store(true)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /api/v1/evidence/calls/{call}/archive.tar", func(w http.ResponseWriter, r *http.Request) {
		switch who := r.Header.Get("Authorization"); {
		case !why.Load():
			no(w, http.StatusPreconditionRequired, "reason_needed", "Say why")
		case who == "Bearer token-of-operator":
			no(w, http.StatusForbidden, "forbidden", "You may not do this")
		case !strings.HasPrefix(who, "Bearer token-of-"):
			no(w, http.StatusUnauthorized, "not_signed_in", "Sign in")
		case r.PathValue("call") != "call1":
			no(w, http.StatusNotFound, "no_such_call", "There is no such call")
		default:
			archive(w, r)
		}
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) fetch(t *testing.T, c evidenceFetchCmd) error {
	t.Helper()
	c.URL = f.URL + "/"
	c.Case, c.Reason = "case 7", "test"
	if c.Call == "" {
		c.Call = "call1"
	}
	if c.Idle == 0 {
		c.Idle = 20 * time.Second
	}
	return c.Run(t.Context())
}

// left lists what stands in the folder of out.
func left(t *testing.T, out string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Dir(out))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestFetchWritesTheArchiveAsItIsSentAndSignsOut(t *testing.T) {
	want := archived(t)
	f := gateway(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(want) })
	out := filepath.Join(t.TempDir(), "x.tar")
	if err := f.fetch(t, evidenceFetchCmd{Login: "inv", Password: "right", Out: out}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v: %d bytes, %d were sent", err, len(got), len(want))
	}
	if names := left(t, out); len(names) != 1 || f.out.Load() != 1 {
		t.Fatalf("left %v, %d sessions ended", names, f.out.Load())
	}
}

func TestFetchNamesTheFileByTheCall(t *testing.T) {
	want := archived(t)
	f := gateway(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(want) })
	t.Chdir(t.TempDir())
	if err := f.fetch(t, evidenceFetchCmd{Login: "inv", Password: "right"}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("call1.tar"); err != nil || !bytes.Equal(got, want) {
		t.Fatal(err)
	}
}

// TestFetchNeverTakesAPartForTheWhole breaks the transfer in several ways; the file of before stays.
func TestFetchNeverTakesAPartForTheWhole(t *testing.T) {
	whole := archived(t)
	for name, send := range map[string]http.HandlerFunc{
		"connection ends": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(whole[:len(whole)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"length promised": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "999999")
			_, _ = w.Write(whole)
		},
		"cut within a file":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole[:2048]) },
		"cut before the ending": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole[:len(whole)-1024]) },
		"half an ending":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole[:len(whole)-512]) },
		"nothing":               func(http.ResponseWriter, *http.Request) {},
		"a page of a proxy": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("<p>Sign in here</p>"), 99))
		},
		"only an ending": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1024)) },
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "x.tar")
			if err := os.WriteFile(out, []byte("of before"), 0o600); err != nil {
				t.Fatal(err)
			}
			err := gateway(t, send).fetch(t, evidenceFetchCmd{Login: "inv", Password: "right", Out: out})
			if err == nil || status(err, &bytes.Buffer{}) != 1 {
				t.Fatalf("%v", err)
			}
			if got, _ := os.ReadFile(out); string(got) != "of before" || len(left(t, out)) != 1 {
				t.Fatalf("%q, left %v", got, left(t, out))
			}
		})
	}
}

func TestAnotherTryAfterABrokenOneGetsTheWhole(t *testing.T) {
	want := archived(t)
	tries := 0
	f := gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			_, _ = w.Write(want[:700])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(want)
	})
	c := evidenceFetchCmd{Login: "inv", Password: "right", Out: filepath.Join(t.TempDir(), "x.tar")}
	if err := f.fetch(t, c); err == nil {
		t.Fatal("the broken one passed")
	}
	if err := f.fetch(t, c); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(c.Out); !bytes.Equal(got, want) || len(left(t, c.Out)) != 1 {
		t.Fatalf("%d bytes, left %v", len(got), left(t, c.Out))
	}
}

func TestRefusalsAreClearAndHaveTheirExitCode(t *testing.T) {
	f := gateway(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	for _, c := range []struct {
		cmd  evidenceFetchCmd
		want string
		code int
	}{
		{evidenceFetchCmd{Login: "inv", Password: "wrong"}, "jedel: sign in: Wrong login or password (bad_sign_in)\n", exitRefused},
		{evidenceFetchCmd{Login: "careful", Password: "right"}, "jedel: sign in: The code of the authenticator is needed (totp_needed)\n", exitRefused},
		{evidenceFetchCmd{Login: "operator", Password: "right"}, "jedel: fetch: You may not do this (forbidden)\n", exitRefused},
		{evidenceFetchCmd{Login: "inv", Password: "right", Call: "call2"}, "jedel: fetch: There is no such call (no_such_call)\n", 1},
		{evidenceFetchCmd{Login: "inv", Password: "right", Call: "../../staff"}, "jedel: fetch: There is no such call (no_such_call)\n", 1},
	} {
		c.cmd.Out = filepath.Join(t.TempDir(), "x.tar")
		var said bytes.Buffer
		if code := status(f.fetch(t, c.cmd), &said); code != c.code || said.String() != c.want {
			t.Errorf("%d %q, want %d %q", code, said.String(), c.code, c.want)
		}
		if names := left(t, c.cmd.Out); len(names) != 0 {
			t.Errorf("left %v", names)
		}
	}
}

func TestASecondFactorIsSent(t *testing.T) {
	want := archived(t)
	f := gateway(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(want) })
	if err := f.fetch(t, evidenceFetchCmd{Login: "careful", Password: "right", TOTP: "123456", Out: filepath.Join(t.TempDir(), "x.tar")}); err != nil {
		t.Fatal(err)
	}
}

func TestASilentGatewayIsNotWaitedForForever(t *testing.T) {
	f := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	out := filepath.Join(t.TempDir(), "x.tar")
	err := f.fetch(t, evidenceFetchCmd{Login: "inv", Password: "right", Out: out, Idle: 200 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "nothing arrived for 200ms") || len(left(t, out)) != 0 {
		t.Fatal(err, left(t, out))
	}
}

func TestExitCodesOfThePlainKind(t *testing.T) {
	var said bytes.Buffer
	if status(nil, &said) != 0 || status(exitCode(8), &said) != 8 || said.Len() != 0 {
		t.Fatal(said.String())
	}
	if status(context.Canceled, &said) != 1 || said.String() != "jedel: context canceled\n" {
		t.Fatal(said.String())
	}
}
