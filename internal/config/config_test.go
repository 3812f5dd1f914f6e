package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"jedel/internal/outbox"
	"jedel/internal/retention"

	"github.com/goccy/go-yaml"
)

const shown = "../../configs/jedel.yaml"

func TestShownFileIsTheDefault(t *testing.T) {
	got, err := Load(shown)
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(got, want) {
		t.Fatalf("configs/jedel.yaml:\n%+v\ncode:\n%+v", got, want)
	}
}

// TestShownFileShowsEveryKey holds that no setting is hidden and each has words beside it.
func TestShownFileShowsEveryKey(t *testing.T) {
	raw, err := os.ReadFile(shown)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, typ reflect.Type, node any)
	walk = func(path string, typ reflect.Type, node any) {
		if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[retention.Period]() {
			return
		}
		m, ok := node.(map[string]any)
		if !ok {
			t.Errorf("%s is missing", path)
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			key := f.Tag.Get("yaml")
			if _, ok := m[key]; !ok {
				t.Errorf("%s%s is not shown", path, key)
				continue
			}
			walk(path+key+".", f.Type, m[key])
		}
	}
	walk("", reflect.TypeFor[Config](), tree)
	for n, line := range strings.Split(string(raw), "\n") {
		if indent := len(line) - len(strings.TrimLeft(line, " ")); indent == 2 && strings.Contains(line, ":") && !strings.Contains(line, "#") {
			t.Errorf("line %d has no reason: %s", n+1, line)
		}
	}
}

func TestUnknownAndBadKeysAreRefused(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"sit: {}", "sit"},
		{"site: {fone: 102}", "fone"},
		{"site: {zone: Mars/Olympus}", "site.zone"},
		{"site: {lat: 91}", "site.lat"},
		{"site: {phone: ''}", "site.phone"},
		{"http: {tls: maybe}", "http.tls"},
		{"http: {tls: files}", "http.tls"},
		{"recorder: {flush_every: 5s}", "flush_every"},
		{"recorder: {head_every: 1m}", "head_every"},
		{"media: {max_peers: 0}", "max_peers"},
		{"media: {readers: -1}", "readers"},
		{"media: {gather: 1s}", "gather"},
		{"desk: {categories: []}", "desk"},
		{"listen: {proxies: [10.0.0.1]}", "listen.proxies"},
		{"listen: {proxies: [0.0.0.0/0]}", "listen.proxies"},
		{"listen: {proxies: ['::ffff:10.0.0.0/104']}", "listen.proxies"},
		{"listen: {max_sockets: 0}", "max_sockets"},
		{"listen: {max_sockets_per_address: -1}", "max_sockets_per_address"},
		{"metrics: {listen: ':8080'}", "metrics.listen"},
		{"cameras: {past: 1h}", "cameras.past"},
		{"cameras: {viewers: 0}", "cameras.viewers"},
		{camera("id: 'A B'"), "cameras.list[0].id"},
		{camera("id: a}, {id: a"), "twice"},
		{camera("id: a, name: {kk: a, ru: b}"), "kk, ru and en"},
		{camera("id: a, url: 'http://192.0.2.1/x'"), "rtsp://"},
		{camera("id: a, url: 'rtsp://'"), "no host"},
		{camera("id: a, url: 'rtsp://u:p@192.0.2.1/x'"), "password_file"},
		{camera("id: a, login: u"), "both or neither"},
		{camera("id: a, lat: 54"), "lat and lon"},
		{camera("id: a, lat: 540, lon: 1"), "lat"},
		{camera("id: a, lat: 54, lon: .nan"), "lon"},
		{camera("id: a, heading: 360"), "heading"},
		{"retention: {default: gone}", "retention.default"},
		{"retention: {classes: []}", "retention.default"},
		{"retention: {clases: []}", "clases"},
		{class("{key: normal, keep: 3y, categories: [thefd]}"), `"thefd"`},
		{class("{key: normal, keep: 3y, categories: [theft]}, {key: crime, keep: 9y, words: {kk: a, ru: a, en: a}, categories: [theft]}"), `in "normal" and in "crime"`},
		{class("{key: normal, keep: 3y}, {key: normal, keep: 1d}"), "twice"},
		{class("{key: normal, keep: 3y, words: {kk: a, ru: a}}"), "kk, ru and en"},
		{class("{key: normal, keep: 3y, words: {kk: a, ru: b, en: c}, segments: burn}"), "burn"},
		{"retention: {wait: 0s}", "retention.wait"},
		{"retention: {wait: 9000h}", "retention.wait"},
		{class("{key: normal, keep: 3m}"), "period"},
		{class("{key: normal, keep: 0d}"), "period"},
		{class("{key: normal}"), "kept"},
		{class("{key: normal, keep: 3y}, {key: 'A b', keep: 3y}"), "A b"},
		{"notify: {sms: pigeon}", "notify.sms"},
		{"notify: {sms: http}", "notify.http.url"},
		{"notify: {sms: smpp}", "notify.smpp"},
		{"notify: {channels: [push, push]}", "notify.channels"},
		{"notify: {channels: [fax]}", "notify.channels"},
		{"notify: {prefixes: ['7']}", "notify.prefixes"},
		{"notify: {quiet: '22-7'}", "notify.quiet"},
		{"notify: {attempts: 0}", "notify.attempts"},
		{"notify: {first: 2h}", "notify.first"},
		{"notify: {life: 1s}", "notify.life"},
		{"notify: {doubt: -1s}", "notify.doubt"},
		{"notify: {repeats: 9}", "notify.repeats"},
		{"notify: {http: {format: xml}}", "notify.http.format"},
		{"notify: {http: {timeout: 2m}}", "notify.http.timeout"},
		{"notify: {smpp: {per_second: -1}}", "per_second"},
		{"notify: {smpp: {enquire: 0s}}", "notify.smpp"},
		{"notify: {smpp: {report_time: 900h}}", "report_time"},
		{"notify: {sender: 'Полиция'}", "notify.sender"},
		{"notify: {push: {subject: 'me'}}", "notify.push.subject"},
		{"notify: {max_parts: 0}", "max_parts"},
		{"notify: {texts: []}", "registered: no text in kk"},
		{"tips: {listen: ':8082'}", "tips.units: nobody"},
		{"tips: {listen: ':8080'}", "tips.listen"},
		{"tips: {onion_listen: '0.0.0.0:8083'}", "tips.onion_listen"},
		{"tips: {public: tips.example.kz}", "tips.public"},
		{"tips: {onion: 'http://x.onion/?q'}", "tips.onion"},
		{"tips: {keep: 1m}", "period"},
		{"tips: {stamp_bits: 60}", "tips.stamp_bits"},
		{"tips: {max_bytes: 5}", "tips.max_bytes"},
		{"tips: {units: [{key: 'A b', names: {kk: a, ru: b, en: c}}]}", "units[0].key"},
		{"tips: {units: [{key: a, names: {kk: a, ru: b}}]}", "units[0].names"},
		{"tips: {units: [{key: a, names: {kk: a, ru: b, en: c}}]}", "units[0].recipients"},
		{"tips: {units: [{key: a, names: {kk: a, ru: b, en: c}, recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]}]}", "age1pq1"},
		{"tips: {units: [{key: a, names: {kk: a, ru: b, en: c}, recipients: [AGE-SECRET-KEY-PQ-1CANARYCANARY]}]}", "units[0].recipients"},
		{"store: [", "parse"},
	} {
		_, err := Parse([]byte(c.yaml))
		if err == nil || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v", c.yaml, err)
		}
	}
}

