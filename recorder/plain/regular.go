package plain

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrIrregular reports a pipe, a device or the like where a file should be.
var ErrIrregular = errors.New("not a regular file")

// Regular is a folder of which only files and folders are opened. In one that somebody else could
// write a pipe may stand, whose opening never ends, or a link to a device, whose reading never does.
func Regular(fsys fs.FS) fs.FS { return regular{fsys} }

type regular struct{ fs.FS }

// Open implements fs.FS.
func (r regular) Open(name string) (fs.File, error) {
	st, err := fs.Stat(r.FS, name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() && !st.IsDir() {
		return nil, fmt.Errorf("open %s: %w", name, ErrIrregular)
	}
	return r.FS.Open(name)
}

// Stat implements fs.StatFS.
func (r regular) Stat(name string) (fs.FileInfo, error) { return fs.Stat(r.FS, name) }

// ReadDir implements fs.ReadDirFS.
func (r regular) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(r.FS, name) }
