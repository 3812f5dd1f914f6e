package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"jedel/internal/app"
	"jedel/internal/config"
	"jedel/internal/obs"
	"jedel/recorder/sitelog"
	"jedel/signaling/preview"
	"jedel/web"
)

// collectAt is by how many per cent the heap grows until it is collected.
const collectAt = 40

type serveCmd struct {
	Config  string `help:"Configuration file; defaults where it is left out." type:"existingfile"`
	Demo    bool   `help:"Demo accounts, one-time codes printed here, loopback media."`
	Addr    string `help:"Address to listen on, in place of http.addr."`
	TLS     string `name:"tls" help:"off, self-signed, or CERT,KEY files; in place of http.tls."`
	Data    string `help:"Folder of everything this gateway keeps." default:"data"`
	Media   string `help:"UDP and TCP address of media, in place of media.udp and media.tcp."`
	Turn    string `help:"UDP and TCP address of the relay, in place of media.turn.udp and media.turn.tcp; in a demo there is none without it."`
	Store   string `help:"Store address, in place of store.url."`
	Hints   string `help:"Redis address, in place of hints.url."`
	Profile string `help:"Folder for profiles of processor and memory: ten seconds each time SIGUSR1 comes."`
	Tips    string `help:"Address of the listener of anonymous tips, in place of tips.listen; off: none."`
}

// Run serves until a signal comes.
func (c serveCmd) Run(ctx context.Context) error {
	if os.Getenv("GOGC") == "" { // most memory is buffers of calls, little is made anew: collecting more often costs next to nothing
		debug.SetGCPercent(collectAt)
	}
	cfg, err := c.settings()
	if err != nil {
		return err
	}
	log, err := obs.Logger(os.Stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	sitelog.LogTo(log)
	if c.Profile != "" {
		if err := profiles(ctx, c.Profile, profileTime, log); err != nil {
			return fmt.Errorf("profiles: %w", err)
		}
	}
	opt := app.Options{Demo: c.Demo, Log: log, Pages: web.Pages(), TipPage: web.TipPage(), DataDir: c.Data, Version: version, Tools: tools()}
	if c.Demo {
		opt.Print = func(s string) { fmt.Println(s) }
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	opt.Preview = preview.Drawer{Command: []string{self, "preview"}}.Draw
	scheme := "http"
	if opt.TLS, err = c.tls(cfg.HTTP); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	if opt.TLS != nil {
		scheme = "https"
	}
	b, err := startBroker(ctx, cfg, log)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	defer b.stop()
	opt.Broker = b.socket
	a, err := app.New(ctx, cfg, opt)
	if err != nil {
		return err
	}
	say(scheme, cfg.HTTP.Addr, cfg.Tips.Listen)
	return a.Run(ctx)
}

// settings joins file, defaults and flags.
func (c serveCmd) settings() (config.Config, error) {
	cfg := config.Default()
	if c.Config != "" {
		var err error
		if cfg, err = config.Load(c.Config); err != nil {
			return cfg, err
		}
	}
	if c.Data != "data" {
		cfg.Store.URL = strings.Replace(cfg.Store.URL, "sqlite:data/", "sqlite:"+c.Data+"/", 1)
		for _, dir := range []*string{&cfg.Recorder.Dir, &cfg.Evidence.Recipients, &cfg.Evidence.PlaybackKey, &cfg.Tips.File} {
			*dir = strings.Replace(*dir, "data/", c.Data+"/", 1)
		}
	}
	for _, f := range []struct {
		flag string
		to   *string
	}{{c.Addr, &cfg.HTTP.Addr}, {c.Store, &cfg.Store.URL}, {c.Hints, &cfg.Hints.URL}, {c.Media, &cfg.Media.UDP}, {c.Media, &cfg.Media.TCP}, {c.Turn, &cfg.Media.Turn.UDP}, {c.Turn, &cfg.Media.Turn.TCP}} {
		if f.flag != "" {
			*f.to = f.flag
		}
	}
	if c.Demo {
		cfg.Media.AllowLoopback = true
		cfg.Media.Turn.UDP, cfg.Media.Turn.TCP = c.Turn, c.Turn // demos stand beside each other on one machine
		cfg.Recorder.Ballast = 0
		if cfg.Notify.SMS == config.SMSOff {
			cfg.Notify.SMS = config.SMSTape
		}
		if cfg.Notify.Push.Subject == "" {
			cfg.Notify.Push.Subject = "mailto:demo@example.com"
		}
	}
	c.tips(&cfg)
	switch cert, key, two := strings.Cut(c.TLS, ","); {
	case two:
		cfg.HTTP.TLS, cfg.HTTP.CertFile, cfg.HTTP.KeyFile = "files", cert, key
	case c.TLS != "":
		cfg.HTTP.TLS = c.TLS
	}
	return cfg, os.MkdirAll(c.Data, 0o700)
}

// tips joins flag and settings: in a demo tips are taken two ports above the pages.
func (c serveCmd) tips(cfg *config.Config) {
	switch {
	case c.Tips == "off":
		cfg.Tips.Listen, cfg.Tips.OnionListen = "", ""
	case c.Tips != "":
		cfg.Tips.Listen = c.Tips
	case c.Demo && !cfg.Tips.On():
		host, port, err := net.SplitHostPort(cfg.HTTP.Addr)
		n, numErr := strconv.ParseUint(port, 10, 16)
		if err == nil && numErr == nil && n > 0 && n < 65534 {
			cfg.Tips.Listen = net.JoinHostPort(host, strconv.FormatUint(n+2, 10))
		}
	}
}

// say prints where the pages are.
func say(scheme, addr, tips string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	at := scheme + "://" + net.JoinHostPort(host, port)
	fmt.Printf("Caller:   %s/\nConsole:  %s/console\nEvidence: %s/evidence\nAPI:      %s/api/openapi.json\n", at, at, at, at)
	if _, port, err := net.SplitHostPort(tips); err == nil {
		fmt.Printf("Tips:     %s://%s/\n", scheme, net.JoinHostPort(host, port))
	}
}

// tls returns how the site is served; nil for plain http.
func (c serveCmd) tls(h config.HTTP) (*tls.Config, error) {
	switch h.TLS {
	case "off":
		return nil, nil
	case "files":
		return reloading(h.CertFile, h.KeyFile), nil
	}
	cert, key := filepath.Join(c.Data, "self-signed.crt"), filepath.Join(c.Data, "self-signed.key")
	if _, err := os.Stat(cert); errors.Is(err, os.ErrNotExist) {
		if err := selfSigned(cert, key); err != nil {
			return nil, err
		}
	}
	return reloading(cert, key), nil
}

// reloading reads the files at each handshake of a new connection, so that a renewed certificate
// is served without a restart.
func reloading(cert, key string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cert, key)
		return &c, err
	}}
}

// tools is the folder of verifying programs beside this one.
func tools() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(self), "tools")
}

// selfSigned makes a certificate for this machine's names and addresses.
func selfSigned(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	t := x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "jedel self-signed"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"},
	}
	if h, err := os.Hostname(); err == nil {
		t.DNSNames = append(t.DNSNames, h)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			t.IPAddresses = append(t.IPAddresses, n.IP)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, &t, &t, &key.PublicKey, key)
	if err != nil {
		return err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}
