package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"jedel/cmd/callbot/watch"
)

// show prints a report.
func show(w io.Writer, r watch.Report, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	var b strings.Builder
	c := r.Calls
	fmt.Fprintf(&b, "calls      %d tapped, %d confirmed, %d rang, %d answered, %d ended; chat lines %d said, %d shown; bots failed %d\n",
		c.Tapped, c.Created, c.Offered, c.Answered, c.Ended, c.ChatSaid, c.ChatRead, c.Failed)
	fmt.Fprintf(&b, "%-44s %6s %8s %8s %8s\n", "milliseconds", "n", "p50", "p95", "max")
	for _, f := range []struct {
		name string
		f    watch.Figure
	}{
		{"tap -> confirmed", r.Millis.TapToCreated}, {"tap -> rings at the console (goal 300)", r.Millis.TapToRinging},
		{"answer -> confirmed", r.Millis.AcceptToOK}, {"answer -> operator hears the caller (goal 100)", r.Millis.AcceptToAudio},
		{"answer -> operator sees the caller", r.Millis.AcceptToPicture}, {"answer -> caller hears the operator", r.Millis.AcceptToCallerAudio},
		{"line set-up", r.Millis.SocketSetUp}, {"media set-up, before the tap", r.Millis.MediaSetUp},
	} {
		if f.f.N > 0 {
			fmt.Fprintf(&b, "%-44s %6d %8.2f %8.2f %8.2f\n", f.name, f.f.N, f.f.P50, f.f.P95, f.f.Max)
		}
	}
	roles := make([]string, 0, len(r.Legs))
	for role := range r.Legs {
		roles = append(roles, role)
	}
	slices.Sort(roles)
	for _, role := range roles {
		l := r.Legs[role]
		for _, leg := range []struct {
			name string
			leg  watch.Leg
		}{{"audio sent", l.AudioSent}, {"video sent", l.VideoSent}, {"audio received", l.AudioReceived}, {"video received", l.VideoReceived}} {
			if leg.leg.Packets > 0 {
				fmt.Fprintf(&b, "%-8s %-16s %9d packets, %d lost\n", role, leg.name, leg.leg.Packets, leg.leg.Lost)
			}
		}
	}
	if s := r.Steady; s != nil {
		fmt.Fprintf(&b, "steady     %d calls for %.0f s: %.0f packets/s in, %.0f relayed; %.1f µs of processor a relayed packet, %.0f %% of one core; %.0f MiB resident (%.0f before)\n",
			s.Calls, s.Seconds, s.Received, s.Forwarded, s.CPUMicros, 100*s.CPUShare, s.ResidentMiB, s.ResidentAtOne)
	}
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "failed     %s\n", e)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "BROKEN     %s: call %s: %s\n", v.Kind, v.Call, v.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
