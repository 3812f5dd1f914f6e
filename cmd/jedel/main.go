// Command jedel is the gateway and its tools: serve, staff, evidence, witness, broker, notify, tips, config, licences, version.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "unknown"

// program is the command line.
type program struct {
	Serve    serveCmd    `cmd:"" help:"Run the gateway."`
	Staff    staffCmd    `cmd:"" help:"Accounts of operators, supervisors, investigators and administrators."`
	Evidence evidenceCmd `cmd:"" help:"List, fetch, verify and play recorded calls."`
	Witness  witnessCmd  `cmd:"" help:"Witness the site logs of gateways, on a second machine in other hands: sign what follows on all that was seen before, refuse what does not."`
	Broker   brokerCmd   `cmd:"" help:"Hold the key that opens recordings, and give a call's keys to the gateway for statements of the site's log only. The gateway starts one itself unless evidence.broker names a socket."`
	Keys     keysCmd     `cmd:"" help:"Make, add, rotate and try out the keys of recordings."`
	Preview  previewCmd  `cmd:"" hidden:"" help:"Draw a small picture of what stands on the standard input."`
	Geo      geoCmd      `cmd:"" help:"Addresses and roads from a map: import it, ask it."`
	Notify   notifyCmd   `cmd:"" help:"Messages to citizens."`
	Tips     tipsCmd     `cmd:"" help:"Anonymous tips: a unit's key, its letters and replies; and a citizen's without the page."`
	Config   configCmd   `cmd:"" help:"Work with configuration files."`
	Licences licencesCmd `cmd:"" help:"Print the licences of everything in this binary."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var p program
	k := kong.Parse(&p, kong.Name("jedel"), kong.Description("A gateway for emergency calls: signalling, media, evidence."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&p))
	if code := status(k.Run(), os.Stderr); code != 0 {
		os.Exit(code)
	}
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	fmt.Println("jedel", version)
	return nil
}
