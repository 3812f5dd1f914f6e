// Package archtest holds the structure of the project: which floor may import which, which
// foreign library lives where, how large things may grow, and what may not be written at all.
// An exception is a line in exceptions_test.go with its reason, and that list only shrinks.
package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// source is one parsed Go file of the module.
type source struct {
	path string // slash-separated, from the module's root
	pkg  string // import path below the module, "internal/call"
	test bool
	file *ast.File
	fset *token.FileSet
	text string
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "data" || d.Name() == "testdata" || d.Name() == "netimpair") { // a module of its own, for tests
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		rel := filepath.ToSlash(strings.TrimPrefix(path, root+"/"))
		out = append(out, source{rel, filepath.ToSlash(filepath.Dir(rel)), strings.HasSuffix(rel, "_test.go"), file, fset, string(text)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d Go files found", len(out))
	}
	return out
}

func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

// complain reports a broken rule unless it is excepted.
func complain(t *testing.T, rule, what, format string, args ...any) {
	t.Helper()
	if _, ok := exceptions[rule+" "+what]; ok {
		used[rule+" "+what] = true
		return
	}
	t.Errorf("%s: %s: %s", rule, what, fmt.Sprintf(format, args...))
}

var used = map[string]bool{}

func TestMain(m *testing.M) {
	code := m.Run()
	for e := range exceptions {
		if code == 0 && !used[e] {
			fmt.Printf("the exception %q is no longer needed: remove it\n", e)
			code = 1
		}
	}
	os.Exit(code)
}

// floors maps each package to its floor, in tens; the longest prefix counts. Roles are words to other rules. Accounts stand between
// tools and the edge that uses them.
var floors = map[string]int{
	"internal/ident": 0, "internal/fault": 0, "media/seqno": 0, "media/codec": 0,
	"signaling/wire": 10, "internal/call": 10, "internal/queue": 10, "internal/cases": 10, "internal/admit": 10, "internal/alarm": 10, "internal/access": 5, "internal/retention": 10, "internal/shift": 10, "internal/filekind": 10, "internal/geo": 10, "internal/pbf": 11, "internal/roads": 11, "internal/gazetteer": 20, "internal/extract": 25, "internal/geocode": 27, "internal/outbox": 10, "internal/smpp": 10, "internal/notice": 11, "internal/notify": 25, "internal/stats": 10, "internal/sheet": 10, "internal/statsctl": 30,
	"internal/sos": 10, "internal/tips": 10, "internal/tipstore": 20, "internal/tipline": 30, "internal/tipmail": 30,
	"media/red": 10, "media/nack": 10, "media/report": 10, "media/compound": 5,
	"media/pktcache": 10, "media/early": 10, "media/agreed": 10, "media/srtpio": 15, "media/prefetch": 5, "media/batch": 20, "media/rewrite": 10, "media/layers": 10, "media/bwe": 10, "media/tune": 10, "media/h264": 10, "media/fmp4": 15, "recorder/evr": 10, "recorder/proof": 10, "recorder/keys": 10, "recorder/ladder": 10,
	"internal/config": 20, "internal/obs": 20, "internal/store": 20, "internal/hints": 20, "internal/blob": 20, "internal/staging": 20, "media/turnd": 20, "internal/thinline": 15,
	"recorder/plain": 15, "recorder/bag": 15, "recorder/disk": 20, "recorder/sitelog": 25, "recorder/witness": 25, "recorder/derive": 20, "recorder/verify": 20, "recorder/report": 22, "recorder/export": 25, "recorder/logcheck": 25, "recorder/broker": 27, "internal/replica": 25, "docs": 10, "signaling/accounts": 25, "signaling/tus": 25, "signaling/preview": 25, "signaling/photo": 20, "web": 20,
	"internal/duty": 30, "signaling": 30, "internal/callctl": 30, "internal/casectl": 30, "internal/keep": 30, "internal/cameras": 30, "media": 30, "recorder": 30,
	"internal/app": 40, "cmd": 50,
	"internal/archtest": 60, "internal/simtest": 60, "signaling/wire/tsgen": 60,
}

func floorOf(pkg string) (int, string) {
	best, floor := "", -1
	for p, f := range floors {
		if (pkg == p || strings.HasPrefix(pkg, p+"/")) && len(p) > len(best) {
			best, floor = p, f
		}
	}
	return floor, best
}

func TestImportsPointStrictlyDown(t *testing.T) {
	for _, s := range sources(t) {
		from, home := floorOf(s.pkg)
		if from < 0 {
			t.Errorf("%s has no floor", s.pkg)
			continue
		}
		if s.test {
			continue
		}
		for _, imp := range s.file.Imports {
			path, ours := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), "jedel/")
			if !ours {
				continue
			}
			to, there := floorOf(path)
			if to >= from && home != there {
				complain(t, "floors", s.pkg+" imports "+path, "floor %d imports floor %d", from, to)
			}
		}
	}
}

