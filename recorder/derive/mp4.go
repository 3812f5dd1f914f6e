package derive

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/Eyevinn/mp4ff/mp4"
)

const (
	pictureScale = 90000
	// mp4Window is how much time one chunk covers: the tracks alternate at this step.
	mp4Window = int64(1e9)
)

// entry is the sample entry of an H264 track: avc3 says that parameters change on the way.
func (t *track) entry() string {
	if t.sets.varied {
		return "avc3"
	}
	return "avc1"
}

// mp4Track is one track's tables while they are made.
type mp4Track struct {
	src    *track
	box    *mp4.TrakBox
	chunks []int // frames in each chunk
	co64   *mp4.Co64Box
}

// writeMP4 writes a file with its index in front, so that it can be sought over HTTP ranges. The
// samples lie in windows of a second, pictures before sound.
func (r *Recording) writeMP4(w io.Writer, p *part) error {
	tracks, err := p.mp4Tracks()
	if err != nil {
		return err
	}
	moov := mp4.NewMoovBox()
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale, mvhd.Duration = pictureScale, uint64(pictureTicks(p.end-p.start))
	mvhd.NextTrackID = uint32(len(tracks) + 1)
	mvhd.SetCreationTimeS(r.Opened.Unix())
	mvhd.SetModificationTimeS(r.Opened.Unix())
	if mvhd.Duration > math.MaxUint32 {
		mvhd.Version = 1
	}
	moov.AddChild(mvhd)
	for _, t := range tracks {
		moov.AddChild(t.box)
	}
	if box := p.mp4Chapters(); box != nil {
		moov.AddChild(box)
	}
	size := layOut(tracks, p.start, func(*mp4Track, int, int, uint64) error { return nil })
	ftyp := mp4.NewFtyp("isom", 0x200, []string{"isom", "iso2", "avc1", "mp41"})
	for _, t := range tracks {
		t.co64.ChunkOffset = make([]uint64, len(t.chunks))
	}
	head := ftyp.Size() + moov.Size() + 16
	for _, t := range tracks {
		t.co64.ChunkOffset = t.co64.ChunkOffset[:0]
	}
	layOut(tracks, p.start, func(t *mp4Track, _, _ int, at uint64) error {
		t.co64.ChunkOffset = append(t.co64.ChunkOffset, head+at)
		return nil
	})
	if err := ftyp.Encode(w); err != nil {
		return err
	}
	if err := moov.Encode(w); err != nil {
		return err
	}
	mdat := append(binary.BigEndian.AppendUint32(nil, 1), "mdat"...)
	if _, err := w.Write(binary.BigEndian.AppendUint64(mdat, size+16)); err != nil {
		return err
	}
	return r.writeSamples(w, tracks, p.start)
}

func (r *Recording) writeSamples(w io.Writer, tracks []*mp4Track, start int64) (err error) {
	rd := &reader{src: r.src}
	var data []byte
	layOut(tracks, start, func(t *mp4Track, from, to int, _ uint64) error {
		for i := from; i < to && err == nil; i++ {
			if data, err = t.src.data(rd, &t.src.frames[i], data[:0]); err == nil {
				_, err = w.Write(data)
			}
		}
		return err
	})
	return err
}

// layOut calls fn for each chunk in the order of the file, with its frames and its place behind
// the head of mdat, until fn fails. It returns the size of all chunks.
func layOut(tracks []*mp4Track, start int64, fn func(t *mp4Track, from, to int, at uint64) error) uint64 {
	at := uint64(0)
	next := make([]int, len(tracks))
	for {
		until := int64(math.MaxInt64)
		for k, t := range tracks {
			if next[k] < len(t.src.frames) {
				until = min(until, (t.src.frames[next[k]].t-start)/mp4Window*mp4Window+mp4Window+start)
			}
		}
		if until == math.MaxInt64 {
			return at
		}
		for k, t := range tracks {
			from, size := next[k], uint64(0)
			for next[k] < len(t.src.frames) && t.src.frames[next[k]].t < until {
				size += uint64(t.src.frames[next[k]].size)
				next[k]++
			}
			if next[k] == from {
				continue
			}
			if fn(t, from, next[k], at) != nil {
				return at
			}
			at += size
		}
	}
}

// mp4Tracks makes the tables of both tracks; only the places of the chunks are missing.
func (p *part) mp4Tracks() ([]*mp4Track, error) {
	video := &mp4Track{src: p.pictures, box: mp4.CreateEmptyTrak(1, pictureScale, "video", "und")}
	s := &p.pictures.sets
	err := video.box.SetAVCDescriptor(p.pictures.entry(), [][]byte{s.sps}, [][]byte{s.pps}, true)
	if err != nil {
		return nil, fmt.Errorf("describe h264: %w", err)
	}
	tracks := []*mp4Track{video}
	if !p.sound.empty() {
		tracks = append(tracks, &mp4Track{src: p.sound, box: mp4.CreateEmptyTrak(2, opusClock, "audio", "und")})
	}
	layOut(tracks, p.start, func(t *mp4Track, from, to int, _ uint64) error {
		t.chunks = append(t.chunks, to-from)
		return nil
	})
	for _, t := range tracks {
		if err := t.tables(); err != nil {
			return nil, err
		}
	}
	video.pictureTimes(p.start)
	if len(tracks) > 1 {
		tracks[1].soundTimes(p.channels())
	}
	return tracks, nil
}

