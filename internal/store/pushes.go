package store

import (
	"context"
	"fmt"
	"time"

	"jedel/internal/ident"
)

// PushSubscription is where a browser of a citizen takes notices.
type PushSubscription struct {
	Citizen  string
	Endpoint string
	P256dh   string
	Auth     string
	Made     time.Time
}

// CallerCitizen is what a registered caller is called in messages and subscriptions.
func CallerCitizen(id ident.CallerID) string { return "caller:" + string(id) }

// MaxPushSubscriptions bounds the browsers of one citizen; a newer one takes the place of the oldest.
const MaxPushSubscriptions = 5

// pushes keeps push subscriptions.
type pushes struct{ c *conn }

// PutPushSubscription keeps a subscription, in place of an earlier one of the same browser.
func (p pushes) PutPushSubscription(ctx context.Context, s PushSubscription) error {
	_, err := inTx(ctx, p.c, func(ctx context.Context, t txn) (struct{}, error) {
		_, err := t.exec(ctx, `INSERT INTO push_subscriptions (citizen, endpoint, p256dh, auth, made) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (citizen, endpoint) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth, made = excluded.made`,
			s.Citizen, s.Endpoint, s.P256dh, s.Auth, s.Made)
		if err == nil {
			_, err = t.exec(ctx, `DELETE FROM push_subscriptions WHERE citizen = ? AND endpoint NOT IN
				(SELECT endpoint FROM push_subscriptions WHERE citizen = ? ORDER BY made DESC, endpoint LIMIT ?)`, s.Citizen, s.Citizen, MaxPushSubscriptions)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("put push subscription: %w", err)
	}
	return nil
}

// PushSubscriptions returns the subscriptions of a citizen, the newest first.
func (p pushes) PushSubscriptions(ctx context.Context, citizen string) ([]PushSubscription, error) {
	list, err := many(ctx, p.c, func(s scanner) (v PushSubscription, err error) {
		err = s.Scan(&v.Citizen, &v.Endpoint, &v.P256dh, &v.Auth, instant{&v.Made})
		return v, err
	}, `SELECT citizen, endpoint, p256dh, auth, made FROM push_subscriptions WHERE citizen = ? ORDER BY made DESC, endpoint`, citizen)
	if err != nil {
		return nil, fmt.Errorf("push subscriptions: %w", err)
	}
	return list, nil
}

// DeletePushSubscription removes one subscription of a citizen; of every citizen where citizen is empty, since
// the browser itself has ended it.
func (p pushes) DeletePushSubscription(ctx context.Context, citizen, endpoint string) error {
	if citizen == "" {
		return p.c.exec(ctx, `DELETE FROM push_subscriptions WHERE endpoint = ?`, endpoint)
	}
	return p.c.exec(ctx, `DELETE FROM push_subscriptions WHERE citizen = ? AND endpoint = ?`, citizen, endpoint)
}
