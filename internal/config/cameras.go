package config

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

// Cameras are the RTSP cameras of the site.
type Cameras struct {
	Linger    time.Duration `yaml:"linger"`
	Past      time.Duration `yaml:"past"`
	Viewers   int           `yaml:"viewers"`
	PerCamera int           `yaml:"viewers_per_camera"`
	List      []Camera      `yaml:"list"`
}

// Camera is one camera. Login and password stand apart from the address, so that nothing that
// prints an address prints them.
type Camera struct {
	ID           string   `yaml:"id"`
	Name         Text     `yaml:"name"`
	URL          string   `yaml:"url"`
	Login        string   `yaml:"login"`
	PasswordFile string   `yaml:"password_file"`
	Lat          *float64 `yaml:"lat"`
	Lon          *float64 `yaml:"lon"`
	Heading      *float64 `yaml:"heading"`
	Always       bool     `yaml:"always"`
}

// MaxCameras bounds the list.
const MaxCameras = 2000

var cameraShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// check refuses what cannot work, naming the camera. It prints no address: one may hold a password
// by mistake.
func (c Cameras) check() []error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("cameras."+format, args...))
		}
	}
	want(c.Linger >= 0 && c.Linger <= time.Hour, "linger: %v is not within 0 and 1h", c.Linger)
	want(c.Past >= 0 && c.Past <= 2*time.Minute, "past: %v is not within 0 and 2m: it is kept in memory", c.Past)
	want(c.Viewers > 0 && c.PerCamera > 0, "viewers and viewers_per_camera: must be positive")
	want(len(c.List) <= MaxCameras, "list: %d cameras, at most %d", len(c.List), MaxCameras)
	seen := map[string]bool{}
	for i, cam := range c.List {
		want(cameraShape.MatchString(cam.ID), "list[%d].id: %q is not a name of a-z, 0-9 and -", i, cam.ID)
		want(!seen[cam.ID], "list: %q is there twice", cam.ID)
		seen[cam.ID] = true
		for _, err := range cam.check() {
			errs = append(errs, fmt.Errorf("cameras.list: %s: %w", cam.ID, err))
		}
	}
	return errs
}

func (c Camera) check() []error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for _, name := range []string{c.Name.KK, c.Name.RU, c.Name.EN} {
		want(name != "" && len(name) <= 200, "name: needs words in kk, ru and en, at most 200 bytes each")
	}
	scheme, rest, _ := strings.Cut(c.URL, "://")
	host, _, _ := strings.Cut(rest, "/")
	want(scheme == "rtsp" || scheme == "rtsps", "url: begins with neither rtsp:// nor rtsps://")
	want(host != "", "url: names no host")
	want(!strings.Contains(host, "@"), "url: login and password belong in login and password_file")
	want((c.Login == "") == (c.PasswordFile == ""), "login and password_file: both or neither")
	want((c.Lat == nil) == (c.Lon == nil), "lat and lon: both or neither")
	want(c.Lat == nil || *c.Lat >= -90 && *c.Lat <= 90, "lat: is not a latitude")
	want(c.Lon == nil || *c.Lon >= -180 && *c.Lon <= 180, "lon: is not a longitude")
	want(c.Heading == nil || *c.Heading >= 0 && *c.Heading < 360, "heading: is not within 0 and 360")
	return errs
}

// maxPassword bounds a password file in bytes.
const maxPassword = 1 << 10

// Password reads the camera's password; empty where there is none. An error names the file only.
func (c Camera) Password() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	f, err := os.Open(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("cameras.list: %s: password_file: %w", c.ID, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxPassword+1))
	if err != nil {
		return "", fmt.Errorf("cameras.list: %s: password_file: %w", c.ID, err)
	}
	if len(raw) > maxPassword {
		return "", fmt.Errorf("cameras.list: %s: password_file: over %d bytes", c.ID, maxPassword)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}
