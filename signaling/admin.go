package signaling

import (
	"net/http"
	"time"

	"jedel/internal/access"
	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/store"
	"jedel/signaling/accounts"
)

// Account is a member of staff as administrators see them.
type Account struct {
	Staff     string   `json:"staff"`
	Login     string   `json:"login"`
	Name      string   `json:"name"`
	Unit      string   `json:"unit"` // empty: the whole site
	Roles     []string `json:"roles"`
	Pending   []string `json:"pending"`   // wait for a second person
	PendingBy string   `json:"pendingBy"` // their name; empty: the identity provider, or nobody
	Approve   string   `json:"approve"`   // empty: whoever asks may approve; else the code that refuses it
	Disabled  bool     `json:"disabled"`
	Second    bool     `json:"second"` // a second factor is on
	Local     bool     `json:"local"`  // has a password here
	Linked    bool     `json:"linked"` // signs in by an identity provider
	Self      bool     `json:"self"`
	UsedMs    int64    `json:"usedMs"` // 0: never
}

// AccountChange is something that was made different about an account.
type AccountChange struct {
	Change string `json:"change"`
	AtMs   int64  `json:"atMs"`
	By     string `json:"by"` // name; empty: the identity provider
	Staff  string `json:"staff"`
	Name   string `json:"name"` // of whom it is about
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
	Undone bool   `json:"undone"`
	Undo   bool   `json:"undo"` // can be taken back
}

// Bodies of requests about accounts.
type (
	newAccountRequest struct {
		Login string   `json:"login"`
		Name  string   `json:"name"`
		Unit  string   `json:"unit"`
		Lang  string   `json:"lang"`
		Roles []string `json:"roles"`
	}
	accountRequest struct {
		Name string `json:"name"`
		Unit string `json:"unit"`
	}
	rolesRequest struct {
		Roles []string `json:"roles"`
	}
	invitedRequest struct {
		Token string `json:"token"`
	}
	acceptRequest struct {
		Token    string `json:"token"`
		Password string `json:"password"`
	}
)

// office answers the administrators' page.
type office struct{ *Server }

// officeTable is every route about accounts.
func (s *Server) officeTable() map[string]http.HandlerFunc {
	const one = "/api/v1/admin/accounts/{staff}"
	o := office{s}
	manage := func(op string, do func(r *http.Request, by, id ident.StaffID) (store.Staff, error)) http.HandlerFunc {
		return s.withStaff(access.ManageStaff, o.act(op, do))
	}
	approve := func(op string, do func(r *http.Request, by, id ident.StaffID) (store.Staff, error)) http.HandlerFunc {
		return s.withStaff(access.ApproveRoles, o.act(op, do))
	}
	d := s.directory
	return map[string]http.HandlerFunc{
		"GET /api/v1/admin/accounts":  s.withStaff(access.ApproveRoles, o.list),
		"POST /api/v1/admin/accounts": s.withStaff(access.ManageStaff, o.create),
		"PUT " + one: manage("accounts.change", func(r *http.Request, by, id ident.StaffID) (store.Staff, error) {
			b, err := body[accountRequest](r, "accounts.change")
			if err != nil {
				return store.Staff{}, err
			}
			return d.Rename(r.Context(), by, id, accounts.Person{Name: b.Name, Unit: b.Unit})
		}),
		"PUT " + one + "/roles": manage("accounts.roles", func(r *http.Request, by, id ident.StaffID) (store.Staff, error) {
			b, err := body[rolesRequest](r, "accounts.roles")
			if err != nil {
				return store.Staff{}, err
			}
			return d.SetRoles(r.Context(), by, id, b.Roles)
		}),
		"POST " + one + "/roles/approve": approve("accounts.approve", func(r *http.Request, by, id ident.StaffID) (store.Staff, error) {
			return d.Approve(r.Context(), by, id)
		}),
		"POST " + one + "/roles/decline": approve("accounts.approve", func(r *http.Request, by, id ident.StaffID) (store.Staff, error) {
			return d.Decline(r.Context(), by, id)
		}),
		"POST " + one + "/disable": manage("accounts.disable", func(r *http.Request, by, id ident.StaffID) (store.Staff, error) {
			return d.SetDisabled(r.Context(), by, id, true)
		}),
		"POST " + one + "/enable": manage("accounts.disable", func(r *http.Request, by, id ident.StaffID) (store.Staff, error) {
			return d.SetDisabled(r.Context(), by, id, false)
		}),
		"DELETE " + one + "/totp": manage("accounts.factor", func(r *http.Request, by, id ident.StaffID) (store.Staff, error) {
			return d.DropFactor(r.Context(), by, id)
		}),
		"POST " + one + "/invitation":            s.withStaff(access.ManageStaff, o.invite),
		"GET /api/v1/admin/changes":              s.withStaff(access.ManageStaff, o.changes),
		"POST /api/v1/admin/changes/{line}/undo": s.withStaff(access.ManageStaff, o.undo),
		"POST /api/v1/staff/invitation":          o.invited,
		"PUT /api/v1/staff/invitation":           o.accept,
	}
}

// act carries out one act on one account and answers how it stands then.
func (o office) act(op string, do func(r *http.Request, by, id ident.StaffID) (store.Staff, error)) staffHandler {
	return func(w http.ResponseWriter, r *http.Request, who Who) error {
		id, err := ident.Parse[ident.StaffID](r.PathValue("staff"))
		if err != nil {
			return fault.New(fault.NoSuchAccount, op, err)
		}
		s, err := do(r, who.Staff, id)
		if err != nil {
			return err
		}
		return o.shown(w, r, who, made{id: s.ID})
	}
}

