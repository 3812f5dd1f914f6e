package keep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jedel/internal/fault"
	"jedel/internal/ident"
	"jedel/internal/retention"
	"jedel/internal/store"
	"jedel/recorder/disk"
	"jedel/recorder/proof"
	"jedel/recorder/verify"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	aigul = ident.New[ident.StaffID]()
	bolat = ident.New[ident.StaffID]()
	dana  = ident.New[ident.StaffID]()
	t0    = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
)

// world is everything around a keeper: it outlives the keeper, and can fail at any step.
type world struct {
	t    *testing.T
	db   *store.DB
	root string

	mu        sync.Mutex // guards the rest
	host, log time.Time
	steps     []string // what was done, in order
	lines     []Line
	sums      map[ident.CallID]store.CallSummary
	holds     map[ident.CallID]bool // of the replica
	left      int                   // copies that the replica cannot destroy
	locked    map[ident.CallID]time.Time
	elsewhere bool

	fuse  int  // steps until everything fails; 0: never
	after bool // the last step before that is done
	dead  bool
}

var errDead = errors.New("the process is dead")

// step does one thing to the world, unless the fuse is through.
func (w *world) step(what string, do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errDead
	}
	if w.fuse > 0 {
		if w.fuse--; w.fuse == 0 {
			w.dead = true
			if !w.after {
				return errDead
			}
		}
	}
	if err := do(); err != nil {
		return err
	}
	w.steps = append(w.steps, what)
	if w.dead {
		return errDead
	}
	return nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, root: t.TempDir(), host: t0, log: t0, sums: map[ident.CallID]store.CallSummary{}, holds: map[ident.CallID]bool{}, locked: map[ident.CallID]time.Time{}}
	var err error
	if w.db, err = store.Open(t.Context(), "sqlite:"+filepath.Join(w.root, "db"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.db.Close() })
	return w
}

func (w *world) pass(d time.Duration) { w.host, w.log = w.host.Add(d), w.log.Add(d) }

// keeper is one life of the process.
func (w *world) keeper() *Keeper {
	return New(Config{
		Policy: retention.Policy{Classes: map[string]retention.Period{"normal": {Days: 30}, "crime": {Years: 10}, "prank": {Days: 10}},
			Categories: map[string]string{"theft": "crime", "false": "prank"}, Default: "normal"},
		Erase:    map[string]bool{"normal": true},
		Archives: filepath.Join(w.root, "archive"), Keystore: filepath.Join(w.root, "keystore"),
	}, Parts{
		Store: deadlyStore{w.db, w}, Book: book{w}, Archives: archives{w}, Replica: replica{w}, Host: func() time.Time { return w.host },
		Disk: func(root string) Disk { return deadlyDisk{disk.OS{Root: root}, w} }, Log: slog.New(slog.DiscardHandler), Reg: prometheus.NewRegistry(),
	})
}

type deadlyStore struct {
	*store.DB
	w *world
}

func (s deadlyStore) AppendKeeping(ctx context.Context, k store.Keeping, body []byte) error {
	return s.w.step("record "+k.Stage, func() error { return s.DB.AppendKeeping(ctx, k, body) })
}

func (s deadlyStore) ForgetCall(ctx context.Context, id ident.CallID) error {
	return s.w.step("forget", func() error { return s.DB.ForgetCall(ctx, id) })
}

type deadlyDisk struct {
	os disk.OS
	w  *world
}

func (d deadlyDisk) Wipe(name string) error {
	return d.w.step("wipe "+name, func() error { return d.os.Wipe(name) })
}

func (d deadlyDisk) Remove(name string) error {
	return d.w.step("remove "+name, func() error { return d.os.Remove(name) })
}

func (d deadlyDisk) Replace(name string, raw []byte) error {
	return d.w.step("write "+name, func() error { return d.os.Replace(name, raw) })
}

func (d deadlyDisk) MkdirAll(dir string) error {
	return d.w.step("mkdir "+dir, func() error { return d.os.MkdirAll(dir) })
}

type book struct{ w *world }

func (b book) Write(_ context.Context, l Line) (said Said, err error) {
	err = b.w.step("say "+l.Action, func() error {
		b.w.lines = append(b.w.lines, l)
		said = Said{proof.Leaf{Kind: Kind(l.Action), Call: l.Call, At: b.w.host, Facts: Facts(l.Action, string(l.Who), l.Detail)}, uint64(len(b.w.lines))}
		_, err := said.Leaf.Bytes()
		return err
	})
	return said, err
}

