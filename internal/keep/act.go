package keep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/retention"
	"jedel/internal/store"
	"jedel/recorder/proof"
)

// clock is the time as host and log tell it.
func (k *Keeper) clock() retention.Clock {
	return retention.Clock{Host: k.Host(), Log: k.Book.Time()}
}

// State returns how the keeping of a call stands; the zero state where it has not begun.
func (k *Keeper) State(ctx context.Context, id ident.CallID) (retention.State, error) {
	var s retention.State
	list, err := k.Store.LoadKeeping(ctx, id)
	if err != nil {
		return s, fault.New(fault.Unavailable, "retention", err)
	}
	for _, raw := range list {
		r, err := retention.Decode(raw)
		if err != nil {
			return s, fault.New(fault.Internal, "retention", fmt.Errorf("call %s, record %d: %w", id, s.Version+1, err))
		}
		s = retention.Apply(s, r)
	}
	return s, nil
}

// Begin begins the keeping of a call, where it has not begun, and gives it the class of its category.
func (k *Keeper) Begin(ctx context.Context, sum store.CallSummary) error {
	s, err := k.begun(ctx, sum)
	if err != nil || sum.Category == "" || sum.Operator == "" || sum.Category == s.Category {
		return err
	}
	if s.Shorter != nil && s.Shorter.Category == sum.Category { // it waits for a second person
		return nil
	}
	if k.cfg.Policy.ClassOf(sum.Category) == s.Class { // nothing that anybody need be told
		return k.quiet(ctx, sum.Call, retention.Categorise{By: sum.Operator, Category: sum.Category})
	}
	_, err = k.Do(ctx, sum.Call, retention.Categorise{By: sum.Operator, Category: sum.Category})
	return err
}

// begun returns the state of a call's keeping, which it begins.
func (k *Keeper) begun(ctx context.Context, sum store.CallSummary) (retention.State, error) {
	s, err := k.State(ctx, sum.Call)
	if err != nil || s.Stage != retention.Unknown {
		return s, err
	}
	p, at := k.cfg.Policy, sum.CreatedAt
	first := retention.Begin{Call: sum.Call, Opened: at}
	// A category that keeps longer counts from the first record on, whatever comes between; one that
	// keeps shorter waits for a second person.
	if !p.Classes[p.ClassOf(sum.Category)].After(at).Before(p.Classes[p.Default].After(at)) {
		first.Category = sum.Category
	}
	if err := k.quiet(ctx, sum.Call, first); err != nil {
		return s, err
	}
	return k.State(ctx, sum.Call)
}

// quiet carries out what follows from the call alone.
func (k *Keeper) quiet(ctx context.Context, id ident.CallID, ev retention.Event) error {
	_, err := k.decide(ctx, id, ev, nil)
	return err
}

// Do carries out what somebody asks of an archive, and returns how it stands then. The act is in the
// audit and in the site's log before it counts; a refusal is in both as well.
func (k *Keeper) Do(ctx context.Context, id ident.CallID, ev retention.Event) (retention.State, error) {
	sum, err := k.Archives.Call(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return retention.State{}, fault.New(fault.NoSuchCall, "retention", nil)
	}
	if err != nil {
		return retention.State{}, fault.New(fault.Unavailable, "retention", err)
	}
	l := describe(ev)
	l.Call = id
	if _, err := k.begun(ctx, sum); err != nil {
		return retention.State{}, err
	}
	s, err := k.decide(ctx, id, ev, &l)
	if err == nil {
		return s, nil
	}
	if code := fault.CodeOf(err); l.Who != retention.Scheduler && code != fault.Unavailable && code != fault.Internal {
		refused := Line{Who: l.Who, Action: l.Action + " refused", Call: id, Detail: joined(string(code), l.Detail)}
		if _, bad := k.Book.Write(ctx, refused); bad != nil {
			return s, fault.New(fault.Unavailable, "retention", bad)
		}
	}
	return s, err
}

// decide decides, makes known, records. A nil line is an act that nobody need be told.
func (k *Keeper) decide(ctx context.Context, id ident.CallID, ev retention.Event, l *Line) (retention.State, error) {
	told := l == nil
	for range tries {
		s, err := k.State(ctx, id)
		if err != nil {
			return s, err
		}
		rec, effects, err := retention.Decide(k.cfg.Policy, s, k.clock(), ev)
		if err != nil {
			return s, err
		}
		if rec.Fact == nil {
			return s, nil // it is so already
		}
		if !told {
			if _, err := k.Book.Write(ctx, *l); err != nil {
				return s, fault.New(fault.Unavailable, "retention", err)
			}
			told = true
		}
		err = k.append(ctx, id, retention.Apply(s, rec), rec)
		if errors.Is(err, store.ErrConflict) {
			continue // somebody was first: what they decided counts now
		}
		if err != nil {
			return s, fault.New(fault.Unavailable, "retention", err)
		}
		if len(effects) > 0 {
			k.soon(id)
		}
		return retention.Apply(s, rec), nil
	}
	return retention.State{}, fault.Newf(fault.Unavailable, "retention", "%d others were first", tries)
}

