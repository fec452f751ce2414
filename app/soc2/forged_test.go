package soc2

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/services"
)

// TestCriteria: each criterion has controls, each pattern is of one, and each control speaks to a
// criterion but those of which it is said.
func TestCriteria(t *testing.T) {
	t.Parallel()
	none := []string{
		"dynamodb-table-deletion-protection-off", "dynamodb-table-point-in-time-off", "rds-instance-backup-short", "rds-instance-deletion-protection-off",
		"rds-instance-tags-not-copied", // of availability and recovery (A1.2, CC7.5)
	}
	table := Criteria()
	for _, c := range table.controlsOf(services.Controls()) {
		if (len(c.Criteria) == 0) != slices.Contains(none, c.ID) {
			t.Errorf("%s speaks to %q", c.ID, c.Criteria)
		}
	}
	for _, c := range table.Criteria {
		for _, pattern := range c.Controls {
			one := Criterion{Controls: []string{pattern}}
			if !slices.ContainsFunc(table.controlsOf(services.Controls()), func(x Control) bool { return one.speaks(x.ID) }) {
				t.Errorf("%s: no control is %s", c.ID, pattern)
			}
		}
	}
	want := "CC6.1 CC6.2 CC6.3 CC6.6 CC6.7 CC6.8 CC7.1 CC7.2 CC7.3 CC7.4"
	var got []string
	for _, c := range table.Criteria {
		got = append(got, c.ID)
	}
	if strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
}

// Forge changes a file of a pack before its hash is recorded, as whoever has the signing key can.
func (p *Pack) Forge(name string, change func(string) string) {
	p.files[name] = []byte(change(string(p.files[name])))
	delete(p.files, sumsName)
	p.files[sumsName] = sums(p.files)
}

// Names are the files of a pack.
func (p *Pack) Names() (out []string) {
	for name := range p.files {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
