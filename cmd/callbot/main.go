// Command callbot is a scripted client of the public protocol: one caller, one operator, a whole city, a load of
// both, or a load under faults. It knows of the gateway what docs/PROTOCOL.md tells and no more.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"jedel/cmd/callbot/bot"
	"jedel/cmd/callbot/clip"
	"jedel/cmd/callbot/watch"
	"jedel/signaling/wire"

	"github.com/alecthomas/kong"
)

// program is the command line.
type program struct {
	Call    callCmd    `cmd:"" help:"Make one call and say what happens."`
	Operate operateCmd `cmd:"" help:"Be an operator who takes every call, until interrupted."`
	Load    loadCmd    `cmd:"" help:"Make many calls with as many operators as are needed; print figures. Exit code 3: a promise was broken or a bot failed."`
	Media   mediaCmd   `cmd:"" help:"Fill a gateway with media, many calls both ways at little cost here, and print what it costs there and how late it comes."`
	Centre  centreCmd  `cmd:"" help:"Play a whole city in Petropavl against a demo gateway: callers, reports, patrols, cameras, where wanted operators and a dispatcher, until interrupted."`
	Cameras camerasCmd `cmd:"" help:"Be RTSP cameras with moving test pictures, until interrupted. Needs ffmpeg."`
	SOS     sosCmd     `cmd:"" name:"sos" help:"Call by single datagrams."`
	Drill   drillCmd   `cmd:"" help:"A load during which a command harms the gateway again and again; then say which promises were broken."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var p program
	k := kong.Parse(&p, kong.Name("callbot"), kong.Description("Callers and operators for trying a gateway."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	switch err := k.Run(); {
	case errors.Is(err, errBroken):
		os.Exit(3)
	case err != nil:
		fmt.Fprintln(os.Stderr, "callbot:", err)
		os.Exit(1)
	}
}

// callCmd is one caller.
type callCmd struct {
	URL   string        `arg:"" help:"Address of the site, http or https."`
	Video bool          `help:"Send pictures too."`
	Talk  time.Duration `default:"10s" help:"From the answer to hanging up."`
	Wait  time.Duration `default:"2m" help:"The longest wait for an answer."`
	Text  string        `help:"A chat line to say at once."`
	Lat   float64       `default:"54.8753" help:"Where the caller is, degrees."`
	Lon   float64       `default:"69.1628" help:"Where the caller is, degrees."`
}

// Run makes the call.
func (c callCmd) Run(ctx context.Context) error {
	media, err := clip.Embedded()
	if err != nil {
		return err
	}
	return bot.Caller{
		Config: bot.Config{URL: site(c.URL), Clip: media, See: tell(os.Stdout)},
		Kind:   kind(c.Video), Talk: c.Talk, Patience: c.Wait, Lat: c.Lat, Lon: c.Lon, Text: c.Text,
	}.Run(ctx)
}

// operateCmd is one operator.
type operateCmd struct {
	URL      string        `arg:"" help:"Address of the site, http or https."`
	Login    string        `default:"operator" help:"Account."`
	Password string        `default:"jedel-demo" env:"CALLBOT_PASSWORD" help:"Its password."`
	Answer   time.Duration `default:"1s" help:"From the ring to the answer."`
	Video    bool          `help:"Show a picture to callers."`
}

// Run works until interrupted.
func (c operateCmd) Run(ctx context.Context) error {
	media, err := clip.Embedded()
	if err != nil {
		return err
	}
	err = bot.Operator{
		Config: bot.Config{URL: site(c.URL), Clip: media, See: tell(os.Stdout)},
		Login:  c.Login, Password: c.Password, Answer: c.Answer, Video: c.Video,
	}.Run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func site(url string) string { return strings.TrimRight(url, "/") }

func kind(video bool) wire.CallKind {
	if video {
		return wire.KindVideo
	}
	return wire.KindVoice
}

// tell prints events for people, one a line.
func tell(w io.Writer) func(watch.Event) {
	began := time.Now()
	return func(e watch.Event) {
		fmt.Fprintf(w, "%7.3f %s %+v\n", time.Since(began).Seconds(), strings.TrimPrefix(fmt.Sprintf("%T", e), "watch."), e)
	}
}