func (b book) Prove(_ context.Context, s Said) (raw []byte, err error) {
	return raw, b.w.step("prove", func() (err error) { raw, err = s.Leaf.Bytes(); return err })
}

func (b book) Time() time.Time { return b.w.log }

type archives struct{ w *world }

func (a archives) Call(_ context.Context, id ident.CallID) (store.CallSummary, error) {
	sum, ok := a.w.sums[id]
	if !ok {
		return sum, store.ErrNotFound
	}
	return sum, nil
}

func (a archives) Folders(_ context.Context, id ident.CallID) ([]string, bool, error) {
	var out []string
	for _, dir := range []string{string(id), string(id) + ".2"} {
		if _, err := os.Stat(filepath.Join(a.w.root, "archive", dir)); err == nil {
			out = append(out, dir)
		}
	}
	return out, !a.w.elsewhere, nil
}

func (a archives) Drop(context.Context, ident.CallID) error {
	return a.w.step("drop", func() error { return nil })
}

type replica struct{ w *world }

func (r replica) Lock(_ context.Context, id ident.CallID, until time.Time) error {
	return r.w.step("lock", func() error { r.w.locked[id] = until; return nil })
}

func (r replica) Hold(_ context.Context, id ident.CallID, on bool) error {
	return r.w.step("hold", func() error { r.w.holds[id] = on; return nil })
}

func (r replica) Held(_ context.Context, id ident.CallID) (held bool, err error) {
	err = r.w.step("held?", func() error { held = r.w.holds[id]; return nil })
	return held, err
}

func (r replica) Destroy(context.Context, ident.CallID) (left int, err error) {
	err = r.w.step("replica", func() error { left = r.w.left; return nil })
	return left, err
}

