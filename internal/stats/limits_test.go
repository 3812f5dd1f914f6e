package stats

import (
	"errors"
	"math"
	"reflect"
	"testing"
)

func TestLimitsAreChangedOneByOneWithTheirHistory(t *testing.T) {
	var l Limits
	if !reflect.DeepEqual(l.All(), usual) {
		t.Fatal("the zero value has not the usual ones")
	}
	for _, key := range LimitKeys() {
		if _, ok := usual[key]; !ok {
			t.Error(key)
		}
	}
	if len(LimitKeys()) != len(usual) {
		t.Error("a limit is not in the list of keys")
	}
	one, err := l.Change(0, Change{By: "a", Key: "queue", After: Limit{Warn: 4, Bad: 8, Below: true}})
	if err != nil || one.All()["queue"] != (Limit{Warn: 4, Bad: 8}) || one.Changes[0].Before != usual["queue"] || one.Rev != 1 {
		t.Fatal(one, err)
	}
	if _, err := one.Change(0, Change{By: "b", Key: "ready", After: Limit{Warn: 3, Bad: 1}}); !errors.Is(err, ErrStale) {
		t.Fatal("two who change at once both win:", err)
	}
	two, err := one.Change(1, Change{By: "b", Key: "ready", After: Limit{Warn: 3, Bad: 1}})
	if err != nil || !two.All()["ready"].Below || len(two.Changes) != 2 || len(one.Changes) != 1 || len(one.Set) != 1 {
		t.Fatal(two, one, err)
	}
	for range MaxChanges + 5 {
		if two, err = two.Change(two.Rev, Change{Key: "queue", After: Limit{Warn: 1, Bad: 2}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(two.Changes) != MaxChanges || two.Rev != MaxChanges+7 {
		t.Fatal(len(two.Changes), two.Rev)
	}
	if len(usual) != 11 || usual["queue"].Warn != 3 {
		t.Fatal("a change reached the usual ones")
	}
}

func TestALimitThatMeansNothingIsRefused(t *testing.T) {
	for _, c := range []Change{
		{Key: "talking", After: Limit{Warn: 1, Bad: 2}}, {Key: "", After: Limit{Warn: 1, Bad: 2}}, {Key: "queue", After: Limit{Warn: 5, Bad: 3}},
		{Key: "ready", After: Limit{Warn: 1, Bad: 3}}, {Key: "queue", After: Limit{Warn: -1, Bad: 3}}, {Key: "queue", After: Limit{Warn: 1, Bad: math.Inf(1)}},
		{Key: "queue", After: Limit{Warn: math.NaN(), Bad: 1}}, {Key: "replied", After: Limit{Warn: 95, Bad: 90}},
	} {
		if l, err := (Limits{}).Change(0, c); !errors.Is(err, ErrLimit) || l.Rev != 0 {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
