package gazetteer

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/url"

	"jedel/internal/geo"

	_ "modernc.org/sqlite" // the driver; R*Tree is compiled in, and Create fails where it is not
)

// Version is that of the file's form; another is refused.
const Version = "1"

// ErrForeign is a file that is no gazetteer, or one of another version.
var ErrForeign = errors.New("not a gazetteer of this version")

// Kinds of things as the file numbers them.
const (
	house = 1 + iota
	street
	piece // of a street: the line
	post
	landmark
	settled
)

// The names of things that are words for search are in word, folded. box and town are R*Trees; places
// are in 1e-7 degrees.
const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE thing (
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, kk TEXT NOT NULL, ru TEXT NOT NULL, en TEXT NOT NULL, number TEXT NOT NULL,
    lat INTEGER NOT NULL, lon INTEGER NOT NULL, radius REAL NOT NULL, rank INTEGER NOT NULL, of INTEGER NOT NULL, shape BLOB
);
CREATE TABLE word (key TEXT NOT NULL, thing INTEGER NOT NULL, PRIMARY KEY (key, thing)) WITHOUT ROWID;
CREATE VIRTUAL TABLE box USING rtree(id, south, north, west, east);
CREATE VIRTUAL TABLE town USING rtree(id, south, north, west, east);
`

// open opens a database file with what only bulk writing or only reading wants.
func open(path, options string) (*sql.DB, error) {
	at := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options}
	return sql.Open("sqlite", at.String())
}

func e7(deg float64) int64 { return int64(math.Round(deg * 1e7)) }

func point(lat, lon int64) geo.Point {
	return geo.Point{Lat: float64(lat) / 1e7, Lon: float64(lon) / 1e7}
}

// packShape writes a line as differences, in 1e-7 degrees.
func packShape(line []geo.Point) []byte {
	var out []byte
	lat, lon := int64(0), int64(0)
	for _, p := range line {
		out = binary.AppendVarint(binary.AppendVarint(out, e7(p.Lat)-lat), e7(p.Lon)-lon)
		lat, lon = e7(p.Lat), e7(p.Lon)
	}
	return out
}

// unpackShape reads what packShape wrote; what is broken ends it.
func unpackShape(raw []byte) []geo.Point {
	var out []geo.Point
	lat, lon := int64(0), int64(0)
	for len(raw) > 0 {
		dLat, n := binary.Varint(raw)
		if n <= 0 {
			return out
		}
		dLon, m := binary.Varint(raw[n:])
		if m <= 0 {
			return out
		}
		raw = raw[n+m:]
		lat, lon = lat+dLat, lon+dLon
		p := point(lat, lon)
		if !p.Valid() {
			return out
		}
		out = append(out, p)
	}
	return out
}

// readMeta reads the head of a file and refuses foreign ones.
func readMeta(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT key, value FROM meta")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	defer rows.Close()
	meta := map[string]string{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		meta[key] = value
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if meta["version"] != Version {
		return nil, fmt.Errorf("%w: it has version %q", ErrForeign, meta["version"])
	}
	return meta, nil
}
