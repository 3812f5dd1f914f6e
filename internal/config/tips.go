package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"time"

	"jedel/internal/retention"
	"jedel/internal/tips"
	"jedel/recorder/keys"
)

// Tips are anonymous tips. They have a listener of their own.
type Tips struct {
	Listen      string           `yaml:"listen"`
	OnionListen string           `yaml:"onion_listen"`
	Public      string           `yaml:"public"`
	Onion       string           `yaml:"onion"`
	File        string           `yaml:"file"`
	Keep        retention.Period `yaml:"keep"`
	MaxBytes    int64            `yaml:"max_bytes"`
	MaxMailbox  int64            `yaml:"max_mailbox_bytes"`
	StampBits   int              `yaml:"stamp_bits"`
	Units       []TipUnit        `yaml:"units"`
}

// TipUnit is a unit that citizens may choose. Its secret keys are with the unit and nowhere else.
type TipUnit struct {
	Key        string   `yaml:"key"`
	Names      Text     `yaml:"names"`
	Recipients []string `yaml:"recipients"`
}

// On tells whether tips are taken.
func (t Tips) On() bool { return t.Listen != "" || t.OnionListen != "" }

// Keys returns the unit's public keys.
func (u TipUnit) Keys() ([]keys.Recipient, error) {
	var out []keys.Recipient
	for _, text := range u.Recipients {
		one, err := keys.ParseRecipients(text)
		if err != nil || len(one) != 1 || one[0].Text != text {
			return nil, fmt.Errorf("%q is not a public key as jedel tips keygen prints it (age1pq1...)", short(text))
		}
		out = append(out, one[0])
	}
	return out, nil
}

func short(s string) string {
	if len(s) > 20 {
		return s[:20] + "..."
	}
	return s
}

// First returns the first day that is kept.
func (t Tips) First(today time.Time) time.Time {
	return today.AddDate(-t.Keep.Years, 0, -t.Keep.Days)
}

func defaultTips() Tips {
	return Tips{File: "data/tips/tips.db", Keep: retention.Period{Years: 1}, MaxBytes: 1 << 30, MaxMailbox: 64 << 20, StampBits: 18, Units: []TipUnit{}}
}

const (
	maxTipUnits = 20
	maxTipKeys  = 10 // of one unit
)

var tipUnitShape = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// check refuses what would seal tips to nobody, or to the wrong ones.
func (t Tips) check(httpAddr string) []error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("tips."+format, args...))
		}
	}
	want(t.Listen == "" || t.Listen != httpAddr, "listen: %q is http.addr", t.Listen)
	want(t.OnionListen == "" || t.OnionListen != t.Listen && loopback(t.OnionListen), "onion_listen: %q is not an address of this machine alone (127.0.0.1:port)", t.OnionListen)
	want(!t.On() || len(t.Units) > 0, "units: nobody could read a tip")
	want(!t.On() || t.File != "", "file: must be set")
	want(t.Public == "" || webAddress(t.Public), "public: %q is not an address such as https://tips.example.kz/", t.Public)
	want(t.Onion == "" || webAddress(t.Onion), "onion: %q is not an address such as http://....onion/", t.Onion)
	want(t.Keep != retention.Period{}, "keep: must be set")
	want(t.MaxMailbox >= 1<<20 && t.MaxBytes >= t.MaxMailbox, "max_bytes: a mailbox has at least 1048576 bytes, all together no fewer")
	want(t.StampBits >= 8 && t.StampBits <= 26, "stamp_bits: %d is not within 8 and 26", t.StampBits)
	want(len(t.Units) <= maxTipUnits, "units: more than %d", maxTipUnits)
	seen, owner := map[string]bool{}, map[string]string{}
	for i, u := range t.Units {
		want(tipUnitShape.MatchString(u.Key) && !seen[u.Key], "units[%d].key: %q is not a short name of a-z, 0-9 and hyphens, or stands twice", i, u.Key)
		seen[u.Key] = true
		want(u.Names.KK != "" && u.Names.RU != "" && u.Names.EN != "", "units[%d].names: needs kk, ru and en", i)
		want(len(u.Recipients) > 0 && len(u.Recipients) <= maxTipKeys, "units[%d].recipients: needs 1 to %d keys", i, maxTipKeys)
		_, err := u.Keys()
		want(err == nil, "units[%d].recipients: %v", i, err)
		for _, r := range u.Recipients {
			want(owner[r] == "", "units[%d].recipients: %q stands twice (in %q)", i, short(r), owner[r])
			owner[r] = u.Key
		}
	}
	want(t.MaxMailbox >= int64(tips.SealedBytes(tips.Largest, maxTipKeys)), "max_mailbox_bytes: the largest letter does not fit")
	return errs
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}
