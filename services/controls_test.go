package services_test

import (
	"strings"
	"testing"

	"dera.example/dera/services"
)

// TestIDs: no ID stands for two controls.
func TestIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range services.Controls() {
		if seen[c.ID] {
			t.Errorf("ID %s stands for two controls", c.ID)
		}
		seen[c.ID] = true
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, c := range services.Controls() {
		if got, err := services.FindControl(c.ID); err != nil || got.ID != c.ID {
			t.Errorf("find %s: got %s, %v", c.ID, got.ID, err)
		}
	}
	_, err := services.FindControl("ec2-securitygroup-nothing")
	if err == nil || !strings.Contains(err.Error(), "ec2-securitygroup-nothing") || !strings.Contains(err.Error(), services.Controls()[0].ID) {
		t.Errorf("find what is not there: got %v, want an error that lists the IDs", err)
	}
}
