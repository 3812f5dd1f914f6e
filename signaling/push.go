package signaling

import (
	"context"
	"net/http"

	"jedel/internal/fault"
	"jedel/signaling/accounts"
)

// Pushes keeps where the browsers of citizens take notices.
type Pushes interface {
	// Key is the site's public key (RFC 8292), base64url; empty: no notices are sent.
	Key() string
	// Citizen tells whose subscriptions a request is about: those of a registered caller, of a page that has
	// made a call, or of whoever has the key of a report; all but one are empty. None known is fault.NotSignedIn.
	Citizen(ctx context.Context, m Maker, reportKey string) (string, error)
	// Subscribe keeps a subscription before it returns. What no notice is sent to is fault.BadValue.
	Subscribe(ctx context.Context, citizen string, s PushSubscription) error
	// Unsubscribe forgets a subscription; one that is not there is forgotten already.
	Unsubscribe(ctx context.Context, citizen, endpoint string) error
}

// PushSubscription is where a browser takes notices, as its PushSubscription.toJSON writes it, keys beside the rest.
type PushSubscription struct {
	Endpoint string `json:"endpoint"`
	P256dh   string `json:"p256dh"`
	Auth     string `json:"auth"`
}

type endpointRequest struct {
	Endpoint string `json:"endpoint"`
}

// parties are those who know citizens and staff.
type parties struct {
	accounts *accounts.Accounts
	probes   Probes
	pushes   Pushes
}

// pushTable is every route about notices.
func (s *Server) pushTable() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/push/key": func(w http.ResponseWriter, _ *http.Request) {
			s.answer(w, http.StatusOK, map[string]any{"key": s.pushes.Key()})
		},
		"POST /api/v1/push/subscriptions": aboutPush(s, func(ctx context.Context, citizen string, b PushSubscription) error {
			return s.pushes.Subscribe(ctx, citizen, b)
		}),
		"DELETE /api/v1/push/subscriptions": aboutPush(s, func(ctx context.Context, citizen string, b endpointRequest) error {
			return s.pushes.Unsubscribe(ctx, citizen, b.Endpoint)
		}),
	}
}

// aboutPush takes a request of a citizen.
func aboutPush[B any](s *Server, do func(ctx context.Context, citizen string, b B) error) http.HandlerFunc {
	take := func(r *http.Request) error {
		citizen, err := s.citizen(r)
		if err != nil {
			return err
		}
		b, err := body[B](r, "push")
		if err != nil {
			return err
		}
		return do(r.Context(), citizen, b)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if err := take(r); err != nil {
			s.fail(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// citizen tells who asks: whoever has a report's key, else a page that has called or a registered caller.
func (s *Server) citizen(r *http.Request) (string, error) {
	if key := r.Header.Get(keyHeader); key != "" {
		if len(key) > 64 {
			return "", fault.New(fault.NotSignedIn, "push", nil)
		}
		return s.pushes.Citizen(r.Context(), Maker{}, key)
	}
	m, err := s.maker(r)
	if err != nil {
		return "", err
	}
	return s.pushes.Citizen(r.Context(), m, "")
}
