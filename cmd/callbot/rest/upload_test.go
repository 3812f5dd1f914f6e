package rest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"jedel/cmd/callbot/exchange"
	"jedel/internal/fault"
)

// TestAFileThatBreaksOffGoesOn is a gateway that takes half of each part and fails every other time.
func TestAFileThatBreaksOffGoesOn(t *testing.T) {
	var got bytes.Buffer
	var asked atomic.Int64
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Tus-Resumable") != "1.0.0" || r.Header.Get("X-Report-Key") == "" {
			t.Errorf("%v", r.Header)
		}
		switch r.Method {
		case http.MethodPost:
			w.Header().Set("Location", uploads+"u1")
			w.WriteHeader(http.StatusCreated)
		case http.MethodHead:
			w.Header().Set("Upload-Offset", strconv.Itoa(got.Len()))
		case http.MethodPatch:
			if at, err := strconv.Atoi(r.Header.Get("Upload-Offset")); err != nil || at != got.Len() {
				w.WriteHeader(http.StatusConflict)
				return
			}
			raw, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			n := asked.Add(1)
			if n <= 4 {
				raw = raw[:(len(raw)+1)/2]
			}
			got.Write(raw)
			if n%2 == 0 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.Header().Set("Upload-Offset", strconv.Itoa(got.Len()))
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer site.Close()
	raw := bytes.Repeat([]byte("jedel"), 50_000)
	if err := Citizen(site.URL).Upload(t.Context(), "r", "f", raw); err != nil || !bytes.Equal(got.Bytes(), raw) {
		t.Fatal(err, got.Len(), len(raw))
	}
}

func TestARefusalOfAFileIsTold(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Upload-Metadata"), "report ") && r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"error":{"code":"forbidden","words":{"kk":"а","ru":"б","en":"c"}}}`))
			return
		}
		http.NotFound(w, r)
	}))
	defer site.Close()
	if err := Staff(site.URL, "t").Upload(t.Context(), "r", "f", []byte("x")); !exchange.Refused(err, fault.Forbidden) {
		t.Fatal(err)
	}
	if err := Citizen(site.URL).Upload(t.Context(), "r", "f", []byte("x")); err == nil || !strings.Contains(err.Error(), "takes no files") {
		t.Fatal(err)
	}
}
