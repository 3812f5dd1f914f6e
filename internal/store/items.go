package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"jedel/internal/ident"
)

// Item is something kept beside a call's decisions: a chat line, a position, a note.
type Item struct {
	Call ident.CallID
	Kind string
	ID   string // chosen by its maker; unique within call and kind
	Seq  uint64 // assigned, counts from 1 within the call
	At   time.Time
	Body []byte // JSON, opaque here but for "text" and "lat", "lon": a search finds the call by them
}

// items keeps the items of the calls.
type items struct{ c *conn }

const itemColumns = `call, kind, id, seq, at, body`

func scanItem(s scanner) (it Item, err error) {
	err = s.Scan(&it.Call, &it.Kind, &it.ID, &it.Seq, instant{&it.At}, &it.Body)
	return it, err
}

// place is where an item stands.
type place struct {
	seq     uint64
	existed bool
}

// PutItem keeps an item and gives it the next seq of its call; who reads up to a seq has seen all
// before it. The same (call, kind, id) again changes nothing and gives its seq and existed.
func (k items) PutItem(ctx context.Context, it Item) (seq uint64, existed bool, err error) {
	var p place
	for range tries {
		p, err = inTx(ctx, k.c, func(ctx context.Context, t txn) (place, error) { return put(ctx, t, it) })
		if !errors.Is(err, ErrConflict) { // the same item twice at the same moment: the other is there now
			break
		}
	}
	if err != nil {
		return 0, false, fmt.Errorf("put item: %w", err)
	}
	return p.seq, p.existed, nil
}

func put(ctx context.Context, t txn, it Item) (p place, err error) {
	err = found(t.row(ctx, `SELECT seq FROM call_items WHERE call = ? AND kind = ? AND id = ?`, it.Call, it.Kind, it.ID).Scan(&p.seq))
	if !errors.Is(err, ErrNotFound) {
		p.existed = true
		return p, err
	}
	// The counter's row is held until the commit: seqs become visible in their order.
	if err := t.row(ctx, `INSERT INTO call_seqs (call, last) VALUES (?, 1)
		ON CONFLICT (call) DO UPDATE SET last = call_seqs.last + 1 RETURNING last`, it.Call).Scan(&p.seq); err != nil {
		return p, fmt.Errorf("seq: %w", err)
	}
	rows, err := t.exec(ctx, `INSERT INTO call_items (`+itemColumns+`, find, lat, lon) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call, kind, id) DO NOTHING`,
		it.Call, it.Kind, it.ID, p.seq, it.At, it.Body, it.folded(), it.spot().lat, it.spot().lon)
	if err == nil && rows == 0 {
		err = ErrConflict
	}
	return p, err
}

// spot is where an item is, for a search by place; nil where it is nowhere.
type spot struct{ lat, lon *float64 }

func (it Item) spot() spot {
	var body struct {
		Lat    *float64 `json:"lat"`
		Lon    *float64 `json:"lon"`
		Source string   `json:"source"`
	}
	if json.Unmarshal(it.Body, &body) != nil {
		return spot{}
	}
	if body.Lat == nil || body.Lon == nil || body.Source == "text" { // said in words: it is on no map
		return spot{}
	}
	return spot{body.Lat, body.Lon}
}

// folded is what a search finds the item by.
func (it Item) folded() string {
	var body struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(it.Body, &body) != nil {
		return "" // no object: nothing to find
	}
	return fold(body.Text)
}

// Items returns the items of a call after a seq, in order; of all kinds where none is named.
func (k items) Items(ctx context.Context, call ident.CallID, after uint64, kinds ...string) ([]Item, error) {
	query, args := `SELECT `+itemColumns+` FROM call_items WHERE call = ? AND seq > ?`, []any{call, after}
	if len(kinds) > 0 {
		query += ` AND kind IN (?` + strings.Repeat(`, ?`, len(kinds)-1) + `)`
		for _, kind := range kinds {
			args = append(args, kind)
		}
	}
	list, err := many(ctx, k.c, scanItem, query+` ORDER BY seq`, args...)
	if err != nil {
		return nil, fmt.Errorf("items: %w", err)
	}
	return list, nil
}

// LatestItems returns the newest items of one kind, the newest first.
func (k items) LatestItems(ctx context.Context, call ident.CallID, kind string, limit int) ([]Item, error) {
	list, err := many(ctx, k.c, scanItem, `SELECT `+itemColumns+` FROM call_items WHERE call = ? AND kind = ? ORDER BY seq DESC LIMIT ?`, call, kind, limit)
	if err != nil {
		return nil, fmt.Errorf("latest items: %w", err)
	}
	return list, nil
}
