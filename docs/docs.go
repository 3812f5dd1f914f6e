// Package docs carries the pages about the format of recordings, which go along with every export.
package docs

import _ "embed" // the pages

// Evidence is docs/EVIDENCE.md, the authority for the format.
//
//go:embed EVIDENCE.md
var Evidence []byte

// Reader is the reader of the format written from that page alone, in Python.
//
//go:embed evr_reader.py
var Reader []byte
