package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestAccessesPort: the port tells what is asked for with what took it, what is given and what
// is left; of what is over or not granted it tells nothing, and of another partition neither.
func TestAccessesPort(t *testing.T) {
	t.Parallel()
	vault, err := audit.CreateVault(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "dera.db"), Sealer: vault})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	now := time.Now()
	var b store.Batch
	made := func(id string, state dera.State) {
		r := storetest.Remediation(id, "sg-1", now)
		r.State, r.Plan.Keys = state, []string{"access/a-3"}
		b.Remediations = append(b.Remediations, r)
	}
	ask := func(name, partition, took, grant string, end dera.AccessState) {
		a := dera.Access{ID: fmt.Sprintf("a-%d", len(b.Accesses)), Partition: partition, Account: "111122223333", Type: "AWS::IAM::Role", Name: name, Took: []string{took}, Grant: grant, Until: now.Add(time.Hour), At: now}
		if end != "" {
			a.End = &dera.AccessEnd{State: end, At: now}
		}
		b.Accesses = append(b.Accesses, a)
	}
	for id, state := range map[string]dera.State{"r-took": dera.Resolved, "r-back": dera.RolledBack, "r-waits": dera.Waiting, "r-given": dera.Resolved, "r-no": dera.Rejected, "r-late": dera.Expired} {
		made(id, state)
	}
	ask("asked", "aws", "r-took", "r-waits", "")
	ask("new", "aws", "r-took", "", "")
	ask("back", "aws", "r-back", "r-waits", "")
	ask("given", "aws", "r-took", "r-given", "")
	ask("left", "aws", "r-took", "r-given", dera.AccessLeft)
	ask("no", "aws", "r-took", "r-no", "")
	ask("late", "aws", "r-took", "r-late", "")
	ask("ended", "aws", "r-took", "r-given", dera.AccessEnded)
	ask("elsewhere", "aws-cn", "r-took", "", "")
	if err := db.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	known, err := accesses{db, time.Now}.Asked(t.Context(), dera.Scope{Partition: "aws", Account: "111122223333", Region: dera.GlobalRegion, Type: "AWS::IAM::Role"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, list := range known {
		for _, a := range list {
			got = append(got, fmt.Sprintf("%s %s plans %d given %t missing %t", name, a.State, len(a.Plans), len(a.Given) > 0, a.Missing != ""))
		}
	}
	slices.Sort(got)
	want := []string{
		"asked asked plans 1 given false missing false", "back asked plans 1 given false missing true", "given granted plans 0 given true missing false",
		"left left plans 0 given false missing false", "new asked plans 1 given false missing false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
