package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jedel/cmd/callbot/watch"
)

func TestMetricsAreReadWholeOrNotAtAll(t *testing.T) {
	whole := "# HELP x y\nprocess_cpu_seconds_total 1.5\nprocess_resident_memory_bytes 1.048576e+06\n" +
		"jedel_media_packets_received_total 7\njedel_media_packets_forwarded_total 9\nother{a=\"b\"} 3\n"
	s, err := parse(strings.NewReader(whole), time.Unix(5, 0))
	if err != nil || s.CPU != 1.5 || s.Resident != 1<<20 || s.Received != 7 || s.Forwarded != 9 {
		t.Fatalf("%+v %v", s, err)
	}
	for _, bad := range []string{"", strings.Replace(whole, "1.5", "many", 1), strings.Replace(whole, "process_cpu", "cpu", 1)} {
		if _, err := parse(strings.NewReader(bad), time.Unix(5, 0)); err == nil {
			t.Errorf("taken: %q", bad)
		}
	}
}

func TestStaffFilesAreReadStrictly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "staff")
	write := func(text string) loadCmd {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return loadCmd{Staff: file}
	}
	all, err := write("one secret\ntwo more words\n").staff()
	if err != nil || len(all) != 2 || all[1] != (account{"two", "more words"}) {
		t.Fatal(all, err)
	}
	for _, bad := range []string{"", "alone\n"} {
		if all, err := write(bad).staff(); err == nil {
			t.Errorf("%q gave %v", bad, all)
		}
	}
}

func TestAReportShowsWhatWasBroken(t *testing.T) {
	var b strings.Builder
	r := watch.Report{Violations: []watch.Violation{{Kind: watch.LostCall, Call: "c1", Text: "gone"}}, Errors: []string{"caller: no line"}}
	if err := show(&b, r, false); err != nil || !strings.Contains(b.String(), "BROKEN     lost_call: call c1: gone") || !strings.Contains(b.String(), "no line") {
		t.Fatal(b.String(), err)
	}
}
