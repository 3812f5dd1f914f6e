// Package config has every setting of the gateway. Defaults are in code; configs/jedel.yaml shows
// each key with its default, unit and reason, and a test holds the two together.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"jedel/internal/retention"

	"github.com/goccy/go-yaml"
)

// Config is the whole file. Unknown keys are errors.
type Config struct {
	Site      Site      `yaml:"site"`
	HTTP      HTTP      `yaml:"http"`
	Listen    Listen    `yaml:"listen"`
	Metrics   Metrics   `yaml:"metrics"`
	Store     Store     `yaml:"store"`
	Hints     Hints     `yaml:"hints"`
	Media     Media     `yaml:"media"`
	Recorder  Recorder  `yaml:"recorder"`
	Evidence  Evidence  `yaml:"evidence"`
	Map       Map       `yaml:"map"`
	Geo       Geo       `yaml:"geo"`
	Desk      Desk      `yaml:"desk"`
	Cases     Cases     `yaml:"cases"`
	Reports   Reports   `yaml:"reports"`
	Stats     Stats     `yaml:"stats"`
	OIDC      OIDC      `yaml:"oidc"`
	Retention Retention `yaml:"retention"`
	Replica   Replica   `yaml:"replica"`
	Cameras   Cameras   `yaml:"cameras"`
	Notify    Notify    `yaml:"notify"`
	Tips      Tips      `yaml:"tips"`
	Log       Log       `yaml:"log"`
}

// Text is one wording in the three languages of the service.
type Text struct {
	KK string `yaml:"kk"`
	RU string `yaml:"ru"`
	EN string `yaml:"en"`
}

// Site is the centre that answers.
type Site struct {
	Name  Text    `yaml:"name"`
	Phone string  `yaml:"phone"`
	Lat   float64 `yaml:"lat"`
	Lon   float64 `yaml:"lon"`
	Zone  string  `yaml:"zone"`
	ID    string  `yaml:"id"`
}

// HTTP is the front door.
type HTTP struct {
	Addr     string   `yaml:"addr"`
	TLS      string   `yaml:"tls"`
	CertFile string   `yaml:"cert_file"`
	KeyFile  string   `yaml:"key_file"`
	Origins  []string `yaml:"origins"`
	Frame    []string `yaml:"frame_ancestors"`
}

// Listen is who may connect to the front door.
type Listen struct {
	Proxies        []string `yaml:"proxies"`
	MaxSockets     int      `yaml:"max_sockets"`
	MaxSocketsAddr int      `yaml:"max_sockets_per_address"`
}

// Networks returns the proxies that are believed.
func (l Listen) Networks() ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range l.Proxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		if p.Bits() == 0 || p.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is everybody, or IPv4 written as IPv6", text)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}

// Metrics is where the process tells its numbers.
type Metrics struct {
	Listen string `yaml:"listen"`
}

// Store is where decisions become durable.
type Store struct {
	URL string `yaml:"url"`
}

// Hints is where presence and counters are shared; losing it loses nothing.
type Hints struct {
	URL string `yaml:"url"`
}

// Media is the forwarding unit.
type Media struct {
	UDP           string        `yaml:"udp"`
	TCP           string        `yaml:"tcp"`
	PublicIPs     []string      `yaml:"public_ips"`
	AllowLoopback bool          `yaml:"allow_loopback"`
	AllowPrivate  bool          `yaml:"allow_private"`
	MaxPeers      int           `yaml:"max_peers"`
	IdlePeers     int           `yaml:"idle_peers"`
	IdleTime      time.Duration `yaml:"idle_time"`
	WaitingPeers  int           `yaml:"waiting_peers"`
	Readers       int           `yaml:"readers"`
	Gather        time.Duration `yaml:"gather"`
	Turn          Turn          `yaml:"turn"`
}

