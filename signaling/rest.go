package signaling

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/store"
	"jedel/signaling/accounts"
	"jedel/signaling/wire"
)

const cookieName = "jedel_staff"

// bearer returns the token of an Authorization header (RFC 6750 section 2.1).
func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

func cookieToken(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// staffToken takes the cookie of a page or the header of a program.
func staffToken(r *http.Request) string {
	if t := bearer(r); t != "" {
		return t
	}
	return cookieToken(r)
}

// addr is where a request comes from: it bounds how often, and is not logged. Behind a trusted
// proxy it is what the proxy says. A subscriber has a whole /64 of IPv6 (RFC 6177), so that counts
// as one.
func (s *Server) addr(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := at.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(ip); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		ip = next.Unmap()
	}
	return network(ip)
}

func (s *Server) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(s.cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

type codeRequest struct {
	Phone string `json:"phone"`
	Lang  string `json:"lang,omitempty"`
}

// callerCode sends a one-time code.
func (s *Server) callerCode(w http.ResponseWriter, r *http.Request) {
	b, err := body[codeRequest](r, "caller.code")
	if err == nil {
		err = oneLang(b.Lang)
	}
	if err == nil {
		err = s.accounts.RequestCode(r.Context(), b.Phone, b.Lang, s.addr(r))
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusAccepted, map[string]any{"retryAfterS": int(accounts.CodeRetry / time.Second)})
}

type registerRequest struct {
	Phone   string `json:"phone"`
	Code    string `json:"code"`
	Name    string `json:"name"`
	IIN     string `json:"iin,omitempty"`
	Medical string `json:"medical,omitempty"`
	Lang    string `json:"lang,omitempty"`
}

type profileRequest struct {
	Name    string `json:"name"`
	IIN     string `json:"iin,omitempty"`
	Medical string `json:"medical,omitempty"`
}

// profile checks what a caller tells of themselves.
func profile(name, iin, medical, lang string) (accounts.Profile, error) {
	for _, err := range []error{wire.Line("name", name, wire.MaxName), wire.Text("medical", medical, 2000), oneLang(lang)} {
		if err != nil {
			return accounts.Profile{}, fault.New(fault.BadValue, "profile", err)
		}
	}
	if iin != "" && (len(iin) != 12 || strings.Trim(iin, "0123456789") != "") {
		return accounts.Profile{}, fault.Newf(fault.BadValue, "profile", "iin: not 12 digits")
	}
	return accounts.Profile{Name: strings.TrimSpace(name), IIN: iin, Medical: strings.TrimSpace(medical), Lang: lang}, nil
}

// oneLang takes a language of the service, or none.
func oneLang(lang string) error {
	if lang != "" && !slices.Contains([]string{"kk", "ru", "en"}, lang) {
		return fault.Newf(fault.BadValue, "lang", "not kk, ru or en")
	}
	return nil
}

func self(c store.Caller) wire.CallerSelf {
	return wire.CallerSelf{Name: c.Name, Phone: c.Phone, IIN: c.IIN, Medical: c.Medical}
}

// callerRegister proves a phone and makes a registration of it.
func (s *Server) callerRegister(w http.ResponseWriter, r *http.Request) {
	b, err := body[registerRequest](r, "caller.register")
	var p accounts.Profile
	if err == nil {
		p, err = profile(b.Name, b.IIN, b.Medical, b.Lang)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	token, c, err := s.accounts.Register(r.Context(), b.Phone, b.Code, p, s.addr(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"token": token, "caller": self(c)})
}

func (s *Server) callerMe(w http.ResponseWriter, r *http.Request) {
	c, err := s.accounts.Caller(r.Context(), bearer(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"caller": self(c)})
}

func (s *Server) callerChange(w http.ResponseWriter, r *http.Request) {
	c, err := s.accounts.Caller(r.Context(), bearer(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := body[profileRequest](r, "caller.me")
	var p accounts.Profile
	if err == nil {
		p, err = profile(b.Name, b.IIN, b.Medical, c.Lang)
	}
	if err == nil {
		c, err = s.accounts.Change(r.Context(), c, p)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"caller": self(c)})
}

func (s *Server) callerForget(w http.ResponseWriter, r *http.Request) {
	c, err := s.accounts.Caller(r.Context(), bearer(r))
	if err == nil {
		err = s.accounts.Forget(r.Context(), c)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

type signInRequest struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	TOTP     string `json:"totp,omitempty"`
}

func staffSelf(st store.Staff) wire.StaffSelf {
	return wire.StaffSelf{Staff: string(st.ID), Name: st.Name, Roles: st.Roles}
}

// signIn begins a staff session: a cookie for pages, the same token for programs.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	b, err := body[signInRequest](r, "staff.session")
	if err != nil {
		s.fail(w, r, err)
		return
	}
	token, st, err := s.accounts.SignIn(r.Context(), b.Login, b.Password, b.TOTP, s.addr(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.setCookie(w, token, int(accounts.SessionTime/time.Second))
	s.answer(w, http.StatusOK, map[string]any{"staff": staffSelf(st), "totp": st.TOTPSecret != "", "token": token})
}

func (s *Server) setCookie(w http.ResponseWriter, token string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: token, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.cfg.SecureCookie, SameSite: http.SameSiteStrictMode,
	})
}

func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	st, err := s.accounts.Staff(r.Context(), staffToken(r))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"staff": staffSelf(st), "totp": st.TOTPSecret != ""})
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.accounts.SignOut(r.Context(), staffToken(r)); err != nil {
		s.fail(w, r, err)
		return
	}
	s.hub.signedOut(accounts.SessionOf(staffToken(r)))
	s.evidence.lookers.signedOut(accounts.SessionOf(staffToken(r)))
	s.setCookie(w, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) newTOTP(w http.ResponseWriter, r *http.Request) {
	st, err := s.accounts.Staff(r.Context(), staffToken(r))
	var secret, uri string
	var qr []byte
	if err == nil {
		secret, uri, qr, err = s.accounts.NewTOTP(st)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"secret": secret, "uri": uri, "qr": qr})
}

