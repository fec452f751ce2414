package source

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dera.example/dera/services"
)

// TestExtra_files reads recorded files to the end and sorts every event.
func TestExtra_files(t *testing.T) {
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA is not set: it names the folder with recorded events (cloudtrail/*.jsonl.gz, stratus/*.json)")
	}
	var messages []Message
	files := map[string]int{}
	for raw, err := range recorded(filepath.Join(dir, "cloudtrail"), filepath.Join(dir, "stratus")) {
		if err != nil {
			t.Fatal(err)
		}
		files[raw.File]++
		var line struct{ Event json.RawMessage }
		if err := json.Unmarshal(raw.Body, &line); err != nil {
			t.Fatalf("%s: %v", raw.Position(), err)
		}
		if line.Event == nil {
			line.Event = raw.Body
		}
		messages = append(messages, Message{Body: string(line.Event)})
	}
	d := newSieve("files", services.Watch(), []string{"032092706103", "012345678901"}, false).sift(messages, time.Unix(0, 0))
	t.Logf("%d files: %+v", len(files), d.Counts)
	c := d.Counts
	if len(files) < 20 || c.Received < 400 || c.Received != c.Irrelevant+c.Failed+c.Foreign+c.Malformed+c.Hinted {
		t.Errorf("got %d files and counts %+v, want each event counted once", len(files), c)
	}
	// The attack on its own account and in its normalised form, and a group that is
	// created and that an instance starts with, which is another event for the instance, and
	// its end: of these the newest stays.
	if c.Hinted != 6 || len(d.Events) != 4 {
		t.Errorf("got %d hints and events %+v, want 6 hints and 4 events", c.Hinted, d.Events)
	}
}
