package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"jedel/cmd/callbot/centre"
	"jedel/cmd/callbot/day"
)

// centreCmd plays a whole city.
type centreCmd struct {
	URL            string    `arg:"" help:"Address of a gateway with demo accounts, http or https."`
	Speed          float64   `default:"1" help:"How much faster than the clock things happen."`
	Minutes        float64   `default:"0" help:"Minutes of the clock after which everybody goes home; 0: at Ctrl+C."`
	CallsPerHour   float64   `default:"20" help:"Mean over a week; the evening has more, the night less. The founding case has 5."`
	ReportsPerHour float64   `default:"40" help:"The same of reports; the founding case has 120."`
	Patrols        int       `default:"6" help:"patrol1 to patrol6."`
	Cameras        int       `default:"4" help:"RTSP cameras, those of configs/demo.yaml. Need ffmpeg."`
	CameraListen   string    `default:"127.0.0.1:8554" help:"host:port of theirs."`
	Operators      int       `default:"0" help:"Bots that answer calls and work through reports, up to 3; 0: you are the operator."`
	Dispatcher     bool      `help:"A bot sends the patrols and closes cases."`
	Scene          string    `help:"Show one thing instead of a day: fight, accident, flood-of-calls, same-fire-10-reports, lost-skier, silent-caller." default:""`
	Seed           uint64    `help:"The same seed and --from make the same day; 0: another one each time."`
	From           time.Time `help:"When the day begins (RFC 3339); now where it is missing."`
	Password       string    `default:"jedel-demo" env:"CALLBOT_PASSWORD" help:"Of the demo accounts."`
	JSON           bool      `name:"json" help:"Print the summary as JSON; the events go to the error output."`
}

// Run plays until interrupted.
func (c centreCmd) Run(ctx context.Context) error {
	if c.Seed == 0 {
		c.Seed = rand.Uint64N(1 << 40)
	}
	if c.From.IsZero() {
		c.From = time.Now()
	}
	events := io.Writer(os.Stdout)
	if c.JSON {
		events = os.Stderr
	}
	fmt.Fprintf(events, "seed %d, from %s\n", c.Seed, c.From.In(day.Zone()).Format(time.RFC3339))
	sum, err := centre.Run(ctx, centre.Config{
		URL: site(c.URL), Speed: c.Speed, For: time.Duration(c.Minutes * float64(time.Minute)), Rates: day.Rates{CallsPerHour: c.CallsPerHour, ReportsPerHour: c.ReportsPerHour},
		Scene: c.Scene, From: c.From, Seed: c.Seed, Patrols: c.Patrols, Operators: c.Operators, Dispatcher: c.Dispatcher, Cameras: c.Cameras, CameraAddr: c.CameraListen,
		Password: c.Password, Say: func(e centre.Event) {
			fmt.Fprintf(events, "%8.1f  %-12s %s\n", e.At.Seconds(), e.Who, e.What)
		},
	})
	if err != nil {
		return err
	}
	if err := showCentre(os.Stdout, sum, c.JSON); err != nil {
		return err
	}
	if len(sum.Violations) > 0 || len(sum.Errors) > 0 {
		return errBroken
	}
	return nil
}

// showCentre prints what a centre came to.
func showCentre(w io.Writer, s centre.Summary, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(s)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%.0f s\n", s.Seconds)
	c, r, p, k := s.Calls, s.Reports, s.Patrols, s.Cases
	fmt.Fprintf(&b, "calls      %d made, %d answered by bots, %d ended; %d callers gave up, %d called again\n", c.Created, c.Answered, c.Ended, s.GaveUp, s.CalledBack)
	fmt.Fprintf(&b, "reports    %d registered, %d refused; files %d taken, %d not; %d replies read, %d reopened\n", r.Registered, r.Refused, r.Files, r.FilesRefused, r.Replied, r.Reopened)
	fmt.Fprintf(&b, "patrols    %d on duty; tasks %d accepted, %d declined, %d arrived, %d cleared; %d calls joined, %d times without network, %d photos\n",
		p.OnDuty, p.Accepted, p.Declined, p.OnScene, p.Cleared, p.Joined, p.Offline, p.Photos)
	fmt.Fprintf(&b, "desk       %d classified, %d merged, %d patrols sent, %d closed\n", k.Classified, k.Merged, k.Sent, k.Closed)
	if s.Skipped > 0 {
		fmt.Fprintf(&b, "skipped    %d: more at once than one machine plays\n", s.Skipped)
	}
	for _, e := range s.Errors {
		fmt.Fprintf(&b, "failed     %s\n", e)
	}
	for _, v := range s.Violations {
		fmt.Fprintf(&b, "BROKEN     %s: call %s: %s\n", v.Kind, v.Call, v.Text)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
