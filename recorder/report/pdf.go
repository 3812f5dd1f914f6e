package report

import (
	"fmt"
	"io"
	"slices"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"github.com/go-fonts/dejavu/dejavusansmono"
)

// Measures of a sheet (A4) in millimetres.
const (
	margin   = 16.0
	textSize = 9.0 // points
	lineTall = 4.4
)

// sheet writes a page on sheets of paper.
type sheet struct {
	*fpdf.Fpdf
	wide float64 // between the margins
}

// PDF writes the page on A4.
func (d Doc) PDF(w io.Writer) error {
	s := &sheet{Fpdf: fpdf.New("P", "mm", "A4", "")}
	s.SetCreationDate(time.Unix(0, 0).UTC())
	s.SetModificationDate(time.Unix(0, 0).UTC())
	s.SetCatalogSort(true)
	s.SetTitle(d.Title+": "+d.Sub, true)
	s.SetLang(d.Lang)
	s.AddUTF8FontFromBytes("sans", "", dejavusans.TTF)
	s.AddUTF8FontFromBytes("sans", "B", dejavusansbold.TTF)
	s.AddUTF8FontFromBytes("mono", "", dejavusansmono.TTF)
	s.SetMargins(margin, margin, margin)
	s.SetAutoPageBreak(true, margin+6)
	s.AliasNbPages("")
	s.SetFooterFunc(func() {
		s.SetY(-margin)
		s.SetFont("sans", "", 7)
		s.CellFormat(s.wide-20, 4, d.Foot, "", 0, "L", false, 0, "")
		s.CellFormat(20, 4, fmt.Sprintf("%d / {nb}", s.PageNo()), "", 0, "R", false, 0, "")
	})
	width, _ := s.GetPageSize()
	s.wide = width - 2*margin
	s.AddPage()
	s.SetFont("sans", "B", 16)
	s.MultiCell(0, 8, d.Title, "", "L", false)
	s.SetFont("sans", "", 11)
	s.MultiCell(0, 6, d.Sub, "", "L", false)
	for _, part := range d.Sections {
		s.section(part)
	}
	if err := s.Output(w); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func (s *sheet) section(part Section) {
	if part.Title != "" {
		s.room(24)
		s.Ln(4)
		s.SetFont("sans", "B", 11)
		s.MultiCell(0, 6, part.Title, "B", "L", false)
		s.Ln(1.5)
	}
	for _, b := range part.Blocks {
		switch b := b.(type) {
		case Text:
			s.SetFont("sans", "", textSize)
			s.MultiCell(0, lineTall, string(b), "", "L", false)
			s.Ln(1)
		case Facts:
			for _, f := range b {
				s.row([]string{f[0], f[1]}, []float64{0.3, 0.7}, nil, "")
			}
			s.Ln(1)
		case Table:
			s.table(b)
		case Links:
			for _, l := range b {
				s.row([]string{l[0], l[1]}, []float64{0.5, 0.5}, []int{1}, "")
			}
		case Code:
			s.SetFont("mono", "", textSize-1)
			s.MultiCell(0, lineTall, string(b), "", "L", false)
		case Signing:
			for _, line := range b {
				s.room(18)
				s.Ln(12)
				x, y := s.GetXY()
				s.Line(x, y, x+110, y)
				s.SetFont("sans", "", 7)
				s.MultiCell(0, 4, line, "", "L", false)
			}
		}
	}
}

// room begins a new sheet where there is less than so many millimetres left.
func (s *sheet) room(tall float64) {
	_, height := s.GetPageSize()
	if s.GetY()+tall > height-margin-6 {
		s.AddPage()
	}
}

func (s *sheet) table(t Table) {
	if len(t.Rows) == 0 {
		s.SetFont("sans", "", textSize)
		s.MultiCell(0, lineTall, t.None, "", "L", false)
		return
	}
	s.row(t.Head, t.Widths, nil, "B")
	for _, r := range t.Rows {
		s.row(r, t.Widths, t.Mono, "")
	}
	s.Ln(1)
}

// row writes cells beside each other, as tall as the tallest.
func (s *sheet) row(cells []string, shares []float64, mono []int, style string) {
	font := func(i int) {
		if slices.Contains(mono, i) {
			s.SetFont("mono", "", textSize-1.5)
			return
		}
		s.SetFont("sans", style, textSize-0.5)
	}
	lines := make([][]string, len(cells))
	tall := 1
	for i, c := range cells {
		font(i)
		lines[i] = s.SplitText(printable(c), s.wide*shares[i]-2)
		tall = max(tall, len(lines[i]))
	}
	s.room(float64(min(tall, 50)) * lineTall)
	for n := range tall { // line by line, so that a cell taller than a sheet goes on on the next
		s.room(lineTall)
		x, y := margin, s.GetY()
		for i := range cells {
			font(i)
			s.SetXY(x, y)
			if n < len(lines[i]) {
				s.CellFormat(s.wide*shares[i], lineTall, lines[i][n], "", 0, "L", false, 0, "")
			}
			x += s.wide * shares[i]
		}
		s.SetXY(margin, y+lineTall)
	}
	s.SetDrawColor(190, 190, 190)
	s.Line(margin, s.GetY(), margin+s.wide, s.GetY())
	s.SetDrawColor(0, 0, 0)
}

// printable leaves out what the fonts of a sheet have no place for: the library counts in 16 bits.
func printable(text string) string {
	out := []rune(text)
	for i, r := range out {
		switch {
		case r > 0xffff:
			out[i] = '\ufffd'
		case r < ' ' && r != '\n', r == '\u00a0', r == '\u202f':
			out[i] = ' '
		}
	}
	return string(out)
}
