// Package web carries the built pages inside the binary.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// TipPage returns the page of anonymous tips: tip.html and its assets.
func TipPage() fs.FS {
	sub, err := fs.Sub(dist, "dist/tip")
	if err != nil {
		panic("bug: the name is well formed: " + err.Error())
	}
	return sub
}

// Pages returns the built pages: index.html (caller), console.html, evidence.html, their assets
// under assets/, and what stands in web/public. It is empty but for .keep before `make web`.
func Pages() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("bug: the embedded folder is there by construction: " + err.Error())
	}
	return sub
}
