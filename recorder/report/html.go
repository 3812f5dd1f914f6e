package report

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"slices"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"kind": func(b Block) string {
		switch b.(type) {
		case Text:
			return "text"
		case Facts:
			return "facts"
		case Table:
			return "table"
		case Links:
			return "links"
		case Code:
			return "code"
		}
		return "signing"
	},
	"mono": slices.Contains[[]int],
}).Parse(pageText))

// HTML writes a page that needs nothing but itself: no script, no other file.
func (d Doc) HTML(w io.Writer) error {
	if err := page.Execute(w, d); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
