package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var htmlSink = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function\(`)

// TestPagesNeverParseTextAsHTML reads every script and component of the pages.
func TestPagesNeverParseTextAsHTML(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(filepath.Join(root, "web"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "dist") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".ts") && !strings.HasSuffix(path, ".tsx") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		if m := htmlSink.Find(text); m != nil && !strings.Contains(path, ".test.") {
			t.Errorf("%s: %s", path, m)
		}
		if n := strings.Count(string(text), "\n"); strings.HasSuffix(path, ".tsx") && n > componentLine {
			complain(t, "size", strings.TrimPrefix(path, root+"/"), "%d lines, limit %d", n, componentLine)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no pages found")
	}
}
