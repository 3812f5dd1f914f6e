package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"jedel/internal/fault"
	"jedel/internal/hints"
	"jedel/internal/ident"
	"jedel/internal/notice"
	"jedel/internal/outbox"
	"jedel/internal/store"
	"jedel/signaling/accounts"
)

// DemoPassword opens every demo account.
const DemoPassword = "jedel-demo"

// DemoPatrols is how many patrols a demonstration has beside the two with names of a real unit's form:
// patrol1 to patrol6.
const DemoPatrols = 6

// demoStaff are the accounts of a demonstration. None has a unit, so that each may work with all the
// others: dispatcher may send every patrol to every case.
func demoStaff() []store.Staff {
	list := []store.Staff{
		{Login: "operator", Name: "Оператор 1", Roles: []string{"operator"}},
		{Login: "operator2", Name: "Оператор 2", Roles: []string{"operator"}},
		{Login: "supervisor", Name: "Жетекші · Старший смены", Roles: []string{"supervisor", "operator"}},
		{Login: "dispatcher", Name: "Диспетчер", Roles: []string{"dispatcher"}},
		{Login: "camera", Name: "Камералар · Камеры", Roles: []string{"camera"}},
		{Login: "navigation", Name: "Навигация", Roles: []string{"navigation"}},
		{Login: "patrol14", Name: "П-14", Roles: []string{"patrol"}},
		{Login: "patrol06", Name: "П-06", Roles: []string{"patrol"}},
		{Login: "investigator", Name: "Тергеуші · Следователь", Roles: []string{"investigator"}},
		{Login: "administrator", Name: "Әкімші · Администратор", Roles: []string{"administrator"}},
	}
	for n := 1; n <= DemoPatrols; n++ {
		list = append(list, store.Staff{Login: fmt.Sprintf("patrol%d", n), Name: fmt.Sprintf("Патруль %d", n), Roles: []string{"patrol"}})
	}
	return list
}

// seedDemo makes the demo accounts that are not there yet and prints all of them.
func seedDemo(ctx context.Context, db *store.DB, say func(string)) error {
	say("Demo accounts (password " + DemoPassword + "):")
	hash := "" // one for all: it takes long by design, and their password is no secret
	for _, s := range demoStaff() {
		_, err := db.StaffByLogin(ctx, s.Login)
		if errors.Is(err, store.ErrNotFound) {
			if hash == "" {
				if hash, err = accounts.HashPassword(DemoPassword); err != nil {
					return err
				}
			}
			s.ID, s.Lang, s.PasswordHash = ident.New[ident.StaffID](), "kk", hash
			err = db.PutStaff(ctx, s)
		}
		if err != nil {
			return err
		}
		say(fmt.Sprintf("  %-14s %v", s.Login, s.Roles))
	}
	say("A city to go with it, with callers, reports and patrols: ./bin/callbot centre ADDRESS; make demo starts both.")
	return nil
}

// codes prints one-time codes in a demo, and sends them by text message elsewhere.
type codes struct {
	say   func(string)
	hints *hints.Hub
	mail  *mail
}

// How many codes one phone may ask for, counted over all nodes. Each node has its own, lower bound
// as well: losing the shared count opens no flood.
const (
	codesPerPhone = 5
	codesWindow   = 10 * time.Minute
)

// SendCode implements accounts.CodeSender.
func (c codes) SendCode(ctx context.Context, phone, code, lang string) error {
	sum := sha256.Sum256([]byte(phone)) // keys of hints hold nothing personal
	if !c.hints.Take(ctx, "code:"+hex.EncodeToString(sum[:8]), codesPerPhone, codesWindow) {
		return fault.New(fault.RateLimited, "caller.code", nil)
	}
	if c.say == nil {
		return c.send(ctx, phone, code, lang)
	}
	c.say(fmt.Sprintf("One-time code for %s: %s", phone, code))
	return nil
}

// send sends a code by text message. Where nobody knows whether it was taken it is taken for sent: whoever
// gets none asks again.
func (c codes) send(ctx context.Context, phone, code, lang string) error {
	o, err := c.mail.Direct(ctx, phone, lang, notice.Code, notice.Args{Text: code})
	if err != nil {
		return fmt.Errorf("one-time code: %w", err)
	}
	switch o := o.(type) {
	case outbox.Refused:
		return fault.Newf(fault.BadPhone, "caller.code", "carrier: %s", o.Reason)
	case outbox.Later:
		return fault.Newf(fault.Unavailable, "caller.code", "carrier: %s", o.Reason)
	}
	return nil
}
