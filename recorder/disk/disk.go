// Package disk is the recorder's way to files: create, append, fdatasync, fsync of folders, atomic
// replacement, locks. It decides nothing. Tests put another Disk in its place that fails or waits.
package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// File is an append-only file.
type File interface {
	// Write appends; a short write is an error.
	Write(b []byte) (int, error)
	// Begin starts writing back what was written and does not wait for it. It may be left out; an error
	// is one of Sync.
	Begin() error
	// Sync makes everything written durable (fdatasync). After an error nothing about the file is
	// known and it must not be written again: Linux may have dropped the pages.
	Sync() error
	Close() error
}

// Disk is where archives are kept.
type Disk interface {
	// Create makes a new file and makes its name durable; an existing file is an error.
	Create(name string) (File, error)
	// Append opens an existing or new file for appending.
	Append(name string) (File, error)
	// Replace writes a whole file so that it is either there completely, durable, or not at all.
	Replace(name string, data []byte) error
	// MkdirAll makes a folder and its parents, their names durable.
	MkdirAll(dir string) error
	// Free returns the share of free bytes or of free inodes, whichever is less, 0..1.
	Free() (float64, error)
}

// OS is the real disk below a root folder.
type OS struct {
	Root  string
	Syncs *Syncs // how files become durable; nil: by fdatasync
}

func (d OS) path(name string) string { return filepath.Join(d.Root, filepath.FromSlash(name)) }

// Create implements Disk.
func (d OS) Create(name string) (File, error) {
	f, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	if err := syncDir(filepath.Dir(d.path(name))); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return osFile{f, d.Syncs}, nil
}

// Append implements Disk.
func (d OS) Append(name string) (File, error) {
	f, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("append: %w", err)
	}
	if err := syncDir(filepath.Dir(d.path(name))); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return osFile{f, d.Syncs}, nil
}

type osFile struct {
	*os.File
	syncs *Syncs
}

// Begin implements File with sync_file_range(2). Where the kernel does not know it, Sync does all.
// An error of the disk is told here and nowhere else, since the pages are gone with it. The kernel's workers
// begin all files of a round at once by themselves.
func (f osFile) Begin() error {
	if f.syncs != nil {
		return nil
	}
	err := unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
	switch {
	case err == nil, errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ESPIPE):
		return nil
	}
	return fmt.Errorf("sync_file_range: %w", err)
}

// Sync implements File with fdatasync: size and content, not the times.
func (f osFile) Sync() error {
	if err := f.syncs.sync(int(f.Fd())); err != nil {
		return fmt.Errorf("fdatasync: %w", err)
	}
	return nil
}

// Replace implements Disk:
//
//  1. write name.tmp          killed here: name.tmp is ignored and removed
//  2. fsync name.tmp          killed here: the same
//  3. rename to name          killed here: old or new, never half
//  4. fsync the folder        from here on it is there after a power cut
func (d OS) Replace(name string, data []byte) error {
	final := d.path(name)
	tmp := final + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	if err := os.Rename(tmp, final); err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	return syncDir(filepath.Dir(final))
}

// MkdirAll implements Disk. Each new folder's name is made durable in its parent.
func (d OS) MkdirAll(dir string) error {
	full := d.path(dir)
	var missing []string
	for p := full; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); err == nil || p == filepath.Dir(p) {
			break
		}
		missing = append(missing, p)
	}
	if err := os.MkdirAll(full, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	for _, p := range missing {
		if err := syncDir(filepath.Dir(p)); err != nil {
			return err
		}
	}
	return nil
}

// Elsewhere makes a folder below another root and a symbolic link to it here, both durable.
func (d OS) Elsewhere(root, dir string) error {
	other := OS{Root: root}
	if err := other.MkdirAll(dir); err != nil {
		return err
	}
	if err := d.MkdirAll(filepath.ToSlash(filepath.Dir(filepath.FromSlash(dir)))); err != nil {
		return err
	}
	target, err := filepath.Abs(other.path(dir))
	if err != nil {
		return fmt.Errorf("other volume: %w", err)
	}
	if err := os.Symlink(target, d.path(dir)); err != nil {
		return fmt.Errorf("other volume: %w", err)
	}
	return syncDir(filepath.Dir(d.path(dir)))
}

// Free implements Disk.
func (d OS) Free() (float64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.Root, &st); err != nil {
		return 0, fmt.Errorf("statfs: %w", err)
	}
	free := 1.0
	if st.Blocks > 0 {
		free = float64(st.Bavail) / float64(st.Blocks)
	}
	if st.Files > 0 { // some file systems do not count them
		free = min(free, float64(st.Ffree)/float64(st.Files))
	}
	return free, nil
}

// Ballast keeps a file of a size that can be given back when everything else is full. A size of 0
// gives it back. A disk that has no room for it has none to give back: that is no error.
func (d OS) Ballast(size int64) error {
	name := d.path("ballast")
	if size == 0 {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("ballast: %w", err)
		}
		return nil
	}
	if st, err := os.Stat(name); err == nil && st.Size() == size {
		return nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("ballast: %w", err)
	}
	err = syscall.Fallocate(int(f.Fd()), 0, 0, size)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("ballast: %w", err), os.Remove(name))
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("fsync folder: %w", err)
	}
	return nil
}

// ErrLocked means that another process uses the folder.
var ErrLocked = errors.New("another process uses this folder")

// Lock takes the folder for this process until it ends or release is called. A lock left by a
// killed process is free: the kernel forgets it.
func Lock(root string) (release func() error, err error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(root, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrLocked, f.Close())
	}
	return f.Close, nil
}
