package recorder

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"jedel/internal/ident"
	"jedel/recorder/disk"
	"jedel/recorder/ladder"
	"jedel/recorder/verify"
)

func TestCallsGoToTheSecondVolumeWhileTheFirstIsNearlyFull(t *testing.T) {
	dir, second := t.TempDir(), t.TempDir()
	cfg := config(dir)
	cfg.Second = second
	r, stop := run(t, cfg)
	opened := time.Now()
	call := func(n int) ident.CallID {
		id := ident.New[ident.CallID]()
		a := start(t, r, id, opened)
		a.OpenStream(StreamInfo{Role: "caller", Kind: "audio"}).RTP(time.Now(), packet(n), false)
		if err := a.Seal(t.Context(), SealInfo{Ended: time.Now(), Cause: "caller"}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	here := call(1)
	r.space.Store(int32(ladder.Elsewhere))
	there := call(2)
	stop()
	if _, err := os.Stat(filepath.Join(second, Dir(here, opened))); err == nil {
		t.Error("the first call went to the second volume")
	}
	if _, err := os.Stat(filepath.Join(second, Dir(there, opened), "00000.evr")); err != nil {
		t.Error(err)
	}
	for _, id := range []ident.CallID{here, there} { // both are found where calls are looked for
		part := os.DirFS(filepath.Join(dir, Dir(id, opened)))
		rep, err := verify.Dir(part, verify.Options{Keys: []string{r.Key()}, Ring: ring(t, part)})
		if err != nil || rep.Exit > verify.ExitPartial {
			t.Fatal(err, rep)
		}
	}
	r, _ = run(t, config(dir))
	if left := r.Unsealed(); len(left) != 0 {
		t.Error("sealed calls are taken for open ones:", left)
	}
}

func TestTheBallastIsHeldAndGivenBack(t *testing.T) {
	dir := t.TempDir()
	d := disk.OS{Root: dir}
	if err := d.Ballast(1 << 20); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, "ballast"))
	if err != nil || st.Size() != 1<<20 || st.Sys().(*syscall.Stat_t).Blocks*512 < 1<<20 {
		t.Fatal("no room is held", err)
	}
	for range 2 {
		if err := d.Ballast(0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ballast")); err == nil {
		t.Fatal("it was not given back")
	}
	if err := d.Ballast(1 << 60); err == nil {
		t.Fatal("more room was held than there is")
	}
	if _, err := os.Stat(filepath.Join(dir, "ballast")); err == nil {
		t.Fatal("a failed attempt was left")
	}
}

func TestASetClockIsTold(t *testing.T) {
	for _, c := range []struct {
		wall, mono time.Duration
		step       time.Duration
		set        bool
	}{
		{time.Second, time.Second, 0, false}, {time.Second + 50*time.Millisecond, time.Second, 50 * time.Millisecond, false},
		{time.Hour + time.Second, time.Second, time.Hour, true}, {-time.Hour, time.Second, -time.Hour - time.Second, true},
	} {
		if step, set := stepped(c.wall, c.mono); step != c.step || set != c.set {
			t.Errorf("%v: %v %v", c, step, set)
		}
	}
	if s := readClock(); s.MaxErrUs < 0 {
		t.Error(s)
	}
}
