package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"jedel/recorder/witness"
)

type witnessCmd struct {
	Dir  string   `help:"Folder of the witness's key and of what it has seen." default:"witness"`
	Name string   `help:"Name of the witness in its signatures, best a host of yours." required:""`
	Addr string   `help:"Where to listen. Put a TLS proxy in front of it on the open internet." default:":8082"`
	Log  []string `help:"File with the public key of a log it shall answer (log.pub of a gateway)." type:"existingfile" required:""`
}

// Run serves until ctx ends.
func (c witnessCmd) Run(ctx context.Context) error {
	var keys []string
	for _, name := range c.Log {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		keys = append(keys, strings.TrimSpace(string(raw)))
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	w, err := witness.Open(c.Dir, c.Name, keys, log)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return err
	}
	fmt.Printf("Listening on %s. What the gateway's file evidence.witnesses needs (put in the address under which this machine is reached):\n\nwitness w1 %s http://HOST%s/\nquorum w1\n", l.Addr(), w.Key(), l.Addr().String()[strings.LastIndex(l.Addr().String(), ":"):])
	s := &http.Server{Handler: w, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(last); err != nil {
			log.Warn("end", "err", err)
		}
	})
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
