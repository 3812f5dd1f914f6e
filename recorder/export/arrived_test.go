package export

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"jedel/recorder/plain"
	"jedel/recorder/verify"
)

// TestAReportCountsWhatArrived counts a whole call, and one of which a part is withheld.
func TestAReportCountsWhatArrived(t *testing.T) {
	x := take(t, true, true, 22)
	list, err := Arrived(os.DirFS(x.dir), x.ring)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	rep, err := verify.Dir(os.DirFS(x.dir), verify.Options{Keys: []string{x.key}, Ring: x.ring})
	if err != nil {
		t.Fatal(err)
	}
	rep.Arrived(list)
	if a := rep.Arrivals[0]; a.Received < 100 || a.Lost+a.Repeated+a.Copied != 0 || a.MissingMs != 0 || a.Partial || a.Role != "caller" || a.Missing == nil {
		t.Errorf("%+v", a)
	}
	var text, raw bytes.Buffer
	if err := rep.Text(&text); err != nil || !strings.Contains(text.String(), "V6  arrived     caller audio: ") {
		t.Error(err, text.String())
	}
	if err := rep.JSON(&raw); err != nil || !strings.Contains(raw.String(), `"missing": []`) {
		t.Error(err, raw.String())
	}

	r := request()
	r.Withhold = []Stretch{{Stream: 1, From: 12 * time.Second, To: 15 * time.Second}}
	files := x.unzip(t, r, x.site())
	dir, err := verify.Archive(files)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := plain.Beside(dir)
	if err != nil {
		t.Fatal(err)
	}
	if list, err = Arrived(files, ring); err != nil {
		t.Fatal(err)
	}
	rep, _ = check(t, files, x.key)
	rep.Arrived(list)
	if len(rep.Arrivals) != 1 || !rep.Arrivals[0].Partial {
		t.Errorf("part of it is closed, and it is not said: %+v", rep.Arrivals)
	}
}

// TestAViewerOfACallThatNobodyOpenedHasAListAllTheSame looks at a copy made beside no gateway.
func TestAViewerOfACallThatNobodyOpenedHasAListAllTheSame(t *testing.T) {
	x := take(t, true, true, 1)
	site := x.site()
	site.Accesses = nil
	viewer := string(x.unzip(t, request(), site)["data/viewer/index.html"].Data)
	if strings.Contains(viewer, `"accesses":null`) || !strings.Contains(viewer, `"accesses":[]`) {
		t.Error("the page cannot be shown:", viewer)
	}
}
