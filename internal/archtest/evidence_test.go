package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheTableOfFailureCasesNamesRealTests holds the table of docs/EVIDENCE.md to the tests: every case
// is there, every name in it is that of a test, and a case without a test has its reason.
func TestTheTableOfFailureCasesNamesRealTests(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "docs", "EVIDENCE.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				known[f.Name.Name] = true
			}
		}
	}
	row := regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \| ([^|]*) \| ([^|]+) \|$`)
	name := regexp.MustCompile("`([^`]+)`")
	rows := row.FindAllStringSubmatch(string(raw), -1)
	const groups = 23
	if len(rows) != groups {
		t.Fatalf("%d rows, there are %d cases", len(rows), groups)
	}
	for _, r := range rows {
		names := name.FindAllStringSubmatch(r[3], -1)
		if len(names) == 0 && strings.TrimSpace(r[4]) == "-" {
			t.Errorf("case %s has neither a test nor a reason", r[1])
		}
		for _, n := range names {
			_, err := os.Stat(filepath.Join(root, n[1]))
			if isFile := strings.HasPrefix(n[1], "e2e/"); isFile && err != nil || !isFile && !known[n[1]] {
				t.Errorf("case %s: there is no %s", r[1], n[1])
			}
		}
	}
}
