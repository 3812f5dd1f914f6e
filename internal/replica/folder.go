package replica

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"jedel/internal/blob"
	"jedel/internal/ident"
)

// archive is the folder of one recording: a call, or a further part of it.
type archive struct {
	call ident.CallID
	dir  string // "calls/2026/11/23/ID" or "….2", below the folder of the archives
}

// file is a file of an archive that nobody writes any more.
type file struct {
	name string // below the archive's folder
	size int64
}

// folder is the folder of all archives, as the recorder lays it out. It is only read.
type folder struct{ root fs.FS }

var (
	yearName    = regexp.MustCompile(`^[0-9]{4}$`)
	monthName   = regexp.MustCompile(`^[0-9]{2}$`)
	segmentName = regexp.MustCompile(`^[0-9]{5}\.evr$`)
	proofName   = regexp.MustCompile(`^[a-z0-9.-]{1,60}$`)
)

// archives passes the archives, those of the newest day first. Days before since ("2026/11/20") are
// left out; an empty since gives all.
func (f folder) archives(ctx context.Context, since string, visit func(archive) error) error {
	return f.walk(ctx, "calls", 0, since, visit)
}

// walk descends through year, month and day to the archives.
func (f folder) walk(ctx context.Context, dir string, depth int, since string, visit func(archive) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	list, err := fs.ReadDir(f.root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the first call makes it
	}
	if err != nil {
		return fmt.Errorf("archives: %w", err)
	}
	for _, e := range slices.Backward(list) {
		if !e.IsDir() {
			continue
		}
		below := dir + "/" + e.Name()
		if depth == 3 {
			name, _, _ := strings.Cut(e.Name(), ".")
			id, err := ident.Parse[ident.CallID](name)
			if err != nil {
				continue
			}
			if err := visit(archive{id, below}); err != nil {
				return err
			}
			continue
		}
		shape := monthName
		if depth == 0 {
			shape = yearName
		}
		day := strings.TrimPrefix(below, "calls/")
		if !shape.MatchString(e.Name()) || day < since[:min(len(day), len(since))] {
			continue
		}
		if err := f.walk(ctx, below, depth+1, since, visit); err != nil {
			return err
		}
	}
	return nil
}

// closed lists the files of an archive that nobody writes any more, and whether all are closed. A
// segment is closed when there is a later one or the seal; heads only with the seal. Wrapped keys
// are none of them: their destruction is the destruction of the archive, and nothing can destroy
// what is locked.
func (f folder) closed(dir string) (files []file, sealed bool, err error) {
	list, err := fs.ReadDir(f.root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("archive: %w", err)
	}
	last := ""
	for _, e := range list { // sorted by name
		if segmentName.MatchString(e.Name()) {
			last = e.Name()
		}
		sealed = sealed || e.Name() == sealName && e.Type().IsRegular()
	}
	for _, e := range list {
		n := e.Name()
		if segmentName.MatchString(n) && (sealed || n != last) || sealed && (n == sealName || n == headsName) {
			files = take(files, n, e)
		}
	}
	proofs, err := fs.ReadDir(f.root, dir+"/"+proofsName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("archive: %w", err)
	}
	for _, e := range proofs {
		if sealed && proofName.MatchString(e.Name()) {
			files = take(files, proofsName+"/"+e.Name(), e)
		}
	}
	return files, sealed, nil
}

const sealName, headsName, proofsName = "seal.note", "heads", "proofs"

// take appends a regular file; one that is gone meanwhile is left for the next look.
func take(files []file, name string, e fs.DirEntry) []file {
	info, err := e.Info()
	if err != nil || !info.Mode().IsRegular() {
		return files
	}
	return append(files, file{name, info.Size()})
}

// sum reads a file and returns its hashes.
func (f folder) sum(ctx context.Context, name string) (blob.Sum, error) {
	in, err := f.root.Open(name)
	if err != nil {
		return blob.Sum{}, fmt.Errorf("archive: %w", err)
	}
	sha, md := sha256.New(), md5.New() // MD5 only because S3 asks for it
	n, err := io.Copy(io.MultiWriter(sha, md), reader{ctx.Err, in})
	if err := errors.Join(err, in.Close()); err != nil {
		return blob.Sum{}, fmt.Errorf("hash %s: %w", path.Base(name), err)
	}
	return blob.Sum{SHA256: [32]byte(sha.Sum(nil)), MD5: [16]byte(md.Sum(nil)), Size: n}, nil
}
