// Package clip has what a bot says and shows: encoded media that is sent as it is, over and over.
// The embedded clips were made with
//
//	ffmpeg -f lavfi -i "aevalsrc='0.35*sin(2*PI*440*t)*(0.6+0.4*sin(2*PI*3*t))':s=48000:d=4" -ac 1 -c:a libopus -b:a 24k -vbr off -frame_duration 20 -page_duration 20000 tone.ogg
//	ffmpeg -f lavfi -i testsrc=size=320x240:rate=15:duration=4 -c:v libvpx -b:v 250k -g 15 -auto-alt-ref 0 -error-resilient 1 pattern.ivf
package clip

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

//go:embed tone.ogg
var tone []byte

//go:embed pattern.ivf
var pattern []byte

// AudioTime is the length of one audio packet. An Ogg file must hold one such packet a page.
const AudioTime = 20 * time.Millisecond

// maxUnits bounds the packets and frames of a clip: ten minutes of audio.
const maxUnits = 30000

// Clip is encoded sound and pictures. Its slices are read only.
type Clip struct {
	Audio     [][]byte // Opus packets of AudioTime each
	Frames    [][]byte // VP8 frames; the first is a key frame
	FrameTime time.Duration
}

// Embedded returns the clip of the program: a wavering tone of 440 Hz and a test pattern with a
// key frame each second.
func Embedded() (Clip, error) { return Read(bytes.NewReader(tone), bytes.NewReader(pattern)) }

// Silence is the sound of somebody who does not speak: an Opus packet of 20 ms without anything
// (RFC 6716, section 3.1: full-band CELT, one frame).
func Silence() [][]byte { return [][]byte{{0xf8, 0xff, 0xfe}} }

// Tone returns the embedded sound as the Ogg Opus file that it is. The slice is the caller's.
func Tone() []byte { return bytes.Clone(tone) }

// Sound reads the packets of an Ogg Opus file, one of AudioTime a page.
func Sound(ogg io.Reader) ([][]byte, error) { return packets(ogg) }

// Read reads a clip from an Ogg Opus and an IVF VP8 file.
func Read(ogg, ivf io.Reader) (Clip, error) {
	var c Clip
	var err error
	if c.Audio, err = packets(ogg); err != nil {
		return c, fmt.Errorf("sound: %w", err)
	}
	if c.Frames, c.FrameTime, err = frames(ivf); err != nil {
		return c, fmt.Errorf("pictures: %w", err)
	}
	return c, nil
}

func packets(in io.Reader) ([][]byte, error) {
	r, _, err := oggreader.NewWith(in)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for len(out) < maxUnits {
		page, head, err := r.ParseNextPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if _, isHead := head.HeaderType(page); isHead || len(page) == 0 {
			continue
		}
		out = append(out, page)
	}
	if len(out) == 0 {
		return nil, errors.New("no packets")
	}
	return out, nil
}

func frames(in io.Reader) ([][]byte, time.Duration, error) {
	r, head, err := ivfreader.NewWith(in)
	if err != nil {
		return nil, 0, err
	}
	if head.FourCC != "VP80" || head.TimebaseNumerator == 0 || head.TimebaseDenominator == 0 {
		return nil, 0, fmt.Errorf("%q at %d/%d s is not VP8 with a clock", head.FourCC, head.TimebaseNumerator, head.TimebaseDenominator)
	}
	var out [][]byte
	for len(out) < maxUnits {
		frame, _, err := r.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		out = append(out, frame)
	}
	if len(out) == 0 || len(out[0]) == 0 || out[0][0]&1 != 0 { // RFC 6386 section 9.1: bit 0 clear is a key frame
		return nil, 0, errors.New("the first frame is no key frame")
	}
	return out, time.Second * time.Duration(head.TimebaseNumerator) / time.Duration(head.TimebaseDenominator), nil
}
