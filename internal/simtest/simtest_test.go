package simtest

import (
	"testing"
)

func TestServersStartStopAndStartAgain(t *testing.T) {
	if testing.Short() {
		t.Log("short: real servers are left to the full run")
		return
	}
	r := NewRedis(t)
	r.Stop(t)
	if r.answers() {
		t.Fatal("a stopped Redis answers")
	}
	r.Start(t)
	if !r.answers() {
		t.Fatal("a started Redis does not answer")
	}
	p := NewPostgres(t)
	first := p.Database(t)
	if err := p.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if second := p.Database(t); second == first {
		t.Fatalf("%s twice", second)
	}
}
