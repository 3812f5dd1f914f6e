package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Text writes the report for people: one page, each level a line of its own.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Call      %s %s\n", r.Call, r.Number)
	fmt.Fprintf(&b, "Opened    %s, recorded until %.3f s\n", r.Opened, r.Seconds)
	sealed := "no: running, or left by a crash"
	if r.Sealed {
		sealed = "yes"
	}
	fmt.Fprintf(&b, "Sealed    %s\n", sealed)
	fmt.Fprintf(&b, "Tree      %d leaves, root %s\n\n", r.Leaves, r.Root)
	for _, l := range r.Levels {
		fmt.Fprintf(&b, "%s  %-11s %s\n", l.Level, outcome(l.State), l.Text)
		if l.Fault == nil {
			continue
		}
		for _, f := range append([]Fault{*l.Fault}, l.More[:min(len(l.More), 4)]...) {
			fmt.Fprintf(&b, "                %s, second %.3f: %s\n", f.Name, f.Second, f.What)
		}
		if n := len(l.More) - 4; n > 0 {
			fmt.Fprintf(&b, "                and %d more\n", n)
		}
	}
	if len(r.Findings) == 0 {
		b.WriteString("V6  nothing     No restart, no gap that the recorder tells of, nothing dropped.\n")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "V6  found       %s\n", f.Text)
	}
	for _, a := range r.Arrivals {
		fmt.Fprintf(&b, "V6  arrived     %s\n", a.text())
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func outcome(s State) string {
	return map[State]string{Passed: "passed", Failed: "FAILED", Partial: "in part", NotChecked: "not checked", Absent: "none"}[s]
}
