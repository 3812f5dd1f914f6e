package obs

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestLoggerKeepsItsLevelAndForm(t *testing.T) {
	var b bytes.Buffer
	log, err := Logger(&b, "warn", "json")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("not this")
	log.Warn("this", "call", "c1")
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil || line["msg"] != "this" || line["call"] != "c1" {
		t.Fatal(b.String(), err)
	}
}

func TestUnknownSettingsAreRefused(t *testing.T) {
	for _, c := range [][2]string{{"loud", "text"}, {"info", "xml"}} {
		if _, err := Logger(&bytes.Buffer{}, c[0], c[1]); err == nil {
			t.Error(c)
		}
	}
}
