package archtest

import (
	"go/ast"
	"strings"
	"testing"
)

// Limits of docs/STYLE: a thing that outgrows them wants to be two.
const (
	maxFileLines  = 500
	maxFuncLines  = 70
	maxParams     = 5
	maxMethods    = 20
	maxInterface  = 5
	maxFields     = 20
	maxTestLines  = 800
	maxTestFunc   = 120
	forwardLines  = 200
	componentLine = 200
)

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	for _, s := range sources(t) {
		lines, funcLines := maxFileLines, maxFuncLines
		if s.test {
			lines, funcLines = maxTestLines, maxTestFunc
		}
		if s.path == "media/forward.go" {
			lines = forwardLines
		}
		if n := strings.Count(s.text, "\n"); n > lines {
			complain(t, "size", s.path, "%d lines, limit %d", n, lines)
		}
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > funcLines {
				complain(t, "size", s.pkg+"."+f.Name.Name, "%s has %d lines, limit %d", s.at(f), n, funcLines)
			}
			if n := count(f.Type.Params); n > maxParams && !s.test {
				complain(t, "size", s.pkg+"."+f.Name.Name+" parameters", "%s has %d, limit %d", s.at(f), n, maxParams)
			}
		}
	}
}

func count(l *ast.FieldList) int {
	n := 0
	for _, f := range l.List {
		n += max(1, len(f.Names))
	}
	return n
}

func TestTypesStaySmall(t *testing.T) {
	methods := map[string]int{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
				typ := f.Recv.List[0].Type
				if star, ok := typ.(*ast.StarExpr); ok {
					typ = star.X
				}
				if id, ok := typ.(*ast.Ident); ok {
					methods[s.pkg+"."+id.Name]++
				}
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			ts, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			name := s.pkg + "." + ts.Name.Name
			switch typ := ts.Type.(type) {
			case *ast.InterfaceType:
				if c := count(typ.Methods); c > maxInterface {
					complain(t, "size", name, "%s: %d methods, limit %d", s.at(ts), c, maxInterface)
				}
			case *ast.StructType:
				// Messages, configuration and metrics are lists of what there is.
				lists := s.pkg == "signaling/wire" || s.pkg == "internal/config" || strings.HasSuffix(s.path, "metrics.go") ||
					strings.HasSuffix(strings.ToLower(ts.Name.Name), "config")
				if c := count(typ.Fields); c > maxFields && !lists {
					complain(t, "size", name, "%s: %d fields, limit %d", s.at(ts), c, maxFields)
				}
			}
			return true
		})
	}
	for name, n := range methods {
		if n > maxMethods {
			complain(t, "size", name+" methods", "%d, limit %d", n, maxMethods)
		}
	}
}
