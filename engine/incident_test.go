package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam/role"
	rolewire "dera.example/dera/services/iam/role/wire"
)

// lastUse is a usage ledger that tells of everybody when it was last used; nil of nobody.
type lastUse struct{ at **time.Time }

func (l lastUse) Used(_ context.Context, _ string, principals []string) (map[string]resource.Use, error) {
	out := map[string]resource.Use{}
	for _, p := range principals {
		if *l.at != nil {
			out[p] = resource.Use{Seen: **l.at}
		}
	}
	return out, nil
}

// attached tells of the findings and incidents of a world, as cmd/dera does.
type attached struct{ w *world }

func (a attached) Attached(ctx context.Context, at dera.Scope) (map[dera.ARN]resource.Explained, error) {
	out := map[dera.ARN]resource.Explained{}
	open, err := a.w.store.OpenIn(ctx, at.Account, at.Region, at.Type)
	for _, f := range open {
		out[f.Resource] = resource.Explained{Open: *f.Used}
	}
	list, errIncidents := a.w.store.IncidentsIn(ctx, at.Account, at.Region, at.Type)
	for _, i := range list {
		e := out[i.Resource]
		e.Covered, e.Reference = i.Covers, i.Reference
		out[i.Resource] = e
	}
	return out, errors.Join(err, errIncidents)
}

// TestOnlyAnIncidentResolvesUse: a finding about use outlives the record of the use, the
// break-glass list and the role itself. An incident resolves it, with its reference in the
// audit log, and covers nothing later.
func TestOnlyAnIncidentResolvesUse(t *testing.T) {
	t.Parallel()
	w := &world{t: t, dir: t.TempDir(), clock: newClock(), mode: dera.Enforce}
	w.cloud = awssim.New(awssim.Config{Now: w.clock.Now, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	used := w.clock.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	seen := &used
	listed := control.Settings{Emergency: control.Emergency{Roles: []string{"break-*"}}}
	settings := listed
	w.config = func(c *engine.Config) {
		client := w.clientOf(func(c *cloud.Config) {
			c.Wires, c.Ports = []cloud.Wire{rolewire.Wire()}, map[string]any{resource.PortLedger: lastUse{&seen}, resource.PortIncidents: attached{w}}
		})
		c.Reader, c.Cloud, c.Settings = reader{client}, writer{client}, settings
		c.Controls = slices.DeleteFunc(rulebook(role.Name), func(c control.Control) bool { return !c.Incident })
	}
	w.open("engine-1")
	iam := func(operation string, parameters map[string]string) {
		t.Helper()
		if err := w.region.IAM(t.Context(), operation, parameters); err != nil {
			t.Fatal(err)
		}
	}
	create := func() {
		t.Helper()
		iam("CreateRole", map[string]string{"RoleName": "break-glass", "AssumeRolePolicyDocument": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
	}
	n := 0
	look := func(what string, want dera.FindingState) dera.Finding {
		t.Helper()
		n++
		w.clock.Advance(time.Hour)
		w.ingest(dera.Event{Source: "test", ID: strings.Repeat("e", n), Name: "UpdateRole", Time: w.clock.Now(),
			Scope: dera.Scope{Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: role.Name, IDs: []string{"break-glass"}}})
		w.quiet()
		all, err := w.store.Findings(t.Context())
		if err != nil || len(all) != 1 || all[0].State != want || all[0].Disposition != dera.Alert {
			t.Fatalf("%s: got %+v, %v, want one that is %s", what, all, err, want)
		}
		return all[0]
	}
	attach := func(id, reference string) error {
		_, err := w.engine.Attach(t.Context(), id, reference, "", dera.Actor{Name: "alice", How: "sts"})
		return err
	}
	create()
	f := look("used", dera.FindingOpen)
	if f.Used == nil || !f.Used.Seen.Equal(used) {
		t.Fatalf("got the use %+v, want that at %s", f.Used, used)
	}
	seen = nil
	look("the record is lost", dera.FindingOpen)
	settings = control.Settings{}
	w.open("engine-2")
	look("no list has it any more", dera.FindingOpen)
	settings = listed
	w.open("engine-3")
	iam("DeleteRole", map[string]string{"RoleName": "break-glass"})
	look("the role is deleted", dera.FindingOpen)
	if err := attach(f.ID, "INC-1"); err != nil {
		t.Fatal(err)
	}
	look("explained", dera.FindingResolved)
	var refused *engine.RefusedError
	if err := attach(f.ID, "INC-2"); !errors.As(err, &refused) {
		t.Errorf("attached to a finding that is resolved: got %v, want it refused", err)
	}
	create()
	seen = &used
	look("made again, and used no more", dera.FindingResolved)
	later := used.Add(time.Second)
	seen = &later
	if f = look("used again", dera.FindingOpen); !f.Used.Seen.Equal(later) {
		t.Errorf("got the use %+v, want that at %s", f.Used, later)
	}
	if err := attach(f.ID, "INC-2"); err != nil {
		t.Fatal(err)
	}
	look("explained again", dera.FindingResolved)
	ahead := w.clock.Now().AddDate(50, 0, 0)
	seen = &ahead
	if f = look("used in the future", dera.FindingOpen); !errors.As(attach(f.ID, "INC-3"), &refused) {
		t.Error("attached to use of the future, which covers all that comes: want it refused")
	}
	var log []string
	for _, r := range w.logged() {
		if r.Kind == dera.RecordIncident || strings.HasPrefix(r.Why, "resolved") {
			log = append(log, r.Actor.How+" "+r.Why)
		}
	}
	for i, want := range []string{`sts incident "INC-1" covers`, `"INC-1" explains`, `sts incident "INC-2" covers`, `"INC-2" explains`} {
		if len(log) != 4 || !strings.Contains(log[i], want) {
			t.Fatalf("records: got %q, want %q in the %d. one of 4", log, want, i+1)
		}
	}
}
