package config

import (
	"fmt"
	"time"
)

// Reports bounds what citizens and patrols send for cases without a call.
type Reports struct {
	PhotoBytes int64         `yaml:"photo_bytes"`
	VideoBytes int64         `yaml:"video_bytes"`
	Files      int           `yaml:"files"`
	Wait       time.Duration `yaml:"wait"`
	KeepFree   int64         `yaml:"keep_free"`
}

// check refuses limits under which nothing could be sent, or above which nothing is tested.
func (r Reports) check() []error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("reports."+format, args...))
		}
	}
	want(r.PhotoBytes >= 1<<20 && r.PhotoBytes <= 100<<20, "photo_bytes: %d is not within 1 MiB and 100 MiB", r.PhotoBytes)
	want(r.VideoBytes >= r.PhotoBytes && r.VideoBytes <= 4<<30, "video_bytes: %d is not within photo_bytes and 4 GiB", r.VideoBytes)
	want(r.Files >= 1 && r.Files <= 100, "files: %d is not within 1 and 100", r.Files)
	want(r.Wait >= time.Hour && r.Wait <= 30*24*time.Hour, "wait: %v is not within 1h and 720h", r.Wait)
	want(r.KeepFree >= 0, "keep_free: must not be negative")
	return errs
}
