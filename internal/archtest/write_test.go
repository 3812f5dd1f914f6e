package archtest

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

func TestNothingForbiddenIsWritten(t *testing.T) {
	for _, s := range sources(t) {
		inCmd := strings.HasPrefix(s.pkg, "cmd/")
		bubble := strings.Contains(s.text, `"testing/synctest"`)
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch name := selector(n); {
			case (name == "context.Background" || name == "context.TODO") && !s.test && !inCmd:
				complain(t, "forbidden", s.path+" "+name, "%s: take a context from above", s.at(n))
			case name == "time.Sleep" && s.test && !bubble:
				complain(t, "forbidden", s.path+" "+name, "%s: wait for the event, not for the clock", s.at(n))
			}
			if f, ok := n.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				complain(t, "forbidden", s.path+" init", "%s: start things where they are seen", s.at(n))
			}
			if st, ok := n.(*ast.StructType); ok && !s.test {
				for _, field := range st.Fields.List {
					if selector(field.Type) == "context.Context" {
						complain(t, "forbidden", s.path+" context in struct", "%s", s.at(field))
					}
				}
			}
			return true
		})
	}
}

var todo = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b(\(#\d+\))?`)

func TestEveryTodoHasAnIssue(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg == "internal/archtest" {
			continue
		}
		for _, group := range s.file.Comments {
			for _, m := range todo.FindAllStringSubmatch(group.Text(), -1) {
				if m[2] == "" {
					complain(t, "todo", s.path, "%s: %s without (#issue)", s.at(group), m[1])
				}
			}
		}
	}
}

func TestPackageVariablesAreErrorsAndTables(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			embedded := gen.Doc != nil && strings.Contains(docText(gen.Doc), "go:embed")
			for _, spec := range gen.Specs {
				v := spec.(*ast.ValueSpec)
				for _, name := range v.Names {
					if name.Name == "_" || embedded || strings.HasPrefix(strings.ToLower(name.Name), "err") || constantTable(v) {
						continue
					}
					complain(t, "variable", s.pkg+"."+name.Name, "%s is neither an error nor a constant table", s.at(name))
				}
			}
		}
	}
}

func docText(g *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range g.List {
		b.WriteString(c.Text)
	}
	return b.String()
}

// constantTable reports whether v is written out as a composite literal, a regular expression or
// the result of a call whose name begins with "must" or "make": it is never written again.
func constantTable(v *ast.ValueSpec) bool {
	for _, value := range v.Values {
		switch x := value.(type) {
		case *ast.CompositeLit, *ast.BasicLit:
		case *ast.CallExpr:
			name := selector(x.Fun)
			if id, ok := x.Fun.(*ast.Ident); ok {
				name = id.Name
			}
			if _, conv := x.Fun.(*ast.ArrayType); conv {
				continue
			}
			last := strings.ToLower(name[strings.LastIndex(name, ".")+1:])
			if !strings.HasPrefix(last, "must") && !strings.HasPrefix(last, "make") {
				return false
			}
		default:
			return false
		}
	}
	return len(v.Values) > 0
}

func TestExportedNamesAreExplained(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && !explained(d.Doc, d.Name.Name) && !groupedMethod(d) {
					complain(t, "doc", s.pkg+"."+d.Name.Name, "%s", s.at(d))
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					ts, ok := spec.(*ast.TypeSpec)
					if !ok || !ts.Name.IsExported() {
						continue
					}
					if !explained(ts.Doc, ts.Name.Name) && !explained(d.Doc, ts.Name.Name) {
						complain(t, "doc", s.pkg+"."+ts.Name.Name, "%s", s.at(ts))
					}
				}
			}
		}
	}
}

func explained(g *ast.CommentGroup, name string) bool {
	if g == nil {
		return false
	}
	text := g.Text()
	for _, article := range []string{"", "A ", "An ", "The "} {
		if strings.HasPrefix(text, article+name) {
			return true
		}
	}
	return false
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if idx, ok := typ.(*ast.IndexExpr); ok {
		typ = idx.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// groupedMethod allows one-line methods that implement a contract explained elsewhere: Kind,
// WireType, Error, String, Unwrap, Is, Len, Less, Swap, LogValue, ServeHTTP.
func groupedMethod(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return false
	}
	switch d.Name.Name {
	case "Kind", "WireType", "Error", "String", "Unwrap", "Is", "Len", "Less", "Swap", "LogValue", "ServeHTTP",
		"Read", "Write", "Close", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText":
		return true
	}
	return false
}
