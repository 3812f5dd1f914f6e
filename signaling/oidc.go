package signaling

import (
	"context"
	"net/http"
	"slices"
	"time"

	"jedel/internal/fault"
	"jedel/signaling/accounts"
	"jedel/signaling/signon"
)

// SignOn signs staff in by the identity provider of their organization.
type SignOn interface {
	// Begin returns where to send somebody, and the cookie that they must bring back.
	Begin(ctx context.Context, back string) (url, cookie string, err error)
	// Back returns the page that a cookie's owner came from.
	Back(cookie string) string
	// Finish returns who came back.
	Finish(ctx context.Context, cookie, state, code string) (signon.Identity, error)
}

const (
	signOnCookie = "jedel_oidc"
	signOnPath   = "/api/v1/staff/oidc"
)

// pagesOfStaff are those that people sign in at.
var pagesOfStaff = []string{"/console", "/evidence", "/admin", "/patrol", "/dispatch"}

// signOnTable is every route of signing in by an identity provider.
func (s *Server) signOnTable() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET " + signOnPath:               s.beginSignOn,
		"GET " + signOnPath + "/callback": s.finishSignOn,
	}
}

// beginSignOn sends somebody to the provider.
func (s *Server) beginSignOn(w http.ResponseWriter, r *http.Request) {
	back := r.URL.Query().Get("back")
	if !slices.Contains(pagesOfStaff, back) {
		back = pagesOfStaff[0]
	}
	if s.signOn == nil {
		s.fail(w, r, fault.New(fault.NotFound, "staff.oidc", nil))
		return
	}
	url, cookie, err := "", "", s.accounts.AdmitSignOn(s.addr(r))
	if err == nil {
		url, cookie, err = s.signOn.Begin(r.Context(), back)
	}
	if err != nil {
		s.sendBack(w, r, back, err)
		return
	}
	s.setSignOn(w, cookie, int(signon.BeginTime/time.Second))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, url, http.StatusSeeOther)
}

// finishSignOn begins the session of somebody who comes back from the provider. The cookie is lax:
// they come from another site. The session's own is strict as always.
func (s *Server) finishSignOn(w http.ResponseWriter, r *http.Request) {
	if s.signOn == nil {
		s.fail(w, r, fault.New(fault.NotFound, "staff.oidc", nil))
		return
	}
	cookie, q := "", r.URL.Query()
	if c, err := r.Cookie(signOnCookie); err == nil {
		cookie = c.Value
	}
	back := s.signOn.Back(cookie)
	if back == "" {
		back = pagesOfStaff[0]
	}
	s.setSignOn(w, "", -1)
	addr := s.addr(r)
	who, err := s.signOn.Finish(r.Context(), cookie, q.Get("state"), q.Get("code"))
	token := ""
	if err == nil {
		token, _, err = s.accounts.SignInKnown(r.Context(), accounts.Known(who))
	}
	if err != nil {
		s.sendBack(w, r, back, err)
		return
	}
	s.accounts.SignedOn(addr)
	s.setCookie(w, token, int(accounts.SessionTime/time.Second))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// sendBack lets the page that somebody came from say why not: a code after the #, and nothing else.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, back string, err error) {
	code := fault.CodeOf(err)
	if code == fault.Internal || code == fault.Unavailable || code == fault.ProviderDown {
		s.log.Warn("sign-in by the identity provider", "code", code, "err", err)
	} else {
		s.log.Info("sign-in by the identity provider was refused", "code", code, "err", err)
	}
	s.met.refused.WithLabelValues(string(code)).Inc()
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, back+"#refused="+string(code), http.StatusSeeOther)
}

func (s *Server) setSignOn(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: signOnCookie, Value: value, Path: signOnPath, MaxAge: age, HttpOnly: true, Secure: s.cfg.SecureCookie, SameSite: http.SameSiteLaxMode,
	})
}
