package archtest

// exceptions are the broken rules we know of: "rule what" -> why. The list only shrinks.
var exceptions = map[string]string{
	"size internal/call.State": "the state of one call is one flat record on purpose: Apply is its only writer",

	"pure recorder/evr/scan.go imports io/fs":    "the scanner is handed the archive's folder as an fs.FS; it opens nothing by itself",
	"pure recorder/evr/segment.go imports io/fs": "see scan.go",
	"size internal/store.CallSummary":            "a row is a list of what there is, like a message",
	"size internal/app.put parameters":           "an item is its call, kind, key, time and body",

	"size internal/app.App methods": "one method per request; docs/ROADMAP.md says how it will be divided by desk",
	"size signaling.Server methods": "one method per route; docs/ROADMAP.md says how it will be divided by resource",
	"size media.Node methods":       "the app's contract and the housekeeping; the latter belongs to a type of its own",
}
