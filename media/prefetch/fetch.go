//go:build amd64 || arm64

package prefetch

// fetch asks for n pieces.
//
//go:noescape
func fetch(first *piece, n int)
