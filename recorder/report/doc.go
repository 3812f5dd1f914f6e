// Package report writes what people read of a recording's custody: the same page as HTML and as PDF,
// in three languages.
package report

// Doc is a page to be read, independent of how it is shown.
type Doc struct {
	Lang     string
	Title    string
	Sub      string // what it is about
	Foot     string // at the foot of each sheet
	Sections []Section
}

// Section is a part of a page with a heading.
type Section struct {
	Title  string
	Blocks []Block
}

// Block is one of Text, Facts, Table, Signing, Links, Code.
type Block interface{ isBlock() }

// Text is a paragraph.
type Text string

// Facts are names and values.
type Facts [][2]string

// Table has a head and rows. Widths are shares of the page, one for each column.
type Table struct {
	Head   []string
	Widths []float64
	Rows   [][]string
	Mono   []int  // columns of digits and hashes
	None   string // said where there are no rows
}

// Signing is a list of lines to be filled in by hand.
type Signing []string

// Links are names and relative addresses.
type Links [][2]string

// Code is what is typed at a command line.
type Code string

func (Text) isBlock()    {}
func (Facts) isBlock()   {}
func (Table) isBlock()   {}
func (Signing) isBlock() {}
func (Links) isBlock()   {}
func (Code) isBlock()    {}
