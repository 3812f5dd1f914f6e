// Package studio makes what callers show and say: pictures by package art and spoken phrases, encoded by
// ffmpeg and spoken by espeak-ng where these are installed. Where they are not, the embedded clip stands
// in, and Lacks tells.
package studio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"jedel/cmd/callbot/art"
	"jedel/cmd/callbot/clip"
)

// Pictures of callers: small, so that many fit on one machine.
const (
	wide, high = 320, 240
	rate       = 10
	seconds    = 4
	workTime   = 20 * time.Second // longest run of a program
	maxKept    = 64               // phrases in memory
)

// Studio makes clips. Make it with Open and close it.
type Studio struct {
	stock         clip.Clip
	tone          []byte
	dir           string
	ffmpeg, voice bool
	slot          chan struct{} // one encoder at a time: a demonstration must not starve the gateway

	mu   sync.Mutex // guards the rest
	said map[string][]byte
}

// Open looks for the programs and makes a folder for their work.
func Open() (*Studio, error) {
	stock, err := clip.Embedded()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "callbot-")
	if err != nil {
		return nil, err
	}
	has := func(name string) bool { _, err := exec.LookPath(name); return err == nil }
	return &Studio{
		stock: stock, tone: clip.Tone(), dir: dir, ffmpeg: has("ffmpeg"), voice: has("espeak-ng") && has("ffmpeg"),
		slot: make(chan struct{}, 1), said: map[string][]byte{},
	}, nil
}

// Close removes the folder.
func (s *Studio) Close() error { return os.RemoveAll(s.dir) }

// Lacks tells what is not installed and what stands in for it; empty: nothing.
func (s *Studio) Lacks() []string {
	var out []string
	if !s.ffmpeg {
		out = append(out, "no ffmpeg: callers show the test pattern")
	}
	if !s.voice {
		out = append(out, "no espeak-ng with ffmpeg: callers are a tone")
	}
	return out
}

// Clip is a caller's picture and voice. What cannot be made is the embedded one's.
func (s *Studio) Clip(ctx context.Context, scene art.Scene, words, lang string) (clip.Clip, error) {
	out := s.stock
	if s.ffmpeg {
		ivf, err := s.film(ctx, scene)
		if err != nil {
			return out, err
		}
		c, err := clip.Read(bytes.NewReader(s.tone), bytes.NewReader(ivf))
		if err != nil {
			return out, fmt.Errorf("film: %w", err)
		}
		out.Frames, out.FrameTime = c.Frames, c.FrameTime
	}
	if s.voice && words != "" {
		ogg, err := s.Voice(ctx, words, lang)
		if err != nil {
			return out, err
		}
		if out.Audio, err = clip.Sound(bytes.NewReader(ogg)); err != nil {
			return out, fmt.Errorf("voice: %w", err)
		}
	}
	return out, nil
}

// film encodes a scene as VP8, a key frame each second.
func (s *Studio) film(ctx context.Context, scene art.Scene) ([]byte, error) {
	var raw bytes.Buffer
	for n := range rate * seconds {
		raw.Write(scene.Draw(wide, high, float64(n)/rate).Pix)
	}
	return s.run(ctx, "ffmpeg", &raw, "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", fmt.Sprintf("%dx%d", wide, high), "-r", fmt.Sprint(rate), "-i", "pipe:0",
		"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "250k", "-g", fmt.Sprint(rate), "-auto-alt-ref", "0", "-error-resilient", "1", "-f", "ivf", "pipe:1")
}

// Street films a street for a camera: a file of H.264 (baseline, a key frame each second) that can be shown
// over and over.
func (s *Studio) Street(ctx context.Context, name string, scene art.Scene) (string, error) {
	const w, h, rate, seconds = 640, 360, 10, 12
	if !s.ffmpeg {
		return "", errNoFFmpeg
	}
	in, out := io.Pipe()
	go func() { // ends with ffmpeg, which reads all or closes its end
		var err error
		for n := range rate * seconds {
			if _, err = out.Write(scene.Draw(w, h, float64(n)/rate).Pix); err != nil {
				break
			}
		}
		_ = out.CloseWithError(err)
	}()
	defer func() { _ = in.Close() }()
	file := filepath.Join(s.dir, name+".mp4")
	_, err := s.run(ctx, "ffmpeg", in, "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba", "-s", fmt.Sprintf("%dx%d", w, h), "-r", fmt.Sprint(rate), "-i", "pipe:0",
		"-c:v", "libx264", "-preset", "veryfast", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", fmt.Sprint(rate), "-b:v", "500k", "-y", file)
	return file, err
}

var errNoFFmpeg = errors.New("ffmpeg is not installed")

// Voice is a phrase as an Ogg Opus file: spoken where that can be, else a tone.
func (s *Studio) Voice(ctx context.Context, words, lang string) ([]byte, error) {
	if !s.voice {
		return s.tone, nil
	}
	key := lang + " " + words
	s.mu.Lock()
	ogg := s.said[key]
	s.mu.Unlock()
	if ogg != nil {
		return ogg, nil
	}
	f, err := os.CreateTemp(s.dir, "*.wav")
	if err != nil {
		return nil, err
	}
	wav := filepath.Clean(f.Name())
	if err := f.Close(); err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(wav) }()
	voice := map[string]string{"kk": "kk", "ru": "ru"}[lang]
	if voice == "" {
		voice = "en-us"
	}
	if _, err := s.run(ctx, "espeak-ng", strings.NewReader(words), "-v", voice, "-s", "150", "-w", wav, "--stdin"); err != nil {
		return nil, err
	}
	ogg, err = s.run(ctx, "ffmpeg", nil, "-nostdin", "-v", "error", "-i", wav, "-af", "apad=pad_dur=1", "-ar", "48000", "-ac", "1",
		"-c:a", "libopus", "-b:a", "24k", "-vbr", "off", "-frame_duration", "20", "-page_duration", "20000", "-f", "ogg", "pipe:1")
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.said) < maxKept {
		s.said[key] = ogg
	}
	return ogg, nil
}

// run waits for its turn and runs a program.
func (s *Studio) run(ctx context.Context, name string, in io.Reader, args ...string) ([]byte, error) {
	select {
	case s.slot <- struct{}{}:
		defer func() { <-s.slot }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &said, time.Second
	if in != nil {
		cmd.Stdin = in
	}
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %.200s", name, err, said.String())
	}
	return out.Bytes(), nil
}
