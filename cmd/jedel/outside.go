package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"jedel/recorder/verify"
)

// outsiders is what the command line names about the site's log and those who signed it.
type outsiders struct {
	LogKey    []string `help:"File with the public key of the site's log, got from elsewhere than the archive. Left out, the one of the archive folder is used if there is one." type:"existingfile"`
	Witnesses string   `help:"File that names the witnesses of the log and how many of them must have signed." type:"existingfile"`
	TSARoots  string   `name:"tsa-roots" help:"File with the certificates (PEM) that a time stamp must go back to." type:"existingfile"`
}

// log reads the files; keys is the folder where the gateway keeps log.pub.
func (o outsiders) log(keys string) (verify.Log, error) {
	var out verify.Log
	files := o.LogKey
	if beside := filepath.Join(keys, "log.pub"); len(files) == 0 {
		if _, err := os.Stat(beside); err == nil {
			files = []string{beside}
		}
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return out, err
		}
		out.Keys = append(out.Keys, strings.TrimSpace(string(raw)))
	}
	if o.Witnesses != "" {
		raw, err := os.ReadFile(o.Witnesses)
		if err != nil {
			return out, err
		}
		out.Policy = string(raw)
	}
	if o.TSARoots != "" {
		raw, err := os.ReadFile(o.TSARoots)
		if err != nil {
			return out, err
		}
		out.Roots = x509.NewCertPool()
		if !out.Roots.AppendCertsFromPEM(raw) {
			return out, fmt.Errorf("%s: no certificate in it", o.TSARoots)
		}
	}
	return out, nil
}