// Evidence is who may open recorded calls.
type Evidence struct {
	Recipients  string `yaml:"recipients"`
	PlaybackKey string `yaml:"playback_key"`
	Broker      string `yaml:"broker"`
	Keystore    string `yaml:"keystore"`
	Witnesses   string `yaml:"witnesses"`
	TSA         string `yaml:"tsa"`
}

// Recorder is where the evidence is written.
type Recorder struct {
	Dir          string        `yaml:"dir"`
	FlushEvery   time.Duration `yaml:"flush_every"`
	HeadEvery    time.Duration `yaml:"head_every"`
	SegmentBytes int64         `yaml:"segment_bytes"`
	SegmentTime  time.Duration `yaml:"segment_time"`
	PendingCall  int64         `yaml:"pending_per_call"`
	PendingTotal int64         `yaml:"pending_total"`
	Ballast      int64         `yaml:"ballast"`
	Second       string        `yaml:"second"`
}

// Map is what lies under positions.
type Map struct {
	PMTiles     string `yaml:"pmtiles"`
	Attribution string `yaml:"attribution"`
}

// Choice is an entry of a list that operators choose from.
type Choice struct {
	Key   string `yaml:"key"`
	Words Text   `yaml:"words"`
}

// Desk is how operators work.
type Desk struct {
	AnswerTarget time.Duration `yaml:"answer_target"`
	Categories   []Choice      `yaml:"categories"`
	Outcomes     []Choice      `yaml:"outcomes"`
	Pauses       []Choice      `yaml:"pauses"`
}

// Retention is how long archives are kept.
type Retention struct {
	Default string           `yaml:"default"`
	Wait    time.Duration    `yaml:"wait"`
	Propose bool             `yaml:"propose"`
	Classes []RetentionClass `yaml:"classes"`
}

// Replica is the bucket of second copies.
type Replica struct {
	Endpoint  string        `yaml:"endpoint"`
	TLS       bool          `yaml:"tls"`
	CAFile    string        `yaml:"ca_file"`
	Region    string        `yaml:"region"`
	Bucket    string        `yaml:"bucket"`
	Prefix    string        `yaml:"prefix"`
	AccessKey string        `yaml:"access_key_file"`
	SecretKey string        `yaml:"secret_key_file"`
	First     time.Duration `yaml:"first"`
	Alarm     time.Duration `yaml:"alarm"`
}

// RetentionClass is one length of keeping and the case categories that ask for it.
type RetentionClass struct {
	Key        string           `yaml:"key"`
	Keep       retention.Period `yaml:"keep"`
	Words      Text             `yaml:"words"`
	Categories []string         `yaml:"categories"`
	Segments   string           `yaml:"segments"`
}

// What becomes of segments once their keys are destroyed; they are kept where nothing is said.
const (
	SegmentsKeep   = "keep"
	SegmentsDelete = "delete"
)

// Erase returns the classes whose segments go too.
func (r Retention) Erase() map[string]bool {
	out := map[string]bool{}
	for _, c := range r.Classes {
		out[c.Key] = c.Segments == SegmentsDelete
	}
	return out
}

// Policy returns the rules that the classes make.
func (r Retention) Policy() retention.Policy {
	p := retention.Policy{Classes: map[string]retention.Period{}, Categories: map[string]string{}, Default: r.Default, Wait: r.Wait}
	for _, c := range r.Classes {
		p.Classes[c.Key] = c.Keep
		for _, category := range c.Categories {
			p.Categories[category] = c.Key
		}
	}
	return p
}

// Log is what the process tells of itself.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// MaxFile bounds a configuration file in bytes.
const MaxFile = 1 << 20

