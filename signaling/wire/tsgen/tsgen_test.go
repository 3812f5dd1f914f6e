package tsgen

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write web/lib/wire.gen.ts")

func TestPagesHaveTheTypesOfThisVersion(t *testing.T) {
	const path = "../../../web/lib/wire.gen.ts"
	want := File()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Fatal("web/lib/wire.gen.ts is old: run make generate")
	}
}