// homes says where a foreign library may be imported.
var homes = map[string][]string{
	"github.com/gorilla/websocket":                   {"signaling", "cmd/callbot"},
	"github.com/pion/":                               {"media", "recorder/derive", "cmd/callbot"},
	"github.com/pion/rtp":                            {"media", "recorder/derive", "cmd/callbot", "internal/cameras"},
	"github.com/bluenviron/":                         {"internal/cameras", "cmd/callbot"},
	"github.com/redis/go-redis":                      {"internal/hints"},
	"modernc.org/sqlite":                             {"internal/store", "internal/gazetteer", "internal/tipstore"}, // three files with nothing in common: tips have no code in common with cases, a map none with either
	"github.com/jackc/pgx":                           {"internal/store"},
	"github.com/pressly/goose":                       {"internal/store"},
	"github.com/minio/minio-go":                      {"internal/blob"},
	"github.com/Eyevinn/mp4ff":                       {"recorder/derive", "media/fmp4"},
	"github.com/alecthomas/kong":                     {"cmd"},
	"github.com/goccy/go-yaml":                       {"internal/config"},
	"golang.org/x/mod/sumdb/note":                    {"recorder"},
	"filippo.io/age":                                 {"recorder/keys"},
	"github.com/transparency-dev/":                   {"recorder"},
	"github.com/transparency-dev/tessera":            {"recorder/sitelog", "recorder/logcheck"},
	"github.com/digitorus/timestamp":                 {"recorder"},
	"github.com/SherClockHolmes/webpush-go":          {"internal/notify/push"},
	"github.com/tus/":                                {"signaling/tus"},
	"golang.org/x/exp":                               {"signaling/tus"},
	"github.com/nyaruka/phonenumbers":                {"signaling"},
	"github.com/pquerna/otp":                         {"signaling"},
	"github.com/coreos/go-oidc":                      {"signaling/signon"},
	"golang.org/x/oauth2":                            {"signaling/signon"},
	"golang.org/x/crypto/argon2":                     {"signaling"},
	"github.com/prometheus/client_golang/promhttp":   {"signaling"},
	"github.com/prometheus/client_golang/promauto":   {},
	"github.com/prometheus/client_golang/prometheus": {"signaling", "media", "recorder", "internal", "cmd"},
}

func TestForeignLibrariesHaveOneHome(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, imp := range s.file.Imports {
			path := strings.Trim(imp.Path.Value, `"`)
			best := ""
			for lib := range homes {
				if strings.HasPrefix(path, lib) && len(lib) > len(best) {
					best = lib
				}
			}
			if best == "" || slices.ContainsFunc(homes[best], func(h string) bool { return s.pkg == h || strings.HasPrefix(s.pkg, h+"/") }) {
				continue
			}
			complain(t, "home", s.pkg+" imports "+path, "its home is %v", homes[best])
		}
	}
}

func TestRulesArePure(t *testing.T) {
	impure := []string{"os", "net", "net/http", "log", "log/slog", "io/fs", "database/sql", "crypto/rand", "math/rand", "math/rand/v2", "context"}
	for _, s := range sources(t) {
		if floor, _ := floorOf(s.pkg); floor != 10 || s.test {
			continue
		}
		for _, imp := range s.file.Imports {
			if path := strings.Trim(imp.Path.Value, `"`); slices.Contains(impure, path) {
				complain(t, "pure", s.path+" imports "+path, "a rule does no I/O and takes no chance")
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if _, ok := n.(*ast.GoStmt); ok {
				complain(t, "pure", s.path+" go", "%s starts a goroutine", s.at(n))
			}
			if name := selector(n); name == "time.Now" || name == "time.Since" || name == "time.After" || name == "time.Sleep" {
				complain(t, "pure", s.path+" "+name, "%s reads the clock", s.at(n))
			}
			return true
		})
	}
}

// selector returns "pkg.Name" for a selector expression of two identifiers.
func selector(n ast.Node) string {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + sel.Sel.Name
}

func TestPackageNamesSayWhatTheyAre(t *testing.T) {
	for _, s := range sources(t) {
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "manager", "base", "impl", "misc"}, s.file.Name.Name) {
			t.Errorf("%s: package %s", s.path, s.file.Name.Name)
		}
	}
}
