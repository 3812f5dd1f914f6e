package export

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"time"

	"jedel/recorder/bag"
	"jedel/recorder/report"
)

// fix is a position as the journal has it.
type fix struct {
	Lat       float64  `json:"lat"`
	Lon       float64  `json:"lon"`
	AccuracyM float64  `json:"accuracyM"`
	AltM      *float64 `json:"altM"`
	Source    string   `json:"source"`
	Text      string   `json:"text"`
}

// place is a position on the call's clock.
type place struct {
	fix
	ms int64
	at time.Time
}

// said is a line of chat as the journal has it.
type said struct {
	From string `json:"from"`
	Name string `json:"name"`
	Text string `json:"text"`
	File *struct {
		File string `json:"file"`
		Name string `json:"name"`
	} `json:"file"`
}

// lists takes in the timeline, the chat and the positions, each in a form that common programs read.
func (m author) lists(ctx context.Context) error {
	if err := m.addJSON(ctx, "timeline.json", m.line); err != nil {
		return err
	}
	if err := m.addDoc(ctx, "chat.html", m.chat()); err != nil {
		return err
	}
	places := m.places()
	if len(places) == 0 {
		return nil
	}
	if err := m.addJSON(ctx, "location.geojson", geoJSON(places)); err != nil {
		return err
	}
	raw, err := xml.MarshalIndent(gpx(m.head.number, places), "", " ")
	if err != nil {
		return fmt.Errorf("gpx: %w", err)
	}
	_, err = m.add(ctx, "location.gpx", bag.Bytes(append([]byte(xml.Header), append(raw, '\n')...)))
	return err
}

// places are the positions that were measured or set on a map; one that cannot be read is left out
// here and stands in the timeline.
func (m author) places() []place {
	var out []place
	for _, p := range m.line.Positions {
		var f fix
		if json.Unmarshal(p.Fix, &f) != nil || f.Source == "text" || f.Lat < -90 || f.Lat > 90 || f.Lon < -180 || f.Lon > 180 {
			continue
		}
		out = append(out, place{f, p.Ms, time.UnixMilli(m.line.OpenedMs + p.Ms).UTC()})
	}
	return out
}

func (m author) chat() report.Doc {
	t := report.Table{
		Head: []string{m.words.Say("when"), m.words.Say("who"), m.words.Say("text"), m.words.Say("file")}, Widths: []float64{0.2, 0.2, 0.4, 0.2}, Mono: []int{0}, None: m.words.Say("chat.none"),
	}
	files := map[string]string{}
	for _, p := range m.photos {
		files[p.ID] = "photos/" + p.File
	}
	for _, c := range m.line.Chat {
		var item said
		if json.Unmarshal(c.Item, &item) != nil {
			continue
		}
		who, file := m.words.Stream(item.From), ""
		if item.Name != "" && item.From != "caller" {
			who += ", " + item.Name
		}
		if item.File != nil {
			if file = files[item.File.File]; file == "" {
				file = m.words.Say("file.gone", "name", item.File.Name)
			}
		}
		t.Rows = append(t.Rows, []string{time.UnixMilli(m.line.OpenedMs + c.Ms).In(m.zone).Format("15:04:05.000"), who, item.Text, file})
	}
	return m.doc("chat.title", []report.Section{{Blocks: []report.Block{t}}})
}

// doc is a page of the bag.
func (m author) doc(title string, sections []report.Section) report.Doc {
	return report.Doc{
		Lang: m.Lang, Title: m.words.Say(title), Sub: "№ " + m.head.number + " · " + m.head.call, Sections: sections,
		Foot: m.words.Say("made", "at", m.At.In(m.zone).Format("02.01.2006 15:04:05 (UTC-07:00)"), "software", m.software()),
	}
}

func (m *maker) software() string { return "jedel " + m.site.Version }

func (m author) addDoc(ctx context.Context, name string, d report.Doc) error {
	_, err := m.add(ctx, name, d.HTML)
	return err
}

// geoJSON is the track as RFC 7946 has it: longitude first.
func geoJSON(places []place) map[string]any {
	features := []any{}
	for _, p := range places {
		at := []float64{p.Lon, p.Lat}
		if p.AltM != nil {
			at = append(at, *p.AltM)
		}
		features = append(features, map[string]any{
			"type": "Feature", "geometry": map[string]any{"type": "Point", "coordinates": at},
			"properties": map[string]any{"time": p.at.Format(time.RFC3339Nano), "ms": p.ms, "accuracyM": p.AccuracyM, "source": p.Source},
		})
	}
	return map[string]any{"type": "FeatureCollection", "features": features}
}

// gpxFile is a track of GPX 1.1.
type gpxFile struct {
	XMLName xml.Name   `xml:"http://www.topografix.com/GPX/1/1 gpx"`
	Version string     `xml:"version,attr"`
	Creator string     `xml:"creator,attr"`
	Name    string     `xml:"trk>name"`
	Points  []gpxPoint `xml:"trk>trkseg>trkpt"`
}

type gpxPoint struct {
	Lat     float64  `xml:"lat,attr"`
	Lon     float64  `xml:"lon,attr"`
	Ele     *float64 `xml:"ele,omitempty"`
	Time    string   `xml:"time"`
	Comment string   `xml:"cmt,omitempty"`
}

func gpx(number string, places []place) gpxFile {
	g := gpxFile{Version: "1.1", Creator: "jedel", Name: number}
	for _, p := range places {
		g.Points = append(g.Points, gpxPoint{p.Lat, p.Lon, p.AltM, p.at.Format(time.RFC3339Nano), fmt.Sprintf("%s, accuracy %.0f m", p.Source, p.AccuracyM)})
	}
	return g
}
