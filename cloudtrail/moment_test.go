package cloudtrail

import (
	"encoding/json"
	"testing"
	"time"
)

// TestMomentsCanBeWritten: a time of five digits, or before the year 0, is none in JSON: what could not be written
// could not be committed, and its message would fail for ever.
func TestMomentsCanBeWritten(t *testing.T) {
	t.Parallel()
	good := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for _, text := range []string{"9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z"} {
		at := moment(text, good.Format(time.RFC3339))
		if _, err := json.Marshal(at); err != nil || !at.Equal(good) {
			t.Errorf("moment of %s: got %v (%v), want the next text's", text, at, err)
		}
	}
	if at := moment("9999-12-31T23:59:59Z"); at.Year() != 9999 {
		t.Errorf("the last moment that can be written: got %v", at)
	}
}