type totpRequest struct {
	Secret  string `json:"secret"`
	Code    string `json:"code"`              // shows that the new factor works
	Current string `json:"current,omitempty"` // of the factor that is on now
}

func (s *Server) setTOTP(w http.ResponseWriter, r *http.Request) {
	st, err := s.accounts.Staff(r.Context(), staffToken(r))
	var b totpRequest
	if err == nil {
		b, err = body[totpRequest](r, "staff.totp")
	}
	if err == nil && b.Secret == "" {
		err = fault.New(fault.BadValue, "staff.totp", nil)
	}
	if err == nil {
		err = s.accounts.SetTOTP(r.Context(), st, b.Secret, b.Code, b.Current)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

type dropTOTPRequest struct {
	Code string `json:"code"` // of the factor that is on
}

func (s *Server) dropTOTP(w http.ResponseWriter, r *http.Request) {
	st, err := s.accounts.Staff(r.Context(), staffToken(r))
	var b dropTOTPRequest
	if err == nil {
		b, err = body[dropTOTPRequest](r, "staff.totp")
	}
	if err == nil {
		err = s.accounts.SetTOTP(r.Context(), st, "", "", b.Code)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// staffHandler is a handler that knows who asks.
type staffHandler func(w http.ResponseWriter, r *http.Request, who Who) error

// withStaff lets those through who may do a.
func (s *Server) withStaff(a access.Action, h staffHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := s.staffWho(r.Context(), r)
		if err == nil {
			err = s.allowed(r, who, a)
		}
		if fault.CodeOf(err) == fault.Forbidden {
			err = errors.Join(err, s.probes.Audit(r.Context(), who, string(a)+" denied", r.PathValue("call"), r.URL.Path))
		}
		if err == nil {
			err = h(w, r, who)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

func (s *Server) staffWho(ctx context.Context, r *http.Request) (Who, error) {
	st, err := s.accounts.Staff(ctx, staffToken(r))
	return Who{Role: wire.RoleConsole, Staff: st.ID, Roles: st.Roles, Unit: st.Unit}, err
}

// config tells a page what it needs before it says hello.
func (s *Server) config(w http.ResponseWriter, r *http.Request) {
	out := map[string]any{
		"centre": s.cfg.Centre, "demo": s.cfg.Demo, "codesPrinted": s.cfg.Demo, "categories": append([]wire.Choice{}, s.cfg.Categories...),
		"map": map[string]any{"street": s.cfg.PMTiles != "", "attribution": s.cfg.Attribution},
	}
	if s.signOn != nil {
		out["signOn"] = s.cfg.SignOnButton
	}
	if tips := s.tipsAddress(r); tips != "" {
		out["tips"] = tips
	}
	s.answer(w, http.StatusOK, out)
}

// tipsAddress is where tips are written; empty: nowhere.
func (s *Server) tipsAddress(r *http.Request) string {
	port, here := strings.CutPrefix(s.cfg.Tips, ":")
	if !here {
		return s.cfg.Tips
	}
	if !plainHost(r.Host) {
		return ""
	}
	host, _, _ := strings.Cut(r.Host, ":")
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + host + ":" + port + "/"
}

// streetMap serves the configured PMTiles file in ranges.
func (s *Server) streetMap(w http.ResponseWriter, r *http.Request) {
	if s.cfg.PMTiles == "" {
		s.fail(w, r, fault.New(fault.NotFound, "map", nil))
		return
	}
	f, err := os.Open(s.cfg.PMTiles)
	if err != nil {
		s.fail(w, r, fault.New(fault.NotFound, "map", err))
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		s.fail(w, r, fault.New(fault.Internal, "map", err))
		return
	}
	w.Header().Set("Content-Type", "application/vnd.pmtiles")
	// Ranges of two files would make no map: each is asked for anew whether it is still the same.
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, st.ModTime().UnixNano(), st.Size()))
	http.ServeContent(w, r, "street.pmtiles", st.ModTime(), f)
}
