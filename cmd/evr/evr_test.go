package main

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestTheVerifierHasNothingButTheVerifyingPackages(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{
		"jedel/cmd/evr", "jedel/recorder/bag", "jedel/recorder/evr", "jedel/recorder/keys", "jedel/recorder/plain", "jedel/recorder/proof", "jedel/recorder/verify",
		"filippo.io/", "github.com/gowebpki/jcs", "github.com/transparency-dev/merkle", "golang.org/x/mod/sumdb/note", "golang.org/x/crypto", "golang.org/x/sys",
		"golang.org/x/mod/", "crypto/", "jedel/internal/ident",
		"github.com/transparency-dev/formats/", "github.com/digitorus/timestamp", "github.com/digitorus/pkcs7",
	}
	for _, dep := range strings.Fields(string(out)) {
		if !slices.ContainsFunc(allowed, func(a string) bool { return strings.HasPrefix(dep, a) }) {
			t.Errorf("%s came into the verifier", dep)
		}
	}
}

func TestWhatItCannotReadIsSaidInWords(t *testing.T) {
	for _, args := range [][]string{nil, {"verify"}, {"verify", "/nowhere"}, {"records", "a", "b"}, {"verify", "-what", "."}, {"dance"}, {"verify", t.TempDir()}} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code != 1 || !strings.Contains(errs.String(), "evr verify") {
			t.Errorf("%v: code %d, %s", args, code, errs.String())
		}
	}
}
