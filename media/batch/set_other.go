//go:build !linux

package batch

import "errors"

// Set is Linux only.
type Set struct{}

// NewSet fails with errors.ErrUnsupported.
func NewSet() (*Set, error) { return nil, errors.ErrUnsupported }

// Add fails with errors.ErrUnsupported.
func (*Set) Add(*Conn, int32) error { return errors.ErrUnsupported }

// Ready fails with errors.ErrUnsupported.
func (*Set) Ready([]int32) (int, error) { return 0, errors.ErrUnsupported }

// Close does nothing.
func (*Set) Close() error { return nil }