// Load reads a configuration file over the defaults.
func Load(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("open configuration: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, MaxFile))
	if err != nil {
		return Config{}, fmt.Errorf("read %s: %w", path, err)
	}
	c, err := Parse(raw)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Parse reads YAML over the defaults and checks it.
func Parse(raw []byte) (Config, error) {
	c := Default()
	dec := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict())
	switch err := dec.Decode(&c); {
	case errors.Is(err, io.EOF): // nothing but comments; the decoder has cleared c
		c = Default()
	case err != nil:
		return Config{}, fmt.Errorf("parse: %w", err)
	}
	return c, c.check()
}

// check refuses what no part could work with, naming the key.
func (c Config) check() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	_, zoneErr := time.LoadLocation(c.Site.Zone)
	want(zoneErr == nil, "site.zone: %v", zoneErr)
	want(c.Site.Lat >= -90 && c.Site.Lat <= 90, "site.lat: %v is not a latitude", c.Site.Lat)
	want(c.Site.Lon >= -180 && c.Site.Lon <= 180, "site.lon: %v is not a longitude", c.Site.Lon)
	want(c.Site.Phone != "", "site.phone: callers need a number to dial when nothing else works")
	want(c.HTTP.TLS == "off" || c.HTTP.TLS == "self-signed" || c.HTTP.TLS == "files", "http.tls: %q is not off, self-signed or files", c.HTTP.TLS)
	want(c.HTTP.TLS != "files" || (c.HTTP.CertFile != "" && c.HTTP.KeyFile != ""), "http.tls: files needs cert_file and key_file")
	_, proxiesErr := c.Listen.Networks()
	want(proxiesErr == nil, "listen.proxies: %v", proxiesErr)
	want(c.Listen.MaxSockets > 0, "listen.max_sockets: must be positive")
	want(c.Listen.MaxSocketsAddr > 0, "listen.max_sockets_per_address: must be positive")
	want(c.Metrics.Listen == "" || c.Metrics.Listen != c.HTTP.Addr, "metrics.listen: %q is http.addr", c.Metrics.Listen)
	want(c.Media.MaxPeers > 0, "media.max_peers: must be positive")
	want(c.Media.Readers >= 0 && c.Media.Readers <= 64, "media.readers: must be 0 to 64")
	want(c.Media.Gather >= 0 && c.Media.Gather <= 5*time.Millisecond, "media.gather: must be 0 to 5ms")
	want(c.Recorder.Dir != "", "recorder.dir: must be set")
	want(c.Evidence.Recipients != "", "evidence.recipients: must be set: recordings are never written open")
	want(c.Recorder.FlushEvery > 0 && c.Recorder.FlushEvery <= time.Second, "recorder.flush_every: %v is not within 0 and 1s: at most one second may be lost", c.Recorder.FlushEvery)
	want(c.Recorder.HeadEvery >= time.Second/2 && c.Recorder.HeadEvery <= 10*time.Second, "recorder.head_every: %v is not within 500ms and 10s", c.Recorder.HeadEvery)
	want(len(c.Desk.Categories) > 0 && len(c.Desk.Outcomes) > 0 && len(c.Desk.Pauses) > 0, "desk: categories, outcomes and pauses must not be empty")
	want(c.Replica.Endpoint == "" || c.Replica.Bucket != "" && c.Replica.AccessKey != "" && c.Replica.SecretKey != "", "replica: endpoint needs bucket, access_key_file and secret_key_file")
	want(c.Replica.First >= time.Hour && c.Replica.Alarm >= time.Minute, "replica: first is at least 1h, alarm at least 1m")
	errs = append(errs, c.Media.check()...)
	errs = append(errs, c.Geo.check()...)
	errs = append(errs, c.OIDC.check()...)
	errs = append(errs, c.Retention.check(c.Desk.Categories)...)
	errs = append(errs, c.Cases.check(c.Desk.Categories)...)
	errs = append(errs, c.Reports.check()...)
	errs = append(errs, c.Stats.check()...)
	errs = append(errs, c.Cameras.check()...)
	errs = append(errs, c.Notify.check()...)
	errs = append(errs, c.Tips.check(c.HTTP.Addr)...)
	return errors.Join(errs...)
}
