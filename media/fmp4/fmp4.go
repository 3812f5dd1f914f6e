// Package fmp4 writes H.264 pictures as fragmented MP4 (ISO/IEC 14496-12 and 14496-15), bit for bit
// as they came. What was written so far can be played at any time. It is pure.
package fmp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"jedel/media/h264"

	"github.com/Eyevinn/mp4ff/mp4"
)

const track = 1

var errNothing = errors.New("no pictures")

// Head makes what a file begins with. The parameter sets may change on the way: they stand within
// the pictures too (avc3).
func Head(s h264.Sets, at time.Time) ([]byte, error) {
	init := mp4.CreateEmptyInit()
	init.Ftyp = nil
	init.Children = init.Children[:0]
	moov := mp4.NewMoovBox()
	init.AddChild(mp4.NewFtyp("iso5", 0x200, []string{"iso5", "iso6", "mp41"}))
	init.AddChild(moov)
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale, mvhd.NextTrackID = h264.Clock, track+1
	mvhd.SetCreationTimeS(at.Unix())
	mvhd.SetModificationTimeS(at.Unix())
	moov.AddChild(mvhd)
	trak := mp4.CreateEmptyTrak(track, h264.Clock, "video", "und")
	if err := trak.SetAVCDescriptor("avc3", [][]byte{s.SPS}, [][]byte{s.PPS}, true); err != nil {
		return nil, fmt.Errorf("describe h264: %w", err)
	}
	moov.AddChild(trak)
	mvex := mp4.NewMvexBox()
	mvex.AddChild(mp4.CreateTrex(track))
	moov.AddChild(mvex)
	var out bytes.Buffer
	err := init.Encode(&out)
	return out.Bytes(), err
}

// Fragment makes the fragment number no (from 1) of pictures. Times count from start; the last
// picture is shown until until. Both are in ticks of h264.Clock.
func Fragment(no uint32, pics []h264.Picture, start, until int64) ([]byte, error) {
	if len(pics) == 0 {
		return nil, errNothing
	}
	f, err := mp4.CreateFragment(no, track)
	if err != nil {
		return nil, fmt.Errorf("fragment: %w", err)
	}
	for i, p := range pics {
		end := until
		if i+1 < len(pics) {
			end = pics[i+1].TS
		}
		data := make([]byte, 0, p.Size()+4*len(p.NALUs))
		for _, u := range p.NALUs {
			data = append(binary.BigEndian.AppendUint32(data, uint32(len(u))), u...)
		}
		flags := uint32(mp4.NonSyncSampleFlags)
		if p.Key {
			flags = mp4.SyncSampleFlags
		}
		f.AddFullSample(mp4.FullSample{
			Sample:     mp4.Sample{Flags: flags, Dur: uint32(max(end-p.TS, 1)), Size: uint32(len(data))},
			DecodeTime: uint64(max(p.TS-start, 0)), Data: data,
		})
	}
	var out bytes.Buffer
	err = f.Encode(&out)
	return out.Bytes(), err
}
