package bag

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Problem is what is wrong with a file of a bag.
type Problem string

// Problems.
const (
	Missing  Problem = "missing"  // listed, and not there
	WrongSum Problem = "sum"      // not what was listed
	Unlisted Problem = "unlisted" // there, and not listed
	BadLine  Problem = "line"     // a manifest has a line that cannot be used
	BadTag   Problem = "tag"      // bagit.txt or bag-info.txt is not what RFC 8493 says
	BadCount Problem = "count"    // not the bytes and files that bag-info.txt says
)

// Fault is one thing that is wrong with a bag.
type Fault struct {
	File    string
	Problem Problem
	Line    int // of a manifest, where the problem is a line; else 0
}

// Report is what was found of a bag.
type Report struct {
	Info      map[string]string // bag-info.txt; the last of lines with one label
	Manifests []string          // that were held against the files
	Files     int               // of the payload
	Bytes     int64
	Faults    []Fault // in order of file; at most maxFaults
}

// Bounds of what is read.
const (
	maxTag      = 1 << 20
	maxManifest = 64 << 20
	maxFaults   = 1000
)

// ErrNoBag means that there is no bagit.txt.
var ErrNoBag = errors.New("no bag here")

// Is reports whether a folder says that it is a bag.
func Is(fsys fs.FS) bool {
	st, err := fs.Stat(fsys, "bagit.txt")
	return err == nil && st.Mode().IsRegular()
}

// Check holds a bag against its manifests, each with SHA-256 or SHA-512 that is there. Errors are
// those of the file system, and ErrNoBag; what is wrong with the bag is in the report.
func Check(fsys fs.FS) (*Report, error) {
	if !Is(fsys) {
		return nil, ErrNoBag
	}
	c := &checker{fsys: fsys, report: &Report{Info: map[string]string{}}, sums: map[string]sums{}}
	raw, err := c.read("bagit.txt", maxTag)
	if err != nil {
		return nil, err
	}
	if !goodDeclaration(raw) {
		c.fault(Fault{File: "bagit.txt", Problem: BadTag})
	}
	if err := c.payload(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{c.info, c.manifests} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(c.report.Faults, func(a, b Fault) int { return strings.Compare(a.File, b.File) })
	return c.report, nil
}

type sums struct {
	size  int64
	hexes map[string]string // by algorithm
}

type checker struct {
	fsys   fs.FS
	report *Report
	sums   map[string]sums
}

func (c *checker) fault(f Fault) {
	if len(c.report.Faults) < maxFaults && !slices.Contains(c.report.Faults, f) {
		c.report.Faults = append(c.report.Faults, f)
	}
}

// read returns a small file; one that is too large is cut, which its checksum will tell.
func (c *checker) read(name string, limit int64) ([]byte, error) {
	f, err := c.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, limit))
	return raw, errors.Join(err, f.Close())
}

func goodDeclaration(raw []byte) bool {
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n"), "\n")
	return len(lines) == 2 && (lines[0] == "BagIt-Version: 1.0" || lines[0] == "BagIt-Version: 0.97") && lines[1] == "Tag-File-Character-Encoding: UTF-8"
}

// payload lists what lies below data/.
func (c *checker) payload() error {
	err := fs.WalkDir(c.fsys, "data", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		c.sums[name] = sums{size: st.Size(), hexes: map[string]string{}}
		c.report.Files++
		c.report.Bytes += st.Size()
		if !d.Type().IsRegular() {
			c.fault(Fault{File: name, Problem: Unlisted}) // a link leads out of the bag
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		c.fault(Fault{File: "data", Problem: Missing})
		return nil
	}
	return err
}

// info reads bag-info.txt and counts what it says.
func (c *checker) info() error {
	raw, err := c.read("bag-info.txt", maxTag)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // RFC 8493 does not ask for it
	}
	if err != nil {
		return err
	}
	label := ""
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\r\n")
		key, value, ok := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
			c.report.Info[label] += " " + strings.TrimSpace(line)
		case ok:
			label = key
			c.report.Info[label] = strings.TrimSpace(value)
		case line != "":
			c.fault(Fault{File: "bag-info.txt", Problem: BadTag})
		}
	}
	if oxum, ok := c.report.Info["Payload-Oxum"]; ok && oxum != fmt.Sprintf("%d.%d", c.report.Bytes, c.report.Files) {
		c.fault(Fault{File: "bag-info.txt", Problem: BadCount})
	}
	return nil
}

func algorithms() []string { return []string{"sha256", "sha512"} }

func (c *checker) manifests() error {
	tagged := false
	for _, alg := range algorithms() {
		listed, ok, err := c.manifest("manifest-"+alg+".txt", alg)
		if err != nil {
			return err
		}
		if ok {
			for name := range c.sums {
				if !listed[name] {
					c.fault(Fault{File: name, Problem: Unlisted})
				}
			}
		}
		if _, ok, err = c.manifest("tagmanifest-"+alg+".txt", alg); err != nil {
			return err
		}
		tagged = tagged || ok
	}
	if !slices.ContainsFunc(c.report.Manifests, func(n string) bool { return strings.HasPrefix(n, "manifest-") }) {
		c.fault(Fault{File: "manifest-sha256.txt", Problem: Missing})
	}
	if !tagged { // without it the manifests themselves are unguarded
		c.fault(Fault{File: "tagmanifest-sha256.txt", Problem: Missing})
	}
	return nil
}

// manifest holds the files of one list against their checksums.
func (c *checker) manifest(list, alg string) (listed map[string]bool, ok bool, err error) {
	raw, err := c.read(list, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	c.report.Manifests = append(c.report.Manifests, list)
	listed = map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 64<<10)
	n := 0
	for lines.Scan() {
		n++
		sum, name, cut := strings.Cut(strings.TrimRight(lines.Text(), "\r"), " ")
		name = decodePath(strings.TrimPrefix(strings.TrimLeft(name, " \t"), "*"))
		if inData := strings.HasPrefix(name, payload); !cut || !fs.ValidPath(name) || listed[name] || inData == strings.HasPrefix(list, "tag") {
			c.fault(Fault{File: list, Problem: BadLine, Line: n})
			continue
		}
		listed[name] = true
		if err := c.one(name, alg, sum); err != nil {
			return nil, false, err
		}
	}
	if lines.Err() != nil {
		c.fault(Fault{File: list, Problem: BadLine, Line: n + 1})
	}
	return listed, true, nil
}

// one holds a file against a checksum.
func (c *checker) one(name, alg, want string) error {
	if st, err := fs.Stat(c.fsys, name); err != nil || !st.Mode().IsRegular() {
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			c.fault(Fault{File: name, Problem: Missing})
			return nil
		}
		return err
	}
	s := c.sums[name]
	if s.hexes[alg] == "" {
		all, err := sumFile(c.fsys, name)
		if err != nil {
			return err
		}
		s.hexes = all
		c.remember(name, s)
	}
	if !strings.EqualFold(s.hexes[alg], want) {
		c.fault(Fault{File: name, Problem: WrongSum})
	}
	return nil
}

// remember keeps the sums of a payload file: the second manifest need not read it again.
func (c *checker) remember(name string, s sums) {
	if _, ok := c.sums[name]; ok {
		c.sums[name] = s
	}
}

func sumFile(fsys fs.FS, name string) (map[string]string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	by := map[string]hash.Hash{"sha256": sha256.New(), "sha512": sha512.New()}
	_, err = io.Copy(io.MultiWriter(by["sha256"], by["sha512"]), f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for alg, h := range by {
		out[alg] = hex.EncodeToString(h.Sum(nil))
	}
	return out, nil
}
