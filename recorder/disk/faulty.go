package disk

// Kind is an operation of a Disk or a File.
type Kind string

// Kinds of operations.
const (
	OpCreate  Kind = "create"
	OpAppend  Kind = "append"
	OpReplace Kind = "replace"
	OpMkdir   Kind = "mkdir"
	OpFree    Kind = "free"
	OpWrite   Kind = "write"
	OpBegin   Kind = "begin"
	OpSync    Kind = "sync"
)

// Op is one operation about to be done.
type Op struct {
	Kind  Kind
	Name  string
	Bytes int // of a write
}

// Fate is what becomes of an operation. The zero value lets it succeed.
type Fate struct {
	Before error   // not done and refused
	After  error   // done but answered with an error
	Short  int     // with Before, on a write: so many bytes are written nevertheless
	Free   float64 // other than 0: the answer of Free
}

// Faulty is a Disk whose operations fail or wait as Decide says. Decide is called before each
// operation, by many goroutines; it may block, as a disk in trouble does.
type Faulty struct {
	Disk   Disk
	Decide func(Op) Fate
}

func (d Faulty) do(op Op, effect func() error) error {
	fate := d.Decide(op)
	if fate.Before != nil {
		return fate.Before
	}
	if err := effect(); err != nil {
		return err
	}
	return fate.After
}

// Create implements Disk.
func (d Faulty) Create(name string) (File, error) { return d.file(OpCreate, name, d.Disk.Create) }

// Append implements Disk.
func (d Faulty) Append(name string) (File, error) { return d.file(OpAppend, name, d.Disk.Append) }

func (d Faulty) file(k Kind, name string, open func(string) (File, error)) (File, error) {
	var f File
	err := d.do(Op{Kind: k, Name: name}, func() (err error) { f, err = open(name); return err })
	if err == nil {
		return faultyFile{f, name, d}, nil
	}
	if f != nil {
		_ = f.Close() // the answer is the error asked for
	}
	return nil, err
}

// Replace implements Disk.
func (d Faulty) Replace(name string, data []byte) error {
	return d.do(Op{OpReplace, name, len(data)}, func() error { return d.Disk.Replace(name, data) })
}

// MkdirAll implements Disk.
func (d Faulty) MkdirAll(dir string) error {
	return d.do(Op{Kind: OpMkdir, Name: dir}, func() error { return d.Disk.MkdirAll(dir) })
}

// Free implements Disk.
func (d Faulty) Free() (float64, error) {
	fate := d.Decide(Op{Kind: OpFree})
	if fate.Before != nil || fate.Free != 0 {
		return fate.Free, fate.Before
	}
	return d.Disk.Free()
}

type faultyFile struct {
	File
	name string
	disk Faulty
}

// Write implements File.
func (f faultyFile) Write(b []byte) (int, error) {
	fate := f.disk.Decide(Op{OpWrite, f.name, len(b)})
	if fate.Before != nil {
		n, _ := f.File.Write(b[:min(fate.Short, len(b))]) // the answer is the error asked for
		return n, fate.Before
	}
	n, err := f.File.Write(b)
	if err != nil {
		return n, err
	}
	return n, fate.After
}

// Begin implements File.
func (f faultyFile) Begin() error {
	return f.disk.do(Op{Kind: OpBegin, Name: f.name}, f.File.Begin)
}

// Sync implements File.
func (f faultyFile) Sync() error { return f.disk.do(Op{Kind: OpSync, Name: f.name}, f.File.Sync) }
