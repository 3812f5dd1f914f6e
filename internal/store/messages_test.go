package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"jedel/internal/ident"
)

func newMessage(id, citizen string) Message {
	return Message{
		ID: id, Case: "case-1", Citizen: citizen, Phone: "+77015551212", Kind: "closed", Body: []byte(`{"text":"Абай"}`), Made: t0,
		MessageState: MessageState{Stage: "queued", At: t0, Due: t0},
	}
}

// grown is m one record further.
func grown(m Message) Message {
	m.Version++
	m.Stage, m.At, m.Channel, m.Due = "sending", t0.Add(time.Second), "sms", t0.Add(time.Hour)
	return m
}

func TestAMessageIsKeptOnceAndGrowsByRecords(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		m := newMessage("m1", "c1")
		for _, want := range []bool{true, false} {
			if added, err := db.AddMessage(t.Context(), m); err != nil || added != want {
				t.Fatal(added, err)
			}
		}
		must(t, db.AppendMessage(t.Context(), grown(m), []byte(`{"n":1}`), nil))
		for _, version := range []uint64{1, 3} {
			late := grown(m)
			late.Version = version
			if err := db.AppendMessage(t.Context(), late, []byte(`{}`), nil); !errors.Is(err, ErrConflict) {
				t.Fatal(version, err)
			}
		}
		if err := db.AppendMessage(t.Context(), m, nil, nil); err == nil {
			t.Fatal("a record without a version was taken")
		}
		list, err := db.OpenMessages(t.Context(), "c1")
		if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0].Message, grown(m)) || len(list[0].Records) != 1 || string(list[0].Records[0]) != `{"n":1}` {
			t.Fatalf("%+v %v", list, err)
		}
		end := grown(grown(m))
		end.Stage, end.Ended, end.Phone, end.Body = "delivered", true, "", []byte(`{}`)
		must(t, db.AppendMessage(t.Context(), end, []byte(`{"n":2}`), nil))
		if list, err := db.OpenMessages(t.Context(), "c1"); err != nil || len(list) != 0 {
			t.Fatal(list, err)
		}
		got, err := db.LoadMessage(t.Context(), "m1")
		if err != nil || !reflect.DeepEqual(got.Message, end) || len(got.Records) != 2 {
			t.Fatalf("%+v %v", got, err)
		}
		if _, err := db.LoadMessage(t.Context(), "m2"); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		all, err := db.CaseMessages(t.Context(), "case-1")
		if err != nil || len(all) != 1 || all[0].Stage != "delivered" {
			t.Fatal(all, err)
		}
	})
}

func TestOneOfManySendersBeginsAnAttempt(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		m := newMessage("m1", "c1")
		_, err := db.AddMessage(t.Context(), m)
		must(t, err)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { errs[i] = db.AppendMessage(t.Context(), grown(m), []byte(`{}`), nil) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, ErrConflict) {
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d began the same attempt", won)
		}
	})
}

func TestCitizensAreDueByTheirOldestMessage(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		for i, due := range []time.Duration{3, 1, 2, 9, 0} {
			m := newMessage(fmt.Sprint("m", i), fmt.Sprint("c", i%4))
			m.Due = t0.Add(due * time.Minute)
			_, err := db.AddMessage(t.Context(), m)
			must(t, err)
		}
		list, next, err := db.DueCitizens(t.Context(), t0.Add(3*time.Minute), 10)
		if err != nil || !slices.Equal(list, []string{"c0", "c1", "c2"}) || !next.Equal(t0.Add(9*time.Minute)) {
			t.Fatal(list, next, err)
		}
		if list, _, err := db.DueCitizens(t.Context(), t0.Add(3*time.Minute), 2); err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		box, err := db.OpenMessages(t.Context(), "c0")
		if err != nil || len(box) != 2 || box[0].ID != "m0" || box[1].ID != "m4" {
			t.Fatal(box, err)
		}
		must(t, db.AppendMessage(t.Context(), grown(box[1].Message), []byte(`{}`), nil))
		must(t, db.PostponeMessages(t.Context(), []Message{box[0].Message, box[1].Message}, t0.Add(5*time.Minute)))
		after, err := db.OpenMessages(t.Context(), "c0")
		if err != nil || !after[0].Due.Equal(t0.Add(5*time.Minute)) || !after[1].Due.Equal(t0.Add(time.Hour)) {
			t.Fatal("what somebody else had changed was put off", after, err)
		}
		if n, oldest, err := db.WaitingMessages(t.Context()); err != nil || n != 5 || !oldest.Equal(t0) {
			t.Fatal(n, oldest, err)
		}
	})
}

