package recorder

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"jedel/internal/ident"
)

// Dir returns the folder of a call's archive below the root, for a call opened at a time.
func Dir(call ident.CallID, opened time.Time) string {
	return "calls/" + opened.UTC().Format("2006/01/02") + "/" + string(call)
}

// maxParts bounds the folders of one call. More than one is rare: each damage of what had already
// been signed makes one.
const maxParts = 99

// part returns the folder of a further part of a recording. The first is part 1.
func part(dir string, n int) string {
	if n == 1 {
		return dir
	}
	return dir + "." + strconv.Itoa(n)
}

// Parts lists the folders of a call's recording, in order: one, or more where a damaged one was left
// as it is and the recording went on beside it.
func Parts(root fs.FS, call ident.CallID, opened time.Time) []string {
	var out []string
	for n := 1; n <= maxParts; n++ {
		dir := part(Dir(call, opened), n)
		if _, err := fs.Stat(root, dir); err != nil {
			break
		}
		out = append(out, dir)
	}
	return out
}

// parsePart reads the name of a folder.
func parsePart(dir string) (ident.CallID, int, error) {
	name, number, more := strings.Cut(path.Base(dir), ".")
	n := 1
	if more {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 2 || n > maxParts || strconv.Itoa(n) != number {
			return "", 0, fmt.Errorf("%q is no part of a recording", dir)
		}
	}
	id, err := ident.Parse[ident.CallID](name)
	return id, n, err
}
