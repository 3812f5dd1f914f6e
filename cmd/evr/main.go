// Command evr verifies and reads one archive with nothing but the archive and what is given to it:
// no network, no gateway, no configuration. It goes along with every exported call.
package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"jedel/recorder/evr"
	"jedel/recorder/keys"
	"jedel/recorder/plain"
	"jedel/recorder/verify"
)

// version is set by the build.
var version = "unknown"

const usage = `evr reads the recording of a call. Nothing is changed and nothing leaves this machine.

  evr verify [-key FILE] [-log-key FILE] [-witnesses FILE] [-tsa-roots FILE]
             [-identity FILE] [-disclosed FILE] [-json] DIR
      check it; exit code 0: everything is right; 2: what could be checked is right, but not
      everything could be; 4, 8, 16, 32, 64 added up: V0 to V4 failed; 1: not an archive
  evr records [-identity FILE] [-disclosed FILE] DIR
      print every record that opens, one JSON object a line
  evr version

-key        the recorder's public key, got from elsewhere than the archive
-log-key    the public key of the site's log, likewise
-witnesses  names the witnesses of the log, and how many must have signed
-tsa-roots  certificates (PEM) that a time stamp must go back to
-identity   the secret key of a recipient of the call's key
-disclosed  keys to a part of the call
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. It returns its exit code.
func run(args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(errs, usage)
		return 1
	}
	var code int
	var err error
	switch args[0] {
	case "verify":
		code, err = check(args[1:], out)
	case "records":
		err = records(args[1:], out)
	case "version":
		fmt.Fprintln(out, "evr", version)
	default:
		err = fmt.Errorf("%q is no command", args[0])
	}
	if err != nil {
		fmt.Fprintln(errs, "evr:", err)
		fmt.Fprint(errs, "\n", usage)
		return 1
	}
	return code
}

// given is what the command line names.
type given struct {
	dir, key, identity, disclosed string
	logKey, witnesses, roots      string
	json                          bool
}

func parse(args []string) (given, error) {
	var g given
	set := flag.NewFlagSet("evr", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&g.key, "key", "", "")
	set.StringVar(&g.identity, "identity", "", "")
	set.StringVar(&g.disclosed, "disclosed", "", "")
	set.StringVar(&g.logKey, "log-key", "", "")
	set.StringVar(&g.witnesses, "witnesses", "", "")
	set.StringVar(&g.roots, "tsa-roots", "", "")
	set.BoolVar(&g.json, "json", false, "")
	if err := set.Parse(args); err != nil {
		return g, err
	}
	if set.NArg() != 1 {
		return g, errors.New("name one folder")
	}
	g.dir = set.Arg(0)
	st, err := os.Stat(g.dir)
	if err == nil && !st.IsDir() {
		err = fmt.Errorf("%s is not a folder", g.dir)
	}
	return g, err
}

// log reads what is given about the site's log.
func (g given) log() (verify.Log, error) {
	var out verify.Log
	var errRead error
	read := func(name string) string {
		if name == "" {
			return ""
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			errRead = errors.Join(errRead, err)
		}
		return strings.TrimSpace(string(raw))
	}
	if key := read(g.logKey); key != "" {
		out.Keys = []string{key}
	}
	out.Policy = read(g.witnesses)
	if pem := read(g.roots); pem != "" {
		out.Roots = x509.NewCertPool()
		if !out.Roots.AppendCertsFromPEM([]byte(pem)) {
			errRead = errors.Join(errRead, fmt.Errorf("%s: no certificate in it", g.roots))
		}
	}
	return out, errRead
}

func check(args []string, out io.Writer) (int, error) {
	g, err := parse(args)
	if err != nil {
		return 0, err
	}
	dir := os.DirFS(g.dir)
	archive, err := verify.Archive(dir)
	if err != nil {
		return 0, err
	}
	var opts verify.Options
	if opts.Ring, err = plain.FromFiles(archive, g.identity, g.disclosed); err != nil {
		return 0, err
	}
	if g.key != "" {
		raw, err := os.ReadFile(g.key)
		if err != nil {
			return 0, err
		}
		opts.Keys = []string{strings.TrimSpace(string(raw))}
	}
	if opts.Log, err = g.log(); err != nil {
		return 0, err
	}
	report, err := verify.Dir(dir, opts)
	if err != nil {
		return 0, err
	}
	show := report.Text
	if g.json {
		show = report.JSON
	}
	return report.Exit, show(out)
}

// record is one record as it is printed.
type record struct {
	Leaf   uint64          `json:"leaf"`
	Stream uint16          `json:"stream"`
	Second float64         `json:"second"` // since the call was opened
	Kind   evr.Kind        `json:"kind"`
	Bytes  int             `json:"bytes"`
	JSON   json.RawMessage `json:"json,omitempty"` // where it is JSON
	Hex    string          `json:"hex,omitempty"`  // of a packet
}

func records(args []string, out io.Writer) (err error) {
	g, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := verify.Archive(os.DirFS(g.dir))
	if err != nil {
		return err
	}
	ring, err := plain.FromFiles(dir, g.identity, g.disclosed)
	if err != nil {
		return err
	}
	sc, err := evr.NewScanner(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sc.Close()) }()
	open, enc := plain.NewReader(ring), json.NewEncoder(out)
	for {
		b, err := sc.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		payload, err := open.Payload(&sc.Segments()[b.Segment], b.Header, b.Payload())
		if errors.Is(err, keys.ErrNoKey) {
			continue
		}
		if err == nil {
			err = evr.Records(b.Header, payload, func(r evr.Record) error { return enc.Encode(shown(b.Header, r)) })
		}
		if err != nil {
			return fmt.Errorf("leaf %d: %w", b.Header.Leaf, err)
		}
	}
}

func shown(h evr.BlockHeader, r evr.Record) record {
	out := record{Leaf: h.Leaf, Stream: h.Stream, Second: float64(r.T) / 1e9, Kind: r.Kind, Bytes: len(r.Data)}
	switch {
	case utf8.Valid(r.Data) && json.Valid(r.Data):
		out.JSON = r.Data
	case len(r.Data) <= 4096:
		out.Hex = hex.EncodeToString(r.Data)
	}
	return out
}
