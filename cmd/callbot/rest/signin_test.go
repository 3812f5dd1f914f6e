package rest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSigningInIsPatientAndTellsRefusals(t *testing.T) {
	asked := 0
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch {
		case asked == 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case r.URL.Path == "/api/v1/staff/session" && asked == 2:
			_, _ = w.Write([]byte(`{"token":"t1"}`))
		default:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"code":"bad_credentials"}`))
		}
	}))
	defer site.Close()
	token, err := SignIn(t.Context(), site.URL, "a", "b")
	if err != nil || token != "t1" || asked != 2 {
		t.Fatal(token, err, asked)
	}
	if _, err := SignIn(t.Context(), site.URL, "a", "b"); err == nil || !strings.Contains(err.Error(), "bad_credentials") {
		t.Fatal(err)
	}
}
