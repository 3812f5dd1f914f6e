package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"jedel/internal/ident"
	"jedel/internal/keep"
	"jedel/internal/retention"
	"jedel/internal/store"
	"jedel/recorder"

	"github.com/prometheus/client_golang/prometheus"
)

func (a *App) newKeeper(opt Options, where archives, reg prometheus.Registerer) (*keep.Keeper, error) {
	c := a.cfg.Retention
	if c.Wait < retention.Wait && !opt.Demo {
		return nil, fmt.Errorf("retention.wait: %v is for demonstrations; it is %v or more", c.Wait, retention.Wait)
	}
	second := a.cfg.Evidence.Keystore
	if second == "" {
		second = filepath.Join(a.cfg.Recorder.Dir, "keystore")
	}
	parts := keep.Parts{Store: a.db, Book: diary{a}, Archives: where, Host: time.Now, Log: a.log, Reg: reg}
	if a.cfg.Replica.Endpoint != "" {
		var err error
		if a.replica, err = a.newReplica(where, reg); err != nil {
			return nil, err
		}
		parts.Replica = a.replica
	}
	return keep.New(keep.Config{
		Policy: c.Policy(), Erase: c.Erase(), Propose: c.Propose, Archives: a.cfg.Recorder.Dir, Keystore: second,
	}, parts), nil
}

// beginKeeping begins the keeping of a call that has ended. What fails is done by the next look at
// everything.
func (a *App) beginKeeping(ctx context.Context, id ident.CallID) {
	sum, _, err := a.db.LoadCall(ctx, id)
	if err == nil {
		err = a.keeper.Begin(ctx, sum)
	}
	if err != nil {
		a.log.Warn("keeping begins later", "call", id, "err", err)
	}
}

// diary makes acts of keeping known.
type diary struct{ a *App }

// Write implements keep.Book.
func (d diary) Write(ctx context.Context, l keep.Line) (keep.Said, error) {
	return d.a.say(ctx, store.Audit{Who: string(l.Who), Action: l.Action, Object: string(l.Call), Detail: l.Detail})
}

// proveTime is how long a proof waits for those outside; then it is kept with what there is.
const proveTime = 15 * time.Second

// Prove implements keep.Book.
func (d diary) Prove(ctx context.Context, s keep.Said) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	p, _, err := d.a.site.Proof(ctx, s.Leaf, s.Index)
	if err != nil {
		return nil, err
	}
	return p.Marshal(), nil
}

// Time implements keep.Book.
func (d diary) Time() time.Time { return d.a.site.Time() }

// archives knows where the archives of calls lie.
type archives struct {
	a       *App
	derived *cache
}

// Call implements keep.Archives.
func (r archives) Call(ctx context.Context, id ident.CallID) (store.CallSummary, error) {
	sum, _, err := r.a.db.LoadCall(ctx, id)
	return sum, err
}

// Folders implements keep.Archives. An archive that lies here is ours; one that lies nowhere is that
// of the node which has the call.
func (r archives) Folders(ctx context.Context, id ident.CallID) ([]string, bool, error) {
	sum, err := r.Call(ctx, id)
	if err != nil {
		return nil, false, err
	}
	if parts := recorder.Parts(os.DirFS(r.a.cfg.Recorder.Dir), id, sum.CreatedAt); len(parts) > 0 {
		return parts, true, nil
	}
	node, err := r.a.db.CallNode(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return nil, node == r.a.nodeID, err
}

// Drop implements keep.Archives.
func (r archives) Drop(_ context.Context, id ident.CallID) error {
	r.a.copies.forget(id)
	return r.derived.dropAll(id)
}