// class is a file whose retention classes are these.
func class(list string) string { return "retention: {classes: [" + list + "]}" }

func TestCategoriesHaveTheirClass(t *testing.T) {
	p := Default().Retention.Policy()
	for category, want := range map[string]string{"theft": "crime", "false": "prank", "traffic": "normal", "never heard of": "normal"} {
		if got := p.ClassOf(category); got != want {
			t.Errorf("%s: %s, want %s", category, got, want)
		}
	}
	for _, c := range Default().Desk.Categories {
		if _, ok := p.Categories[c.Key]; !ok {
			t.Errorf("category %s has no class of its own", c.Key)
		}
	}
	c, err := Parse([]byte(class("{key: normal, keep: 5y, words: {kk: a, ru: b, en: c}}")))
	if err != nil || c.Retention.Policy().Classes["normal"] != (retention.Period{Years: 5}) {
		t.Fatal(err, c.Retention)
	}
}

func TestQuietHoursAreRead(t *testing.T) {
	n := Default().Notify
	if got := n.Policy(); got.Quiet != (outbox.Quiet{From: 22 * 60, To: 7 * 60}) || got.Repeats != 1 || len(got.Reports) != 0 {
		t.Error(got)
	}
	n.Quiet, n.SMS = "", SMSSMPP
	if got := n.Policy(); got.Quiet != (outbox.Quiet{}) || got.Reports[outbox.SMS] != 24*time.Hour {
		t.Error(got)
	}
}

func TestEmptyFileIsTheDefault(t *testing.T) {
	c, err := Parse(nil)
	if err != nil || !reflect.DeepEqual(c, Default()) {
		t.Fatal(err)
	}
}

func TestWhatIsLeftOutKeepsItsDefault(t *testing.T) {
	c, err := Parse([]byte("site: {zone: Asia/Qyzylorda}\nmedia:\n  idle_peers: 7\n"))
	want := Default()
	want.Site.Zone, want.Media.IdlePeers = "Asia/Qyzylorda", 7
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Fatalf("%v\n%+v", err, c)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("site: {phone: '112'}"))
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _ = Parse(raw) })
}

func camera(keys string) string { return "cameras: {list: [{" + keys + "}]}" }

func TestCameraIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("pa ss\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse([]byte(camera("id: gate-1, name: {kk: a, ru: b, en: c}, url: 'rtsp://192.0.2.1/x', login: u, password_file: " + file + ", lat: 54.5, lon: 69, heading: 0, always: true")))
	if err != nil {
		t.Fatal(err)
	}
	cam := c.Cameras.List[0]
	if password, err := cam.Password(); password != "pa ss" || err != nil || *cam.Lat != 54.5 || *cam.Heading != 0 || !cam.Always {
		t.Errorf("%+v %v", cam, err)
	}
}

func TestRefusedAddressOfACameraIsNotPrinted(t *testing.T) {
	_, err := Parse([]byte(camera("id: a, name: {kk: a, ru: b, en: c}, url: 'rtsp://u:canary@192.0.2.1/x'")))
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}
