package catalog

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestExtra_events holds the classes against recorded events: an action whose
// call was a data event is none that counts as a management event.
func TestExtra_events(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("DERA_EXTRA_DATA")
	if folder == "" {
		t.Skip("DERA_EXTRA_DATA is not set")
	}
	files, err := filepath.Glob(filepath.Join(folder, "cloudtrail", "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no events in %s: %v", folder, err)
	}
	c := Embedded()
	count, unknown := map[string]int{}, map[string]bool{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var line struct {
				Event struct {
					EventSource, EventName, EventCategory string
					ManagementEvent                       *bool
				} `json:"event"`
			}
			if json.Unmarshal(lines.Bytes(), &line) != nil || line.Event.EventSource == "" {
				continue
			}
			e := line.Event
			count["events"]++
			call, known := c.Event(e.EventSource, e.EventName)
			if len(c.Prefixes(e.EventSource)) == 0 {
				unknown[e.EventSource] = true
			}
			if !known {
				count["not known"]++
			}
			data := e.EventCategory == "Data" || e.ManagementEvent != nil && !*e.ManagementEvent
			for _, a := range call.Actions {
				switch class := c.Evidence(a).Class; {
				case data && class == Management:
					t.Errorf("%s %s is a data event, and %s has the class %v", e.EventSource, e.EventName, a, class)
				case !data && class == Unknown:
					count["a management event of an action that is kept"]++
				default:
					count[class.String()]++
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%v; sources that stand for no service: %v", count, unknown)
}
