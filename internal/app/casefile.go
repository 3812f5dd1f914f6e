package app

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"jedel/internal/fault"
	"jedel/internal/filekind"
	"jedel/recorder"
	"jedel/signaling"
)

func lower(hex string) string { return strings.ToLower(hex) }

// announced is a file of which no more is known than what was said.
func announced(d signaling.DeclaredFile) signaling.CaseFile {
	return signaling.CaseFile{File: d.File, Name: d.Name, Mime: d.Mime, Bytes: d.Bytes, SHA256: lower(d.SHA256), CapturedMs: d.CapturedMs, Lat: d.Lat, Lon: d.Lon, Marks: []string{}}
}

// caseFileOf is a file that is here.
func caseFileOf(d declaredFile, f filekind.Found, marks []string) signaling.CaseFile {
	out := announced(d.DeclaredFile)
	out.Mime, out.Marks, out.Preview, out.FoundMs = f.Mime, marks, f.Drawn, millis(f.Taken.At)
	if f.Taken.Fixed {
		out.FoundLat, out.FoundLon = &f.Taken.Lat, &f.Taken.Lon
	}
	return out
}

// declaredOf is what was said of a file, for comparing.
func declaredOf(d declaredFile) filekind.Declared {
	out := filekind.Declared{AccuracyM: d.AccuracyM}
	if d.CapturedMs != 0 {
		out.At = time.UnixMilli(d.CapturedMs)
	}
	if d.Lat != nil && d.Lon != nil {
		out.Fixed, out.Lat, out.Lon = true, *d.Lat, *d.Lon
	}
	return out
}

// declaredFacts is the same, for the archive.
func declaredFacts(d declaredFile) *recorder.BlobFacts {
	out := &recorder.BlobFacts{Mime: d.Mime, Lat: d.Lat, Lon: d.Lon, AccuracyM: d.AccuracyM}
	if d.CapturedMs != 0 {
		out.TakenAt = time.UnixMilli(d.CapturedMs).UTC().Format(time.RFC3339)
	}
	return out
}

// foundFacts is what the file says of itself, for the archive; nil where it says nothing.
func foundFacts(f filekind.Found) *recorder.BlobFacts {
	out := &recorder.BlobFacts{}
	switch {
	case f.Taken.At.IsZero() && !f.Taken.Fixed:
		return nil
	case f.Taken.At.IsZero():
	case f.Taken.Zoned:
		out.TakenAt = f.Taken.At.UTC().Format(time.RFC3339)
	default:
		out.TakenAt = f.Taken.At.Format("2006-01-02T15:04:05") // as the camera's clock showed it
	}
	if f.Taken.Fixed {
		out.Lat, out.Lon = &f.Taken.Lat, &f.Taken.Lon
	}
	return out
}

// until is how long declared files of a recording are waited for.
func (n *intake) until(k keptReport) time.Time { return k.At.Add(n.a.cfg.Reports.Wait) }

// files lists what was declared, and what of it is here.
func (n *intake) files(ctx context.Context, k keptReport) ([]signaling.CaseFile, error) {
	out := []signaling.CaseFile{}
	if len(k.Request.Files) == 0 {
		return out, nil
	}
	rows, err := n.a.db.ReportFiles(ctx, k.ID)
	if err != nil {
		return out, fault.New(fault.Unavailable, "report", err)
	}
	here := map[string]signaling.CaseFile{}
	for _, row := range rows {
		var f signaling.CaseFile
		if err := json.Unmarshal(row.Body, &f); err != nil {
			return out, fault.New(fault.Internal, "report", err)
		}
		if f.Refused == "" {
			f.KeptMs = millis(row.KeptAt)
		}
		here[f.File] = f
	}
	until := n.until(k)
	for _, d := range k.Request.Files {
		f, ok := here[d.File]
		if !ok {
			f = announced(d)
			if k.sealed || time.Now().After(until) {
				f.GivenUpMs = millis(until)
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// coming reports whether a file may still arrive.
func coming(f signaling.CaseFile) bool { return f.KeptMs == 0 && f.Refused == "" }