// call makes an ended call with an archive of two parts and its keys.
func (w *world) call(category string) ident.CallID {
	w.t.Helper()
	id := ident.New[ident.CallID]()
	client := ident.New[ident.ClientID]()
	owner := store.Owner{Node: ident.New[ident.NodeID]()}
	var err error
	if owner.Epoch, err = w.db.StartNode(w.t.Context(), owner.Node, "site"); err != nil {
		w.t.Fatal(err)
	}
	sum, _, err := w.db.CreateCall(w.t.Context(), owner, "tap", client, func(number string) (store.CallSummary, store.CallRecord, error) {
		return store.CallSummary{Call: id, Number: number, Ref: "tap", Client: client, Phase: "ended", CreatedAt: t0, Category: category, Operator: dana, Version: 1},
			store.CallRecord{Version: 1, At: t0, Kind: "created", Body: []byte(`{}`)}, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.sums[id] = sum
	for _, dir := range []string{string(id), string(id) + ".2"} {
		w.write("archive/"+dir+"/00000.evr", "sealed bytes")
		w.write("archive/"+dir+"/heads", "heads")
		w.write("archive/"+dir+"/seal.note", proof.SealPrefix+`{"root":"`+strings.Repeat("a", 43)+`="}`+"\n\n— x y\n")
		w.write("archive/"+dir+"/kek-0011.age", "age key of "+dir)
		w.write("archive/"+dir+"/kek-0011.age.tmp", "age key, half wri")
		w.write("keystore/"+dir+"/kek-0011.age", "age key of "+dir)
	}
	return id
}

func (w *world) write(name, text string) {
	w.t.Helper()
	full := filepath.Join(w.root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o700), os.WriteFile(full, []byte(text), 0o600)); err != nil {
		w.t.Fatal(err)
	}
}

// files lists what is left of a call.
func (w *world) files(id ident.CallID) []string {
	var out []string
	for _, pattern := range []string{"archive/%s*/*", "archive/%s*/proofs/*", "keystore/%s*/*"} {
		found, err := filepath.Glob(filepath.Join(w.root, fmt.Sprintf(pattern, id)))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range found {
			out = append(out, strings.TrimPrefix(f, w.root+"/"))
		}
	}
	return out
}

func (w *world) keys(id ident.CallID) (n int) {
	for _, f := range w.files(id) {
		if strings.HasPrefix(filepath.Base(f), "kek-") {
			n++
		}
	}
	return n
}

func (w *world) must(s retention.State, err error) retention.State {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) refused(want fault.Code, err error) {
	w.t.Helper()
	if fault.CodeOf(err) != want {
		w.t.Fatalf("%v, want %s", err, want)
	}
}

func (w *world) do(k *Keeper, id ident.CallID, ev retention.Event) (retention.State, error) {
	return k.Do(w.t.Context(), id, ev)
}

// approved takes a call as far as an approved deletion.
func (w *world) approved(k *Keeper, id ident.CallID) {
	w.t.Helper()
	w.pass(31 * 24 * time.Hour)
	w.must(w.do(k, id, retention.ProposeDeletion{By: aigul, Reason: "keeping is over"}))
	w.pass(retention.Wait)
	w.must(w.do(k, id, retention.ApproveDeletion{By: bolat}))
}

func (w *world) stage(id ident.CallID) retention.Stage {
	w.t.Helper()
	return w.must(w.keeper().State(w.t.Context(), id)).Stage
}

func TestDeletionDestroysEveryCopyOfTheKeysAndKeepsTheProof(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id, other := w.call(""), w.call("")
	w.approved(k, id)
	k.work(t.Context())
	s := w.must(k.State(t.Context(), id))
	root := strings.Repeat("a", 43) + "="
	if s.Stage != retention.Gone || s.Root != root+" "+root {
		t.Fatalf("%+v", s)
	}
	want := []string{"archive/%s/heads", "archive/%s/proofs", "archive/%s/seal.note", "archive/%s.2/heads", "archive/%s.2/proofs", "archive/%s.2/seal.note",
		"archive/%s/" + verify.DestroyedProof, "archive/%s.2/" + verify.DestroyedProof}
	got := w.files(id)
	for i := range want {
		want[i] = fmt.Sprintf(want[i], id)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("left: %v", got)
	}
	if w.keys(other) != 6 {
		t.Fatal("another call's keys are gone")
	}
	say := slices.Index(w.steps, "say destroy")
	begun := slices.Index(w.steps, "record destroying")
	first := slices.IndexFunc(w.steps, func(s string) bool { return strings.HasPrefix(s, "wipe") })
	if begun < 0 || say < begun || first < say {
		t.Fatal(w.steps)
	}
	var said Line
	for _, l := range w.lines {
		if l.Action == "destroy" {
			said = l
		}
	}
	if f := Facts(said.Action, string(said.Who), said.Detail); Kind(said.Action) != proof.LeafDestroyed || f["by"] != aigul || f["approver"] != bolat || f["root"] != root+" "+root || !strings.Contains(said.Detail, "keeping is over") {
		t.Fatalf("%+v", said)
	}
}

// TestDestructionGoesOnWhereAKillCutItOff kills the process before and after each step, and holds that
// no key is touched before the site's log says so, and that the next start finishes.
func TestDestructionGoesOnWhereAKillCutItOff(t *testing.T) {
	for _, after := range []bool{false, true} {
		for fuse := 1; ; fuse++ {
			w := newWorld(t)
			id := w.call("")
			k := w.keeper()
			w.approved(k, id)
			w.steps, w.fuse, w.after = nil, fuse, after
			k.work(t.Context())
			begun := slices.Contains(w.steps, "say destroy") && slices.Contains(w.steps, "record destroying")
			if touched := w.keys(id) < 6; touched && !begun {
				t.Fatalf("killed at step %d: keys are touched before it was said: %v", fuse, w.steps)
			}
			if w.stage(id) == retention.Gone && w.keys(id) > 0 {
				t.Fatalf("killed at step %d: said to be gone with %d keys", fuse, w.keys(id))
			}
			finished := !w.dead
			w.dead, w.fuse = false, 0
			w.pass(time.Minute)
			w.keeper().Look(t.Context())
			if w.stage(id) != retention.Gone || w.keys(id) != 0 {
				t.Fatalf("killed at step %d (%v): %s with %d keys after the next start: %v", fuse, after, w.stage(id), w.keys(id), w.steps)
			}
			if _, err := os.Stat(filepath.Join(w.root, "archive", string(id), "seal.note")); err != nil {
				t.Fatal(err)
			}
			if finished {
				if fuse < 20 {
					t.Fatalf("only %d steps", fuse)
				}
				break
			}
		}
	}
}

func TestNothingIsDeletedUnderAHold(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	w.pass(31 * 24 * time.Hour)
	w.must(w.do(k, id, retention.PlaceHold{ID: "h1", By: dana, Case: "26-77", Reason: "court order"}))
	k.work(t.Context())
	if !w.holds[id] {
		t.Fatal("the replica does not know of the hold")
	}
	_, err := w.do(k, id, retention.ProposeDeletion{By: aigul, Reason: "r"})
	w.refused(fault.OnHold, err)
	w.must(w.do(k, id, retention.ReleaseHold{ID: "h1", By: dana, Reason: "the case is closed"}))
	k.work(t.Context())
	if w.holds[id] {
		t.Fatal("the replica keeps the hold")
	}
	w.must(w.do(k, id, retention.ProposeDeletion{By: aigul, Reason: "r"}))
	w.pass(retention.Wait)
	w.must(w.do(k, id, retention.ApproveDeletion{By: bolat}))
	w.must(w.do(k, id, retention.PlaceHold{ID: "h2", By: dana, Case: "26-78", Reason: "another order"})) // at the last moment
	w.keeper().Look(t.Context())
	if s := w.must(k.State(t.Context(), id)); s.Stage != retention.Kept || w.keys(id) != 6 {
		t.Fatalf("%s, %d keys", s.Stage, w.keys(id))
	}
}

func TestAHoldThatOnlyTheReplicaKnowsCounts(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	w.approved(k, id)
	w.holds[id] = true
	k.work(t.Context())
	if w.stage(id) != retention.Approved || w.keys(id) != 6 {
		t.Fatal(w.stage(id), w.keys(id))
	}
	w.holds[id] = false
	w.keeper().Look(t.Context())
	if w.stage(id) != retention.Gone {
		t.Fatal(w.stage(id))
	}
}

func TestNobodyDeletesAloneOrEarly(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	_, err := w.do(k, id, retention.ProposeDeletion{By: aigul, Reason: "r"})
	w.refused(fault.RetentionRunning, err)
	w.pass(31 * 24 * time.Hour)
	w.must(w.do(k, id, retention.ProposeDeletion{By: aigul, Reason: "r"}))
	_, err = w.do(k, id, retention.ApproveDeletion{By: bolat})
	w.refused(fault.TooEarly, err)
	w.pass(retention.Wait - time.Second)
	_, err = w.do(k, id, retention.ApproveDeletion{By: bolat})
	w.refused(fault.TooEarly, err)
	w.pass(time.Hour)
	_, err = w.do(k, id, retention.ApproveDeletion{By: aigul})
	w.refused(fault.SecondPerson, err)
	_, err = w.do(k, id, retention.ApproveDeletion{By: retention.Scheduler})
	w.refused(fault.Forbidden, err)
	w.keeper().Look(t.Context())
	if w.stage(id) != retention.Proposed || w.keys(id) != 6 {
		t.Fatal(w.stage(id), w.keys(id))
	}
	var refused []string
	for _, l := range w.lines {
		if strings.HasSuffix(l.Action, " refused") {
			refused = append(refused, l.Action+": "+l.Detail)
		}
	}
	if len(refused) != 4 || refused[0] != "delete.request refused: retention_running · r" { // the scheduler is nobody
		t.Fatalf("%q", refused)
	}
}

// TestAHostClockSetForwardExpiresNothing sets the host's clock ahead, at every step of the way.
func TestAHostClockSetForwardExpiresNothing(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	w.keeper().Look(t.Context()) // it begins under true clocks
	w.host = w.host.AddDate(20, 0, 0)
	_, err := w.do(k, id, retention.ProposeDeletion{By: aigul, Reason: "r"})
	w.refused(fault.ClockUnsure, err)
	w.host = w.log
	w.pass(31 * 24 * time.Hour)
	w.must(w.do(k, id, retention.ProposeDeletion{By: aigul, Reason: "r"}))
	w.host = w.host.AddDate(0, 0, 4)
	_, err = w.do(k, id, retention.ApproveDeletion{By: bolat})
	w.refused(fault.ClockUnsure, err)
	w.host = w.log
	w.pass(retention.Wait)
	w.must(w.do(k, id, retention.ApproveDeletion{By: bolat}))
	w.host = w.host.Add(time.Hour)
	k.work(t.Context())
	if w.stage(id) != retention.Approved || w.keys(id) != 6 {
		t.Fatal(w.stage(id), w.keys(id))
	}
	w.host = w.log
	k.Look(t.Context())
	if w.stage(id) != retention.Gone {
		t.Fatal(w.stage(id))
	}
}

func TestKeysThatCannotBeDestroyedYetAreTriedAgain(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	w.approved(k, id)
	w.left = 1
	k.work(t.Context())
	if w.stage(id) != retention.Destroying {
		t.Fatal(w.stage(id))
	}
	_, err := w.do(k, id, retention.PlaceHold{ID: "late", By: dana, Case: "c", Reason: "r"})
	w.refused(fault.BeingDestroyed, err)
	w.refused(fault.Destroyed, k.Gone(t.Context(), id))
	w.left = 0
	k.work(t.Context())
	if w.stage(id) != retention.Gone {
		t.Fatal(w.stage(id))
	}
	said := 0
	for _, l := range w.lines {
		if l.Action == "destroy" {
			said++
		}
	}
	if said != 1 {
		t.Fatalf("one life said %d times that it destroys", said)
	}
}

func TestKeysThatComeBackAreDestroyedAgain(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	w.approved(k, id)
	k.work(t.Context())
	w.write("archive/"+string(id)+"/kek-0011.age", "from a backup")
	w.write("keystore/"+string(id)+".2/kek-0022.age", "from a backup")
	w.keeper().Look(t.Context())
	if w.keys(id) != 0 {
		t.Fatal(w.files(id))
	}
}

func TestOnlyTheNodeThatHasAnArchiveDestroysIt(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	w.approved(k, id)
	w.elsewhere = true
	k.work(t.Context())
	if w.stage(id) != retention.Approved {
		t.Fatal(w.stage(id))
	}
}

func TestAnArchiveThatIsNotSealedIsNotDestroyed(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	if err := os.Remove(filepath.Join(w.root, "archive", string(id)+".2", "seal.note")); err != nil {
		t.Fatal(err)
	}
	w.approved(k, id)
	k.work(t.Context())
	if w.stage(id) != retention.Approved || w.keys(id) != 6 {
		t.Fatal(w.stage(id))
	}
}

func TestWithoutTheLogNothingIsDone(t *testing.T) {
	w := newWorld(t)
	id := w.call("")
	k := w.keeper()
	k.Look(t.Context())
	w.fuse = 1
	_, err := w.do(k, id, retention.PlaceHold{ID: "h", By: dana, Case: "c", Reason: "r"})
	w.refused(fault.Unavailable, err)
	w.dead = false
	if s := w.must(k.State(t.Context(), id)); s.Held() {
		t.Fatal("a hold that nobody was told of")
	}
}

func TestAClassMayKeepItsSegments(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("false") // kept as normal until a second person agrees
	k.Look(t.Context())
	s := w.must(k.State(t.Context(), id))
	if s.Class != "normal" || s.Shorter == nil || s.Shorter.By != dana {
		t.Fatalf("%+v", s)
	}
	w.must(w.do(k, id, retention.ConfirmShortening{By: aigul, Until: s.Shorter.Until}))
	w.approved(k, id)
	k.work(t.Context())
	if w.stage(id) != retention.Gone || !slices.Contains(w.files(id), "archive/"+string(id)+"/00000.evr") {
		t.Fatal(w.stage(id), w.files(id))
	}
}

func TestEveryEndedCallBegins(t *testing.T) {
	w := newWorld(t)
	id, crime := w.call(""), w.call("theft")
	for range 2 {
		w.keeper().Look(t.Context())
	}
	if s := w.must(w.keeper().State(t.Context(), id)); s.Stage != retention.Kept || s.Class != "normal" || !s.Until.Equal(t0.AddDate(0, 0, 30)) {
		t.Fatalf("%+v", s)
	}
	if s := w.must(w.keeper().State(t.Context(), crime)); s.Version != 1 || s.Class != "crime" || !s.Until.Equal(t0.AddDate(10, 0, 0)) {
		t.Fatalf("%+v", s)
	}
	if !w.locked[crime].IsZero() {
		t.Fatal("a look does not lock")
	}
}

func TestTheGatewayItselfAsksWhereTheSiteWantsIt(t *testing.T) {
	w := newWorld(t)
	id, held := w.call(""), w.call("")
	k := w.keeper()
	k.cfg.Propose = true
	k.Look(t.Context())
	w.must(w.do(k, held, retention.PlaceHold{ID: "h", By: dana, Case: "c", Reason: "r"}))
	w.pass(29 * 24 * time.Hour)
	k.Look(t.Context())
	if w.stage(id) != retention.Kept {
		t.Fatal(w.stage(id))
	}
	w.pass(2 * 24 * time.Hour)
	k.Look(t.Context())
	if w.stage(id) != retention.Proposed || w.stage(held) != retention.Kept {
		t.Fatal(w.stage(id), w.stage(held))
	}
}

func TestTwoPeopleAtOnceAreOneAfterTheOther(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	id := w.call("")
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = k.Do(t.Context(), id, retention.PlaceHold{ID: retention.HoldID(fmt.Sprint(i)), By: dana, Case: "c", Reason: "r"})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if s := w.must(k.State(t.Context(), id)); len(s.Holds) != 4 {
		t.Fatalf("%+v", s.Holds)
	}
	if _, err := k.Do(t.Context(), ident.New[ident.CallID](), retention.ApproveDeletion{By: dana}); fault.CodeOf(err) != fault.NoSuchCall {
		t.Fatal(err)
	}
}
