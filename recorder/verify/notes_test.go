package verify

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codes lists every constant of type Code that the package declares.
func codes(t *testing.T) (out []Code) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "notes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Code" {
			return true
		}
		for _, v := range spec.Values {
			s, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, Code(s))
		}
		return true
	})
	return out
}

// names lists the arguments of a text, sorted.
func names(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`\{(\w+)[,}]`).FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestEveryCodeHasWordsInEachLanguage(t *testing.T) {
	all := codes(t)
	if len(all) < 50 || len(all) != len(texts) {
		t.Fatalf("%d codes, %d texts", len(all), len(texts))
	}
	for _, lang := range []string{"kk", "ru", "en"} {
		raw, err := os.ReadFile("../../web/locales/evidence/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var words map[string]string
		if err := json.Unmarshal(raw, &words); err != nil {
			t.Fatal(err)
		}
		for _, code := range all {
			text := words["proof."+string(code)]
			if text == "" || texts[code] == "" {
				t.Errorf("%s: no words for %s", lang, code)
			} else if got, want := names(text), names(texts[code]); !slices.Equal(got, want) {
				t.Errorf("%s: %s has %v, the verifier gives %v", lang, code, got, want)
			}
		}
		for key := range words {
			if code, ours := strings.CutPrefix(key, "proof."); ours && !slices.Contains(all, Code(code)) {
				t.Errorf("%s: %s is no code", lang, code)
			}
		}
	}
}

// TestEveryUseGivesTheArgumentsOfItsCode reads the sources: what is said has just the arguments
// that its text names.
func TestEveryUseGivesTheArgumentsOfItsCode(t *testing.T) {
	constants := map[string]string{}
	notes, err := os.ReadFile("notes.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(\w+)\s+Code = "([^"]+)"`).FindAllStringSubmatch(string(notes), -1) {
		constants[m[1]] = m[2]
	}
	used := map[string]bool{}
	for _, name := range []string{"levels.go", "logged.go", "destroyed.go", "bag.go", "derived.go", "verify.go", "walk.go", "spots.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				used[id.Name] = true
			}
			if call, ok := n.(*ast.CallExpr); ok {
				checkCall(t, call, constants)
			}
			return true
		})
	}
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		if !used[name] && !strings.HasPrefix(name, "cause") {
			t.Errorf("%s is never said", name)
		}
	}
}

func checkCall(t *testing.T, call *ast.CallExpr, constants map[string]string) {
	for i, arg := range call.Args[:max(0, len(call.Args)-1)] {
		id, ok := arg.(*ast.Ident)
		if !ok || constants[id.Name] == "" {
			continue
		}
		lit, ok := call.Args[i+1].(*ast.CompositeLit)
		if !ok {
			continue
		}
		var given []string
		for _, e := range lit.Elts {
			s, _ := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
			given = append(given, s)
		}
		if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "complain" && strings.HasPrefix(id.Name, "badHead") {
			given = append(given, "head")
		}
		slices.Sort(given)
		if want := names(texts[Code(constants[id.Name])]); !slices.Equal(given, want) {
			t.Errorf("%s is given %v, its text has %v", id.Name, given, want)
		}
	}
}

func TestHostileNamesAreNoPartOfTheText(t *testing.T) {
	n := say(badSize, Args{"file": "{bytes}", "bytes": 1, "sealed": 2})
	if n.Text != "{bytes}: has 1 bytes, sealed were 2" {
		t.Fatal(n.Text)
	}
}
