package fault

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// codes returns every Code constant of this package, read from its source.
func codes(t *testing.T) []Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Code" {
			s, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, Code(s))
		}
		return true
	})
	if len(out) < 20 {
		t.Fatalf("found only %d codes", len(out))
	}
	return out
}

func TestEveryCodeHasWordsInThreeLanguages(t *testing.T) {
	known := map[Code]bool{}
	for _, c := range codes(t) {
		known[c] = true
		w, ok := words[c]
		if !ok || w.KK == "" || w.RU == "" || w.EN == "" {
			t.Errorf("%s: %+v", c, w)
		}
	}
	for c := range words {
		if !known[c] {
			t.Errorf("words for %s, which is no code", c)
		}
	}
}

func TestCodeOfLooksThroughWrapping(t *testing.T) {
	inner := New(OfferExpired, "offer.accept", nil)
	wrapped := fmt.Errorf("outer: %w", inner)
	if CodeOf(wrapped) != OfferExpired || CodeOf(errors.New("x")) != Internal || CodeOf(nil) != "" {
		t.Fatal(CodeOf(wrapped), CodeOf(errors.New("x")), CodeOf(nil))
	}
	if !errors.Is(wrapped, &Error{Code: OfferExpired}) || errors.Is(wrapped, &Error{Code: Forbidden}) {
		t.Fatal("Is compares by code")
	}
}