// tables fills what is alike for sound and pictures.
func (t *mp4Track) tables() error {
	stbl := t.box.Mdia.Minf.Stbl
	stbl.Children = slices.DeleteFunc(stbl.Children, func(b mp4.Box) bool { return b.Type() == "stco" })
	stbl.Stco = nil
	t.co64 = &mp4.Co64Box{}
	stbl.AddChild(t.co64)
	stbl.Stsz.SampleNumber = uint32(len(t.src.frames))
	for i := range t.src.frames {
		stbl.Stsz.SampleSize = append(stbl.Stsz.SampleSize, t.src.frames[i].size)
	}
	for i, n := range t.chunks {
		if i == 0 || n != t.chunks[i-1] {
			if err := stbl.Stsc.AddEntry(uint32(i+1), uint32(n), 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// duration sets the length of the track's media and, with what is cut and what is put before, of
// its presentation: first shows nothing for so long, skip leaves out so much of the media.
func (t *mp4Track) duration(media, scale, first, skip int64) {
	mdhd, tkhd := t.box.Mdia.Mdhd, t.box.Tkhd
	mdhd.Duration = uint64(media)
	shown := max(media-skip, 0) * pictureScale / scale
	tkhd.Duration = uint64(shown + first)
	if mdhd.Duration > math.MaxUint32 {
		mdhd.Version = 1
	}
	if tkhd.Duration > math.MaxUint32 {
		tkhd.Version = 1
	}
	elst := &mp4.ElstBox{Version: 1}
	if first > 0 {
		elst.Entries = append(elst.Entries, mp4.ElstEntry{SegmentDuration: uint64(first), MediaTime: -1, MediaRateInteger: 1})
	}
	elst.Entries = append(elst.Entries, mp4.ElstEntry{SegmentDuration: uint64(shown), MediaTime: skip, MediaRateInteger: 1})
	edts := &mp4.EdtsBox{}
	edts.AddChild(elst)
	t.box.AddChild(edts)
	// Edits stand between the track's header and its media.
	slices.SortStableFunc(t.box.Children, func(a, b mp4.Box) int { return trakOrder(a) - trakOrder(b) })
}

func trakOrder(b mp4.Box) int { return slices.Index([]string{"tkhd", "edts", "mdia"}, b.Type()) }

func pictureTicks(d int64) int64 { return d * 9 / 100_000 }

// pictureTimes writes times and key frames. Decoding times are the presentation times in rising
// order, so that pictures shown out of order are possible.
func (t *mp4Track) pictureTimes(start int64) {
	stbl := t.box.Mdia.Minf.Stbl
	n := len(t.src.frames)
	pts := make([]int64, n)
	stss := &mp4.StssBox{}
	for i := range t.src.frames {
		pts[i] = pictureTicks(t.src.frames[i].t - start)
		if t.src.frames[i].key() {
			stss.SampleNumber = append(stss.SampleNumber, uint32(i+1))
		}
	}
	dts := slices.Clone(pts)
	slices.Sort(dts)
	for i := 1; i < n; i++ {
		dts[i] = max(dts[i], dts[i-1]+1)
	}
	stbl.AddChild(stss)
	ctts := &mp4.CttsBox{Version: 1}
	counts, offsets, moved := []uint32{}, []int32{}, false
	last := int64(pictureScale / 30)
	for i := range dts {
		if i+1 < n {
			last = dts[i+1] - dts[i]
		}
		addStts(stbl.Stts, last)
		off := int32(min(max(pts[i]-dts[i], math.MinInt32), math.MaxInt32))
		moved = moved || off != 0
		if k := len(offsets); k > 0 && offsets[k-1] == off {
			counts[k-1]++
			continue
		}
		counts, offsets = append(counts, 1), append(offsets, off)
	}
	if moved && ctts.AddSampleCountsAndOffset(counts, offsets) == nil {
		stbl.AddChild(ctts)
	}
	t.duration(dts[n-1]+last-dts[0], pictureScale, dts[0], 0)
}

// soundTimes writes times and the decoder's configuration. The decoder's delay is cut by an edit
// (Opus in ISO BMFF, section 4.4).
func (t *mp4Track) soundTimes(channels int) {
	stbl := t.box.Mdia.Minf.Stbl
	sum := int64(0)
	for i := range t.src.frames {
		f := &t.src.frames[i]
		dur := int64(f.dur)
		if i+1 < len(t.src.frames) { // a rest too short to fill
			dur = soundTicks(t.src.frames[i+1].t-t.src.frames[0].t+10_000) - sum
		}
		dur = max(dur, 0)
		addStts(stbl.Stts, dur)
		sum += dur
	}
	dops := &mp4.DopsBox{OutputChannelCount: byte(channels), PreSkip: preSkip, InputSampleRate: opusClock}
	stbl.Stsd.AddChild(mp4.CreateAudioSampleEntryBox("Opus", uint16(channels), 16, opusClock, dops))
	t.duration(sum, opusClock, 0, preSkip)
}

func addStts(b *mp4.SttsBox, delta int64) {
	d := uint32(min(max(delta, 0), math.MaxUint32))
	if k := len(b.SampleTimeDelta); k > 0 && b.SampleTimeDelta[k-1] == d {
		b.SampleCount[k-1]++
		return
	}
	b.SampleCount, b.SampleTimeDelta = append(b.SampleCount, 1), append(b.SampleTimeDelta, d)
}
