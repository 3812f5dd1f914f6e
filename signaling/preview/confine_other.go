//go:build !linux

package preview

import "errors"

// confine refuses: nothing is drawn where a process cannot be confined.
func confine() error { return errors.New("previews are made on Linux only") }