// made is what became of one account.
type made struct {
	id     ident.StaffID
	link   string // empty: none was made
	status int    // 0: OK
}

// shown answers how one account stands, and a link where one was made.
func (o office) shown(w http.ResponseWriter, r *http.Request, who Who, m made) error {
	all, err := o.accountsOf(r, who)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Staff == string(m.id) {
			out := map[string]any{"account": a}
			if m.link != "" {
				out["link"], out["hours"] = m.link, int(accounts.InviteTime/time.Hour)
			}
			o.answer(w, max(m.status, http.StatusOK), out)
			return nil
		}
	}
	return fault.New(fault.NoSuchAccount, "accounts", nil)
}

// accountsOf returns all accounts as who sees them.
func (o office) accountsOf(r *http.Request, who Who) ([]Account, error) {
	all, linked, err := o.directory.List(r.Context())
	if err != nil {
		return nil, err
	}
	names, out := namesOf(all), []Account{}
	for _, s := range all {
		a := Account{
			Staff: string(s.ID), Login: s.Login, Name: s.Name, Unit: s.Unit, Roles: s.Roles, Pending: append([]string{}, s.Pending...), PendingBy: names[s.PendingBy],
			Disabled: s.Disabled, Second: s.TOTPSecret != "", Local: s.PasswordHash != "", Linked: linked[s.ID], Self: s.ID == who.Staff,
		}
		if !s.UsedAt.IsZero() {
			a.UsedMs = s.UsedAt.UnixMilli()
		}
		switch {
		case len(s.Pending) == 0:
			a.Approve = string(fault.WrongState)
		case s.PendingBy == who.Staff || s.ID == who.Staff:
			a.Approve = string(fault.SecondPerson)
		}
		out = append(out, a)
	}
	return out, nil
}

func namesOf(all []store.Staff) map[ident.StaffID]string {
	names := map[ident.StaffID]string{}
	for _, s := range all {
		names[s.ID] = s.Name
	}
	return names
}

func (o office) list(w http.ResponseWriter, r *http.Request, who Who) error {
	all, err := o.accountsOf(r, who)
	if err != nil {
		return err
	}
	o.answer(w, http.StatusOK, map[string]any{"accounts": all})
	return nil
}

// create makes an account; the link is shown once and is kept as its hash only.
func (o office) create(w http.ResponseWriter, r *http.Request, who Who) error {
	b, err := body[newAccountRequest](r, "accounts.create")
	if err == nil {
		err = oneLang(b.Lang)
	}
	if err != nil {
		return err
	}
	s, link, err := o.directory.Create(r.Context(), who.Staff, accounts.Person(b))
	if err != nil {
		return err
	}
	return o.shown(w, r, who, made{s.ID, link, http.StatusCreated})
}

func (o office) invite(w http.ResponseWriter, r *http.Request, who Who) error {
	id, err := ident.Parse[ident.StaffID](r.PathValue("staff"))
	if err != nil {
		return fault.New(fault.NoSuchAccount, "accounts.invite", err)
	}
	s, link, err := o.directory.Invite(r.Context(), who.Staff, id)
	if err != nil {
		return err
	}
	return o.shown(w, r, who, made{s.ID, link, http.StatusOK})
}

func (o office) changes(w http.ResponseWriter, r *http.Request, _ Who) error {
	list, err := o.directory.Changes(r.Context(), ident.StaffID(r.URL.Query().Get("staff")))
	if err != nil {
		return err
	}
	all, _, err := o.directory.List(r.Context())
	if err != nil {
		return err
	}
	names, out := namesOf(all), []AccountChange{}
	for _, c := range list {
		out = append(out, AccountChange{
			Change: c.ID, AtMs: c.At.UnixMilli(), By: names[c.Who], Staff: string(c.Staff), Name: names[c.Staff], Field: c.Field, Before: c.Before, After: c.After,
			Undone: c.Undone, Undo: accounts.Undoable(c),
		})
	}
	o.answer(w, http.StatusOK, map[string]any{"changes": out})
	return nil
}

func (o office) undo(w http.ResponseWriter, r *http.Request, who Who) error {
	s, err := o.directory.Undo(r.Context(), who.Staff, r.PathValue("line"))
	if err != nil {
		return err
	}
	return o.shown(w, r, who, made{id: s.ID})
}

// invited tells whoever has a link whom it is for.
func (o office) invited(w http.ResponseWriter, r *http.Request) {
	b, err := body[invitedRequest](r, "accounts.invited")
	var s store.Staff
	if err == nil {
		err = o.accounts.AdmitLink(o.addr(r))
	}
	if err == nil {
		s, err = o.directory.Invited(r.Context(), b.Token)
	}
	if err != nil {
		o.fail(w, r, err)
		return
	}
	o.answer(w, http.StatusOK, map[string]any{"login": s.Login, "name": s.Name})
}

// accept sets the password of whom a link is for.
func (o office) accept(w http.ResponseWriter, r *http.Request) {
	b, err := body[acceptRequest](r, "accounts.accept")
	if err == nil {
		err = o.accounts.AdmitLink(o.addr(r))
	}
	if err == nil {
		_, err = o.directory.Accept(r.Context(), b.Token, b.Password)
	}
	if err != nil {
		o.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
