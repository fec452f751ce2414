package table_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/dynamodb/table"
)

// TestStatusIsNoChange: that a table is on its way to another status, as after each write,
// is no change beside what was written.
func TestStatusIsNoChange(t *testing.T) {
	t.Parallel()
	canon := func(x table.Table) string {
		t.Helper()
		text, err := table.Type().Canon(&x)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	base := table.Table{Config: resourcepolicy.Config{ID: "orders"}, Status: "ACTIVE", DeletionProtection: new(bool)}
	busy, other, tagged, mine := base, base, base, base
	busy.Status = "UPDATING"
	other.PointInTime = new(bool)
	tagged.Tags = map[string]string{"team": "a"}
	mine.Tags = map[string]string{"dera:fix": "r-1"}
	if canon(base) != canon(busy) || canon(base) != canon(mine) {
		t.Errorf("got %s, %s and %s, want the same", canon(base), canon(busy), canon(mine))
	}
	if canon(base) == canon(other) || canon(base) == canon(tagged) {
		t.Errorf("got %s for a table with another setting, or with a tag", canon(base))
	}
}
