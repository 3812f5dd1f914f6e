package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jedel/internal/ident"
)

// Patrol is a patrol as it stands: off, available, assigned, accepted, en_route, on_scene.
type Patrol struct {
	Staff     ident.StaffID
	Name      string
	Unit      string
	State     string
	Case      ident.CaseID
	Since     time.Time
	Place     *Spot
	AccuracyM float64
	FixAt     time.Time
}

// patrols keeps the patrols.
type patrols struct{ c *conn }

const patrolColumns = `staff, name, unit, state, case_id, since, lat, lon, accuracy, fix_at`

func scanPatrol(s scanner) (p Patrol, err error) {
	var lat, lon *float64
	err = s.Scan(&p.Staff, &p.Name, &p.Unit, &p.State, &p.Case, instant{&p.Since}, &lat, &lon, &p.AccuracyM, instant{&p.FixAt})
	if lat != nil && lon != nil {
		p.Place = &Spot{*lat, *lon}
	}
	return p, found(err)
}

// SetDuty takes a patrol on duty or off. One that belongs to a case stays: ErrBusy.
func (k patrols) SetDuty(ctx context.Context, p Patrol, on bool, now time.Time) error {
	_, err := inTx(ctx, k.c, func(ctx context.Context, t txn) (struct{}, error) {
		if on {
			_, err := t.exec(ctx, `INSERT INTO patrols (staff, name, unit, state, case_id, since, accuracy, fix_at) VALUES (?, ?, ?, 'available', '', ?, 0, 0)
				ON CONFLICT (staff) DO UPDATE SET name = excluded.name, unit = excluded.unit,
				since = CASE WHEN patrols.state = 'off' THEN excluded.since ELSE patrols.since END,
				state = CASE WHEN patrols.state = 'off' THEN 'available' ELSE patrols.state END`, p.Staff, p.Name, p.Unit, now)
			return struct{}{}, err
		}
		rows, err := t.exec(ctx, `UPDATE patrols SET state = 'off', since = ?, lat = NULL, lon = NULL, accuracy = 0, fix_at = 0
			WHERE staff = ? AND case_id = ''`, now, p.Staff)
		if err != nil || rows == 1 {
			return struct{}{}, err
		}
		var state string
		if err := found(t.row(ctx, `SELECT state FROM patrols WHERE staff = ?`, p.Staff).Scan(&state)); !errors.Is(err, ErrNotFound) && err != nil {
			return struct{}{}, err
		} else if errors.Is(err, ErrNotFound) {
			return struct{}{}, nil
		}
		return struct{}{}, ErrBusy
	})
	if err != nil {
		return fmt.Errorf("set duty: %w", err)
	}
	return nil
}

// PutFix notes where a patrol on duty is. A fix older than the one there is changes nothing.
func (k patrols) PutFix(ctx context.Context, staff ident.StaffID, at Spot, accuracyM float64, when time.Time) error {
	err := k.c.exec(ctx, `UPDATE patrols SET lat = ?, lon = ?, accuracy = ?, fix_at = ? WHERE staff = ? AND state <> 'off' AND fix_at < ?`,
		at.Lat, at.Lon, accuracyM, when, staff, when)
	if err != nil {
		return fmt.Errorf("put fix: %w", err)
	}
	return nil
}

// PatrolByID returns a patrol, or ErrNotFound.
func (k patrols) PatrolByID(ctx context.Context, staff ident.StaffID) (Patrol, error) {
	return one(ctx, k.c, scanPatrol, `SELECT `+patrolColumns+` FROM patrols WHERE staff = ?`, staff)
}

// ListPatrols returns the patrols on duty, by name.
func (k patrols) ListPatrols(ctx context.Context) ([]Patrol, error) {
	list, err := many(ctx, k.c, scanPatrol, `SELECT `+patrolColumns+` FROM patrols WHERE state <> 'off' ORDER BY name, staff`)
	if err != nil {
		return nil, fmt.Errorf("list patrols: %w", err)
	}
	return list, nil
}

// ListPatrolsSince returns the patrols on duty and those that went off it since, by name.
func (k patrols) ListPatrolsSince(ctx context.Context, since time.Time) ([]Patrol, error) {
	list, err := many(ctx, k.c, scanPatrol, `SELECT `+patrolColumns+` FROM patrols WHERE state <> 'off' OR since > ? ORDER BY name, staff`, since)
	if err != nil {
		return nil, fmt.Errorf("list patrols: %w", err)
	}
	return list, nil
}
