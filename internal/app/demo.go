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
	"jedel/internal/store"
	"jedel/signaling/accounts"
)

// DemoPassword opens every demo account.
const DemoPassword = "jedel-demo"

// demoStaff are the accounts of a demonstration.
func demoStaff() []store.Staff {
	return []store.Staff{
		{Login: "operator", Name: "Оператор 1", Roles: []string{"operator"}},
		{Login: "operator2", Name: "Оператор 2", Roles: []string{"operator"}},
		{Login: "supervisor", Name: "Жетекші · Старший смены", Roles: []string{"supervisor", "operator"}},
		{Login: "dispatcher", Name: "Диспетчер", Roles: []string{"dispatcher"}},
		{Login: "patrol14", Name: "П-14", Roles: []string{"patrol"}},
		{Login: "patrol06", Name: "П-06", Roles: []string{"patrol"}},
		{Login: "investigator", Name: "Тергеуші · Следователь", Roles: []string{"investigator"}},
		{Login: "administrator", Name: "Әкімші · Администратор", Roles: []string{"administrator"}},
	}
}

// seedDemo makes the demo accounts that are not there yet and prints all of them.
func seedDemo(ctx context.Context, db *store.DB, say func(string)) error {
	say("Demo accounts (password " + DemoPassword + "):")
	for _, s := range demoStaff() {
		_, err := db.StaffByLogin(ctx, s.Login)
		if errors.Is(err, store.ErrNotFound) {
			s.ID, s.Lang = ident.New[ident.StaffID](), "kk"
			if s.PasswordHash, err = accounts.HashPassword(DemoPassword); err != nil {
				return err
			}
			err = db.PutStaff(ctx, s)
		}
		if err != nil {
			return err
		}
		say(fmt.Sprintf("  %-14s %v", s.Login, s.Roles))
	}
	return nil
}

// codes prints one-time codes where no gateway for them is configured.
type codes struct {
	say   func(string)
	hints *hints.Hub
}

// How many codes one phone may ask for, counted over all nodes. Each node has its own, lower bound
// as well: losing the shared count opens no flood.
const (
	codesPerPhone = 5
	codesWindow   = 10 * time.Minute
)

// SendCode implements accounts.CodeSender.
func (c codes) SendCode(ctx context.Context, phone, code, _ string) error {
	sum := sha256.Sum256([]byte(phone)) // keys of hints hold nothing personal
	if !c.hints.Take(ctx, "code:"+hex.EncodeToString(sum[:8]), codesPerPhone, codesWindow) {
		return fault.New(fault.RateLimited, "caller.code", nil)
	}
	if c.say == nil {
		return errors.New("no way to send one-time codes is configured")
	}
	c.say(fmt.Sprintf("One-time code for %s: %s", phone, code))
	return nil
}
