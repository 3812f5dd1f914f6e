package disk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Wipe destroys a small file. A file that is not there is no error: then only what a crash may have
// left undone is done.
//
//  1. write random bytes over it    killed here: it may be whole, torn or gone, and is wiped again
//  2. fsync                         killed here: the old bytes are gone from the file's own blocks
//  3. remove the name               killed here: the name may come back, with random bytes behind it
//  4. fsync the folder              from here on it is gone after a power cut
//
// Disks that write elsewhere than they are told (flash, copy on write) may keep the old bytes: what
// must not come back is to be on an encrypted volume.
func (d OS) Wipe(name string) error {
	full := d.path(name)
	f, err := os.OpenFile(full, os.O_WRONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return d.syncParent(full)
	}
	if err != nil {
		return fmt.Errorf("wipe: %w", err)
	}
	st, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, rand.Reader, st.Size())
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("wipe: %w", err)
	}
	return d.Remove(name)
}

// Remove removes a file, or a folder that is empty; it is gone after a power cut when Remove returns.
// One that is not there is no error.
func (d OS) Remove(name string) error {
	full := d.path(name)
	if err := os.Remove(full); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove: %w", err)
	}
	return d.syncParent(full)
}

// syncParent makes the folder of a name durable, where there is one.
func (d OS) syncParent(full string) error {
	dir := filepath.Dir(full)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return syncDir(dir)
}
