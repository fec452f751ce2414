package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
	rolewire "dera.example/dera/services/iam/role/wire"
)

// copying is a world with a role that has a policy of AWS, of which it uses something.
type copying struct {
	*world
	arn     string // of the policy
	missing []string
	// updates says that only the control on copies that AWS outgrew acts from now on.
	updates bool
}

const copied = "reports"

func newCopying(t *testing.T) *copying {
	t.Helper()
	w := &copying{world: &world{t: t, dir: t.TempDir(), clock: newClock(), mode: dera.Enforce}}
	// What is made is older than the record of use.
	w.cloud = awssim.New(awssim.Config{Now: func() time.Time { return w.clock.Now().AddDate(0, 0, -200) }, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	w.gate = func(g *evaluate.Gate) { g.Plan = g.Plan[:3] }
	w.config = func(c *engine.Config) {
		client := w.clientOf(func(c *cloud.Config) {
			c.Wires, c.Ports = []cloud.Wire{rolewire.Wire()}, map[string]any{resource.PortLedger: everybodyQueries{}}
		})
		c.Reader, c.Cloud, c.Controls, c.BudgetPerHour = reader{client}, writer{client}, []control.Control{role.UnusedPermissions(), role.OutdatedCopy()}, 1000
		c.Settings.AutoAWSManaged = true
		if w.updates {
			c.Controls = []control.Control{role.OutdatedCopy()}
		}
	}
	w.arn = w.cloud.AddAWSPolicy("service-role/AthenaSome", bucketPolicy(permits("Only", usedAction, unusedAction)))
	w.must("CreateRole", map[string]string{"RoleName": copied, "AssumeRolePolicyDocument": bucketPolicy(mayAssume("First", `{"Service":"ec2.amazonaws.com"}`))})
	w.must("AttachRolePolicy", map[string]string{"RoleName": copied, "PolicyArn": w.arn})
	w.open("engine-1")
	w.cloud.Inject(awssim.Fault{Kind: awssim.HookAfter, Match: awssim.Match{Service: "iam"}, Func: w.holds})
	return w
}

func (w *copying) must(operation string, parameters map[string]string) {
	w.t.Helper()
	if err := w.region.IAM(w.t.Context(), operation, parameters); err != nil {
		w.t.Fatal(err)
	}
}

// now is the role as it is: whether it has the policy of AWS, and its copy.
func (w *copying) now() (attached bool, text string) {
	w.t.Helper()
	r, ok := w.cloud.Snapshot().Identity(string(iam.RoleKind.ARN("aws", account, "/", copied)))
	if !ok {
		w.t.Fatal("the role is gone")
	}
	return slices.Contains(r.Attached, w.arn), r.Inline[iam.CopyName(w.arn, "v1")]
}

// holds: at no moment may the role do less than it uses.
func (w *copying) holds() {
	if attached, text := w.now(); !attached && !strings.Contains(text, usedAction) {
		w.missing = append(w.missing, w.clock.Now().Format(time.TimeOnly))
	}
}

// changed tells the engine of the role.
func (w *copying) changed() {
	ev := dera.Event{Source: "test", ID: w.clock.Now().String(), Name: "AttachRolePolicy", Time: w.clock.Now()}
	ev.Scope = dera.Scope{Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: role.Name, IDs: []string{copied}}
	_ = w.engine.Ingest(w.t.Context(), []dera.Event{ev}, nil, nil)
	_ = w.engine.Drain(w.t.Context())
}

// fixed holds that the copy is in the place of the policy.
func (w *copying) fixed() {
	w.t.Helper()
	if attached, text := w.now(); attached || !strings.Contains(text, usedAction) || strings.Contains(text, unusedAction) || len(w.missing) > 0 {
		w.t.Errorf("attached %v, the copy is %q, too little at %v; want the copy alone, without %s", attached, text, w.missing, unusedAction)
	}
}

// fix is the remediation that made the copy.
func (w *copying) fix() dera.Remediation {
	w.t.Helper()
	list := slices.DeleteFunc(w.remediations(copied), func(r dera.Remediation) bool {
		return r.State == dera.Failed || r.State == dera.Waiting || r.Plan.Control != "iam-role-unused-permissions"
	})
	if len(list) != 1 {
		w.t.Fatalf("got %v, want one fix", states(w.remediations(copied)))
	}
	return list[0]
}

// update is the one remediation that gives the copy what AWS added.
func (w *copying) update() dera.Remediation {
	w.t.Helper()
	list := slices.DeleteFunc(w.remediations(copied), func(r dera.Remediation) bool { return r.Plan.Control != "iam-role-outdated-copy" })
	if len(list) != 1 {
		w.t.Fatalf("got %v, want one update", states(list))
	}
	return list[0]
}

// rollback takes the fix back.
func (w *copying) rollback() {
	w.t.Helper()
	if _, err := w.engine.Rollback(w.t.Context(), w.fix().ID, remediate.Request{By: person(), Reason: "test"}); err != nil {
		w.t.Fatal(err)
	}
	w.quiet()
}

// TestCopyOfAWS replaces a policy of AWS by a copy over the wire, with an engine that dies on the
// way, and takes it back.
func TestCopyOfAWS(t *testing.T) {
	t.Parallel()
	whole := newCopying(t)
	steps := whole.mortal(0)
	whole.changed()
	whole.fixed()
	wantState(t, whole.last(copied), dera.Resolved)
	for k := 1; k <= steps(); k += (crash{far: 7}).stride() {
		t.Run(fmt.Sprintf("dies_at_step_%03d", k), func(t *testing.T) {
			t.Parallel()
			w := newCopying(t)
			w.mortal(k)
			w.changed()
			w.reborn()
			w.changed() // the event may have been lost with the process
			w.quiet()
			w.fixed()
			if all := w.remediations(copied); len(all) != 1 {
				t.Errorf("got the remediations %v, want that the first is carried on", states(all))
			}
			w.rollback()
			if attached, text := w.now(); !attached || text != "" || len(w.missing) > 0 {
				t.Errorf("taken back: attached %v, the copy is %q, too little at %v", attached, text, w.missing)
			}
		})
	}
}

// TestCopyOfAWS_reads_behind: reads that are behind each write for a while change nothing.
func TestCopyOfAWS_reads_behind(t *testing.T) {
	t.Parallel()
	w := newCopying(t)
	w.clock.Advance(time.Hour)
	w.cloud.Inject(awssim.Fault{Kind: awssim.StaleRead, Lag: 3 * time.Second, Match: awssim.Match{Service: "iam"}})
	w.changed()
	w.quiet()
	w.fixed()
	w.clock.Advance(time.Minute)
	w.rollback()
	if attached, text := w.now(); !attached || text != "" || len(w.missing) > 0 {
		t.Errorf("taken back: attached %v, the copy is %q, too little at %v", attached, text, w.missing)
	}
}

// TestCopyOfAWS_undone: a rollback brings the version of AWS that is in force by then, and leaves
// the copy where the policy cannot be attached again.
func TestCopyOfAWS_undone(t *testing.T) {
	t.Parallel()
	w := newCopying(t)
	w.changed()
	w.fixed()
	if again := w.cloud.AddAWSPolicy("service-role/AthenaSome", bucketPolicy(permits("Only", usedAction, unusedAction, "athena:GetWorkGroup"))); again != w.arn {
		t.Fatalf("got %s", again)
	}
	for i := range 10 { // as many as a role can have
		arn := w.cloud.AddAWSPolicy(fmt.Sprintf("Other%d", i), bucketPolicy(permits("Only", usedAction)))
		w.must("AttachRolePolicy", map[string]string{"RoleName": copied, "PolicyArn": arn})
	}
	w.rollback()
	wantState(t, w.fix(), dera.UndoFailed)
	w.fixed()
	w.must("DetachRolePolicy", map[string]string{"RoleName": copied, "PolicyArn": "arn:aws:iam::aws:policy/Other0"})
	w.rollback()
	wantState(t, w.fix(), dera.RolledBack)
	if attached, text := w.now(); !attached || text != "" || len(w.missing) > 0 {
		t.Errorf("taken back: attached %v, the copy is %q, too little at %v", attached, text, w.missing)
	}
}

// TestCopyThatAWSOutgrows: what AWS adds to the policy of which a copy stands in its place
// waits for a person, and comes into the copy beside all that it has, whatever process dies.
func TestCopyThatAWSOutgrows(t *testing.T) {
	t.Parallel()
	outgrown := func(t *testing.T) (w *copying, kept string) {
		w = newCopying(t)
		w.changed()
		w.fixed()
		_, kept = w.now()
		w.clock.Advance(time.Hour)
		w.cloud.AddAWSPolicy("service-role/AthenaSome", bucketPolicy(permits("Only", usedAction, unusedAction, "athena:GetWorkGroup", "glue:GetTable")))
		// No guardrail of this gate waits for what nobody uses yet of what AWS added.
		w.updates = true
		w.reborn()
		w.changed() // AWS tells nobody, so that the next look finds it
		w.quiet()
		return w, kept
	}
	// texts are the copies, by version.
	texts := func(w *copying) (first, second string) {
		r, _ := w.cloud.Snapshot().Identity(string(iam.RoleKind.ARN("aws", account, "/", copied)))
		return r.Inline[iam.CopyName(w.arn, "v1")], r.Inline[iam.CopyName(w.arn, "v2")]
	}
	whole, kept := outgrown(t)
	wantState(t, whole.update(), dera.Waiting)
	if first, second := texts(whole); first != kept || second != "" {
		t.Errorf("before a person decides: got %q and %q, want the copy as it was", first, second)
	}
	whole.approve(whole.update())
	steps := whole.mortal(0)
	whole.quiet()
	wantState(t, whole.update(), dera.Resolved)
	holds := func(t *testing.T, w *copying) {
		t.Helper()
		first, second := texts(w)
		if first != "" || strings.Contains(second, unusedAction) || strings.Contains(second, "glue:") || !strings.Contains(second, usedAction) || !strings.Contains(second, "athena:GetWorkGroup") {
			t.Errorf("got %q and %q, want one copy with what was used and what AWS added", first, second)
		}
	}
	holds(t, whole)
	for k := 1; k <= steps(); k += (crash{far: 7}).stride() {
		t.Run(fmt.Sprintf("dies_at_step_%03d", k), func(t *testing.T) {
			t.Parallel()
			w, kept := outgrown(t)
			w.approve(w.update())
			w.mortal(k)
			_ = w.engine.Drain(t.Context())
			w.reborn()
			w.quiet()
			wantState(t, w.update(), dera.Resolved)
			holds(t, w)
			if _, err := w.engine.Rollback(t.Context(), w.update().ID, remediate.Request{By: person(), Reason: "test"}); err != nil {
				t.Fatal(err)
			}
			w.quiet()
			if first, second := texts(w); first != kept || second != "" {
				t.Errorf("taken back: got %q and %q, want the copy as it was", first, second)
			}
		})
	}
}