func TestACitizenHasSoManyMessagesAtMost(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		for i := range MaxOpenMessages {
			if added, err := db.AddMessage(t.Context(), newMessage(fmt.Sprint("m", i), "c1")); err != nil || !added {
				t.Fatal(i, err)
			}
		}
		if _, err := db.AddMessage(t.Context(), newMessage("more", "c1")); !errors.Is(err, ErrTooMany) {
			t.Fatal(err)
		}
		if added, err := db.AddMessage(t.Context(), newMessage("m1", "c1")); err != nil || added {
			t.Fatal("one that is there is refused", err)
		}
		if added, err := db.AddMessage(t.Context(), newMessage("other", "c2")); err != nil || !added {
			t.Fatal(err)
		}
		if _, err := db.LoadMessage(t.Context(), "more"); !errors.Is(err, ErrNotFound) {
			t.Fatal("it was kept", err)
		}
	})
}

func TestReportsFindTheirMessageWhicheverComesFirst(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		m := newMessage("m1", "c1")
		_, err := db.AddMessage(t.Context(), m)
		must(t, err)
		if list, err := db.PutReport(t.Context(), Receipt{Channel: "sms", ID: "b", Report: 1}, t0); err != nil || len(list) != 0 {
			t.Fatal("a report of what is not known here", list, err)
		}
		must(t, db.AppendMessage(t.Context(), grown(m), []byte(`{}`), []Receipt{{Channel: "sms", ID: "a", Attempt: 1}, {Channel: "sms", ID: "b", Attempt: 1}}))
		parts, err := db.Parts(t.Context(), "m1", 1)
		want := []Receipt{{"sms", "a", "m1", 1, 0}, {"sms", "b", "m1", 1, 1}}
		if err != nil || !slices.Equal(parts, want) {
			t.Fatal(parts, err)
		}
		want[0].Report = 2
		for range 2 { // told again, and told otherwise
			if parts, err = db.PutReport(t.Context(), Receipt{Channel: "sms", ID: "a", Report: 2}, t0); err != nil || !slices.Equal(parts, want) {
				t.Fatal(parts, err)
			}
			_, err = db.PutReport(t.Context(), Receipt{Channel: "sms", ID: "a", Report: 1}, t0)
			must(t, err)
		}
		stranger := newMessage("m2", "c2")
		_, err = db.AddMessage(t.Context(), stranger)
		must(t, err)
		must(t, db.AppendMessage(t.Context(), grown(stranger), []byte(`{}`), []Receipt{{Channel: "sms", ID: "a", Attempt: 1}}))
		if parts, err = db.Parts(t.Context(), "m1", 1); err != nil || !slices.Equal(parts, want) {
			t.Fatal("a name that came twice moved a report", parts, err)
		}
		must(t, db.ForgetReceipts(t.Context(), t0.Add(500*time.Millisecond))) // b was reported at t0
		if parts, err = db.Parts(t.Context(), "m1", 1); err != nil || len(parts) != 1 || parts[0].ID != "a" {
			t.Fatal(parts, err)
		}
		must(t, db.ForgetMessages(t.Context(), "case-1"))
		if all, err := db.CaseMessages(t.Context(), "case-1"); err != nil || len(all) != 0 {
			t.Fatal(all, err)
		}
	})
}

func TestPushSubscriptionsAreBoundedAndEnd(t *testing.T) {
	forEachStore(t, func(t *testing.T, db *DB) {
		caller := ident.New[ident.CallerID]()
		who := CallerCitizen(caller)
		put := func(citizen string, n int) {
			t.Helper()
			must(t, db.PutPushSubscription(t.Context(), PushSubscription{citizen, fmt.Sprint("https://push/", n), "key", "auth", t0.Add(time.Duration(n) * time.Second)}))
		}
		for n := range MaxPushSubscriptions + 2 {
			put(who, n)
		}
		put(who, 6)
		list, err := db.PushSubscriptions(t.Context(), who)
		if err != nil || len(list) != MaxPushSubscriptions || list[0].Endpoint != "https://push/6" || list[4].Endpoint != "https://push/2" || list[0].P256dh != "key" || list[0].Auth != "auth" {
			t.Fatal(list, err)
		}
		put("other", 6)
		must(t, db.DeletePushSubscription(t.Context(), "other", "https://push/5"))
		must(t, db.DeletePushSubscription(t.Context(), who, "https://push/5"))
		must(t, db.DeletePushSubscription(t.Context(), "", "https://push/6"))
		list, err = db.PushSubscriptions(t.Context(), who)
		if err != nil || len(list) != 3 {
			t.Fatal(list, err)
		}
		if list, err := db.PushSubscriptions(t.Context(), "other"); err != nil || len(list) != 0 {
			t.Fatal(list, err)
		}
		must(t, db.DeleteCaller(t.Context(), caller))
		if list, err := db.PushSubscriptions(t.Context(), who); err != nil || len(list) != 0 {
			t.Fatal("a registration that was forgotten still gets notices", list, err)
		}
	})
}
