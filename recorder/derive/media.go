package derive

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"jedel/media/red"
)

// WriteMedia writes what participant said and showed as one file that can be sought: H264 as MP4,
// the other codecs as WebM. The file begins at the participant's first frame; Timeline has the
// offset. It writes nothing and returns ErrNoParticipant or ErrNothing when there is nothing to
// write; any other error leaves w with part of a file.
func (r *Recording) WriteMedia(w io.Writer, participant string) (mime string, err error) {
	p := r.part(participant)
	if p == nil {
		return "", fmt.Errorf("write media: %w", ErrNoParticipant)
	}
	mime, err = p.mime()
	if err != nil {
		return "", fmt.Errorf("write media: %w", err)
	}
	buffered := bufio.NewWriterSize(w, 256<<10)
	if p.pictures.codec == "h264" && !p.pictures.empty() {
		err = r.writeMP4(buffered, p)
	} else {
		err = r.writeWebM(buffered, p)
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return "", fmt.Errorf("write media: %w", err)
	}
	return mime, nil
}

func (r *Recording) part(id string) *part {
	for _, p := range r.parts {
		if p.id == id {
			return p
		}
	}
	return nil
}

// mime is the type of the file with the codecs in it (RFC 6381).
func (p *part) mime() (string, error) {
	if p.sound.empty() && p.pictures.empty() {
		return "", ErrNothing
	}
	var list []string
	top, form := "video", "webm"
	switch {
	case p.pictures.empty():
		top = "audio"
	case p.pictures.codec == "h264":
		form = "mp4"
		sps := p.pictures.sets.sps
		list = append(list, fmt.Sprintf("%s.%02x%02x%02x", p.pictures.entry(), sps[1], sps[2], sps[3]))
	case p.pictures.codec == "av1":
		conf, err := p.pictures.av1Conf()
		if err != nil {
			return "", err
		}
		list = append(list, conf.CodecString("av01"))
	default:
		list = append(list, p.pictures.codec)
	}
	if !p.sound.empty() {
		list = append(list, "opus")
	}
	return fmt.Sprintf("%s/%s; codecs=%q", top, form, strings.Join(list, ",")), nil
}

// interleave gives the frames of both tracks in the order of time, pictures first.
func (p *part) interleave(fn func(t *track, f *frame) error) error {
	i, k := 0, 0
	for i < len(p.pictures.frames) || k < len(p.sound.frames) {
		t, at := p.sound, &k
		if k == len(p.sound.frames) || i < len(p.pictures.frames) && p.pictures.frames[i].t <= p.sound.frames[k].t {
			t, at = p.pictures, &i
		}
		if err := fn(t, &t.frames[*at]); err != nil {
			return err
		}
		*at++
	}
	return nil
}

// channels is how many the decoder is asked for: two when any stream announced them.
func (p *part) channels() int {
	for i := range p.sound.takes {
		if p.sound.takes[i].info.Channels > 1 {
			return 2
		}
	}
	return 1
}

// data appends the bytes of a frame as the container holds them.
func (t *track) data(rd *reader, f *frame, dst []byte) ([]byte, error) {
	if f.take == filled {
		dst = append(dst, f.toc)
		if f.size > 1 {
			dst = append(dst, silent[:]...)
		}
		return dst, nil
	}
	s := &t.takes[f.take]
	if t.kind == "video" {
		parts, err := rd.parts(s.pt, s.run.packets[f.first:f.first+f.count])
		if err != nil {
			return dst, err
		}
		dst, _, err = assemble(t.codec, dst, parts)
		return dst, sized(dst, f, err)
	}
	b, err := rd.payload(&s.run.packets[f.first])
	if err != nil {
		return dst, err
	}
	if f.flags&frameRED != 0 {
		blocks, err := red.Parse(b, nil)
		if err != nil || int(f.sub) >= len(blocks) {
			return dst, errPicture
		}
		b = blocks[f.sub].Data
	}
	dst = append(dst, b...)
	return dst, sized(dst, f, nil)
}

// sized checks that a frame has the size that the index was made with.
func sized(b []byte, f *frame, err error) error {
	if err == nil && len(b) != int(f.size) {
		return errPicture
	}
	return err
}