// append makes a record durable.
func (k *Keeper) append(ctx context.Context, id ident.CallID, s retention.State, rec retention.Record) error {
	body, err := retention.Encode(rec)
	if err != nil {
		return err
	}
	return k.Store.AppendKeeping(ctx, store.Keeping{
		Call: id, Version: s.Version, Stage: string(s.Stage), Class: s.Class, Until: s.Until, Held: s.Held(),
	}, body)
}

// describe is an act as the audit and the site's log have it. Reasons and case numbers may name
// people: of them the log has the hash alone.
func describe(ev retention.Event) Line {
	date := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	switch e := ev.(type) {
	case retention.Categorise:
		return line(e.By, "keep.class", e.Category)
	case retention.Extend:
		return line(e.By, "keep.extend", date(e.Until), e.Reason)
	case retention.Shorten:
		return line(e.By, "keep.shorten", date(e.Until), e.Reason)
	case retention.ConfirmShortening:
		return line(e.By, "keep.shorten.confirm", date(e.Until))
	case retention.WithdrawShortening:
		return line(e.By, "keep.shorten.withdraw")
	case retention.PlaceHold:
		return line(e.By, "hold", e.Case, e.Reason)
	case retention.ReleaseHold:
		return line(e.By, "hold.release", e.Reason)
	case retention.ProposeDeletion:
		return line(e.By, "delete.request", e.Reason)
	case retention.ApproveDeletion:
		return line(e.By, "delete.approve")
	case retention.CancelDeletion:
		return line(e.By, "delete.cancel", e.Reason)
	}
	return line(retention.Scheduler, "keep")
}

func line(by ident.StaffID, action string, detail ...string) Line {
	return Line{Who: by, Action: action, Detail: joined(detail...)}
}

// Kind returns what kind of statement in the site's log an act of the audit is.
func Kind(action string) proof.LeafKind {
	switch action {
	case "keep", "keep.class", "keep.extend", "keep.shorten", "keep.shorten.confirm", "keep.shorten.withdraw":
		return proof.LeafKeep
	case "hold":
		return proof.LeafHold
	case "hold.release":
		return proof.LeafRelease
	case "delete.request":
		return proof.LeafDeleteRequest
	case "delete.approve":
		return proof.LeafDeleteApprove
	case "delete.cancel":
		return proof.LeafDeleteCancel
	case "destroy":
		return proof.LeafDestroyed
	}
	return proof.LeafAccess
}

// Facts returns what the statement of an act says beside its hash, made of the line of the audit alone,
// so that it can be made again and proven: nothing that names anybody.
func Facts(action, who, detail string) map[string]any {
	out := map[string]any{}
	if Kind(action) == proof.LeafAccess {
		return out
	}
	out["by"] = who
	var d destruction
	if action == "destroy" && json.Unmarshal([]byte(detail), &d) == nil {
		maps.Copy(out, map[string]any{
			"by": d.By, "approver": d.Approver, "class": d.Class, "root": d.Root, "segments": d.Segments, "asked": d.Asked, "approved": d.Approved,
		})
	}
	return out
}

// destruction is the detail of an act that destroys keys.
type destruction struct {
	By       ident.StaffID `json:"by"`
	Approver ident.StaffID `json:"approver"`
	Class    string        `json:"class"`
	Root     string        `json:"root"`
	Segments string        `json:"segments"`
	Asked    string        `json:"asked"`
	Approved string        `json:"approved"`
	Reason   string        `json:"reason"`
}

// joined puts what belongs to an act into one text.
func joined(parts ...string) string {
	out := ""
	for _, p := range parts {
		if out != "" && p != "" {
			out += " · "
		}
		out += p
	}
	return out
}

// Refuse keeps in the audit that somebody tried what their role does not allow.
func (k *Keeper) Refuse(ctx context.Context, id ident.CallID, ev retention.Event) error {
	l := describe(ev)
	l.Call, l.Action, l.Detail = id, l.Action+" refused", joined(string(fault.Forbidden), l.Detail)
	if _, err := k.Book.Write(ctx, l); err != nil {
		return fault.New(fault.Unavailable, "retention", err)
	}
	return nil
}

// Ask returns the code that would refuse an act on an archive that stands so; empty where none does.
func (k *Keeper) Ask(s retention.State, ev retention.Event) fault.Code {
	_, _, err := retention.Decide(k.cfg.Policy, s, k.clock(), ev)
	return fault.CodeOf(err)
}
