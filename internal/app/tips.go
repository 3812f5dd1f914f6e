package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"jedel/internal/config"
	"jedel/internal/fault"
	"jedel/internal/tipline"
	"jedel/internal/tips"
	"jedel/recorder/keys"
	"jedel/signaling"

	"github.com/prometheus/client_golang/prometheus"
)

// doors are what the outside comes in by. They share nothing.
type doors struct {
	edge *signaling.Server
	tips *tipline.Line // nil: no tips
	sos  *sosDesk
}

// openTips makes the listener of anonymous tips. A store that cannot be opened is no reason for calls
// to wait: it is logged, and there are no tips.
func (a *App) openTips(ctx context.Context, opt Options, reg prometheus.Registerer) error {
	c := a.cfg.Tips
	if !c.On() {
		return nil
	}
	if opt.Demo && len(c.Units) == 0 {
		u, err := demoUnit(filepath.Join(filepath.Dir(c.File), "demo-unit.key"), opt.Print)
		if err != nil {
			return err
		}
		c.Units = []config.TipUnit{u}
	}
	cfg := tipline.Config{
		Addr: c.Listen, OnionAddr: c.OnionListen, Onion: c.Onion, File: c.File, Bounds: tips.Bounds{Total: c.MaxBytes, Mailbox: c.MaxMailbox},
		StampBits: c.StampBits, Keep: c.First, KeepText: c.Keep.String(), Zone: a.zone,
	}
	for _, u := range c.Units {
		all, err := u.Keys()
		if err != nil {
			return fmt.Errorf("unit %s: %w", u.Key, err)
		}
		cfg.Units = append(cfg.Units, tipline.Unit{Key: u.Key, Names: fault.Text(u.Names), Recipients: all})
	}
	var err error
	if a.tips, err = tipline.Open(ctx, cfg, tipline.Parts{Pages: opt.TipPage, TLS: opt.TLS, Reg: reg, Log: a.log}); err != nil {
		a.log.Error("there are no tips", "err", err)
	}
	return nil
}

func (a *App) runTips(ctx context.Context) {
	if a.tips != nil {
		a.tips.Run(ctx)
	}
}

// demoUnit is a unit of the demo: its secret key lies beside the letters, as that of no real unit may.
func demoUnit(file string, print func(string)) (config.TipUnit, error) {
	u := config.TipUnit{Key: "anticor", Names: config.Text{KK: "Өзіндік қауіпсіздік бөлімі (демо)", RU: "Собственная безопасность (демо)", EN: "Internal security (demo)"}}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		id, err := keys.NewIdentity()
		if err != nil {
			return u, err
		}
		raw = []byte(id.Secret() + "\n")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return u, err
		}
		if err := WriteSecret(file, raw); err != nil {
			return u, err
		}
	} else if err != nil {
		return u, err
	}
	ids, err := keys.ParseIdentities(string(raw))
	if err != nil {
		return u, fmt.Errorf("%s: %w", file, err)
	}
	for _, id := range ids {
		u.Recipients = append(u.Recipients, id.Recipient("").Text)
	}
	print("The demo unit's key, which opens tips: " + file)
	return u, nil
}

// tipsAddress is where the caller page sends people. A demo without an address of its own is found on
// the port of the host that the page came from.
func tipsAddress(t config.Tips, demo bool) string {
	if !t.On() || t.Public != "" || !demo {
		return t.Public
	}
	_, port, err := net.SplitHostPort(t.Listen)
	if err != nil {
		return ""
	}
	return ":" + port
}
