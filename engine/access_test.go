package engine_test

import (
	"context"
	"encoding/json"
	"errors"
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
	"dera.example/dera/services/iam/role"
	rolewire "dera.example/dera/services/iam/role/wire"
	"dera.example/dera/store"
)

const (
	wideOwn   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:CreateQueue","sqs:DeleteQueue","sqs:TagQueue"],"Resource":"arn:aws:sqs:*:*:reports-*"}]}`
	narrowOwn = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:CreateQueue"],"Resource":"arn:aws:sqs:*:*:reports-*"}]}`
	appARN    = dera.ARN("arn:aws:iam::" + account + ":role/app")
)

// askedFor tells what was asked for in a world, as cmd/dera does.
type askedFor struct{ w *world }

func (x askedFor) Asked(ctx context.Context, at dera.Scope) (map[string][]resource.Asked, error) {
	out := map[string][]resource.Asked{}
	list, err := x.w.store.AccessesIn(ctx, at.Account, at.Type)
	for _, a := range list {
		state, grant, errState := x.w.store.AccessState(ctx, a, x.w.clock.Now())
		one := resource.Asked{Access: a, State: state}
		if state == dera.AccessGranted {
			one.Given = grant.Plan.Changes
		}
		for _, id := range a.Took {
			r, errTook := x.w.store.Remediation(ctx, id)
			one.Plans, err = append(one.Plans, resource.TookBy{Remediation: id, Changes: r.Plan.Changes}), errors.Join(err, errTook)
		}
		out[a.Name], err = append(out[a.Name], one), errors.Join(err, errState)
	}
	return out, err
}

// accessWorld has a role from which r-took took an action.
type accessWorld struct{ *world }

func newAccessWorld(t *testing.T) accessWorld {
	t.Helper()
	w := accessWorld{&world{t: t, dir: t.TempDir(), clock: newClock(), mode: dera.Observe}}
	w.cloud = awssim.New(awssim.Config{Now: w.clock.Now, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	w.config = func(c *engine.Config) {
		client := w.clientOf(func(c *cloud.Config) {
			c.Wires, c.Ports = []cloud.Wire{rolewire.Wire()}, map[string]any{resource.PortAccess: askedFor{w.world}}
		})
		c.Reader, c.Cloud, c.CenterNames = reader{client}, writer{client}, true
		c.Controls = slices.DeleteFunc(rulebook(role.Name), func(c control.Control) bool { return !c.Gives })
	}
	w.open("engine-1")
	w.iam("CreateRole", "AssumeRolePolicyDocument", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	w.iam("PutRolePolicy", "PolicyName", "own", "PolicyDocument", narrowOwn)
	w.took(dera.Resolved)
	return w
}

// took puts what took the action into the store.
func (w accessWorld) took(state dera.State) {
	w.t.Helper()
	input, err := json.Marshal(map[string]string{"name": "app", "policy": "own", "document": narrowOwn, "expect": wideOwn})
	if err != nil {
		w.t.Fatal(err)
	}
	now := w.clock.Now().Add(-time.Hour)
	r := dera.Remediation{
		ID: "r-took", Control: "iam-role-unused-permissions", State: state, Severity: dera.Medium, Decision: dera.Decision{Disposition: dera.Auto}, Principals: []string{string(appARN)}, CreatedAt: now, Steps: []dera.Step{{State: state, At: now}},
		Covers: []dera.Extent{{Key: "unused", Permissions: []string{"sqs:DeleteQueue", "sqs:TagQueue"}}},
		Plan: dera.Plan{Partition: "aws", Account: account, Region: dera.GlobalRegion, Resource: appARN, Type: role.Name, Control: "iam-role-unused-permissions", Keys: []string{"unused"},
			Changes: []dera.Change{{Operation: "iam:PutRolePolicy", Version: 1, Input: input}}},
	}
	b := store.Batch{Remediations: []dera.Remediation{r}, Watches: []dera.Watch{{Remediation: r.ID, Principal: string(appARN), Since: now}}}
	if err := w.store.Commit(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
}

// iam calls IAM about the role; more are names and values of parameters.
func (w accessWorld) iam(operation string, more ...string) {
	w.t.Helper()
	parameters := map[string]string{"RoleName": "app"}
	for i := 0; i < len(more); i += 2 {
		parameters[more[i]] = more[i+1]
	}
	if err := w.region.IAM(w.t.Context(), operation, parameters); err != nil {
		w.t.Fatal(err)
	}
}

func somebody(name string) dera.Actor {
	return dera.Actor{Name: "arn:aws:sts::" + account + ":assumed-role/" + name, How: "sts"}
}

func (w accessWorld) ask(d time.Duration) dera.Access {
	w.t.Helper()
	return w.askFor("sqs:deletequeue", d)
}

func (w accessWorld) askFor(action string, d time.Duration) dera.Access {
	w.t.Helper()
	a, err := w.engine.RequestAccess(w.t.Context(), engine.AccessOrder{Principal: appARN, Actions: []string{action}, For: d, Reason: "the report", By: somebody("dev/ann")})
	if err != nil {
		w.t.Fatal(err)
	}
	w.look()
	return w.access(a.ID)
}

func (w accessWorld) access(id string) dera.Access {
	w.t.Helper()
	a, err := w.store.Access(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w accessWorld) look() {
	w.t.Helper()
	ev := dera.Event{Source: "test", Name: "by hand", Time: w.clock.Now(), Scope: dera.Scope{Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: role.Name, IDs: []string{"app"}}}
	if err := w.engine.LookNow(w.t.Context(), ev, false); err != nil {
		w.t.Fatal(err)
	}
}

func (w accessWorld) decide(a dera.Access, yes bool, by string) error {
	r, err := w.store.Remediation(w.t.Context(), a.Grant)
	if err != nil {
		return err
	}
	_, err = w.engine.Decide(w.t.Context(), r.ID, engine.Answer{Approve: yes, Digest: r.Digest, Reason: "x", By: somebody(by)})
	return err
}

func (w accessWorld) grant(a dera.Access) {
	w.t.Helper()
	if err := w.decide(a, true, "ops/bob"); err != nil {
		w.t.Fatal(err)
	}
	if r, err := w.engine.Carry(w.t.Context(), a.Grant); err != nil || r.State != dera.Resolved {
		w.t.Fatalf("got %s (%s), %v, want it resolved", r.State, r.Failure, err)
	}
}

// inline are the inline policies of the role in the simulated AWS.
func (w accessWorld) inline() map[string]string {
	w.t.Helper()
	page, err := w.clientOf(func(c *cloud.Config) { c.Wires = []cloud.Wire{rolewire.Wire()} }).Read(w.t.Context(),
		dera.Scope{Partition: "aws", Account: account, Region: dera.GlobalRegion, Type: role.Name, IDs: []string{"app"}}, true)
	if err != nil || len(page.Resources) != 1 {
		w.t.Fatalf("read the role: %+v, %v", page, err)
	}
	out := map[string]string{}
	for _, p := range page.Resources[0].Config.(*role.Role).Inline {
		out[p.Name] = p.Document
	}
	return out
}

func (w accessWorld) state(id string) dera.AccessState {
	w.t.Helper()
	state, _, err := w.store.AccessState(w.t.Context(), w.access(id), w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}

// TestAccess_refused: what nobody took is not given back, nor for too long, nor twice; and
// neither who asked nor who gets it grants it.
func TestAccess_refused(t *testing.T) {
	t.Parallel()
	w := newAccessWorld(t)
	order := engine.AccessOrder{Principal: appARN, Actions: []string{"sqs:DeleteQueue"}, For: time.Hour, Reason: "the report", By: somebody("dev/ann")}
	for name, tc := range map[string]struct {
		change func(*engine.AccessOrder)
		want   string
	}{
		"not_taken":         {func(o *engine.AccessOrder) { o.Actions = []string{"sqs:CreateQueue"} }, "taken from it are: sqs:DeleteQueue"},
		"a_pattern":         {func(o *engine.AccessOrder) { o.Actions = []string{"sqs:*"} }, "taken from it are: sqs:DeleteQueue"},
		"one_of_two":        {func(o *engine.AccessOrder) { o.Actions = append(o.Actions, "s3:GetObject") }, "took s3:GetObject"},
		"another_principal": {func(o *engine.AccessOrder) { o.Principal += "2" }, "dera took nothing from it"},
		"a_group":           {func(o *engine.AccessOrder) { o.Principal = "arn:aws:iam::" + account + ":group/app" }, "is no principal"},
		"another_account":   {func(o *engine.AccessOrder) { o.Principal = "arn:aws:iam::444455556666:role/app" }, "not in the configuration"},
		"too_long":          {func(o *engine.AccessOrder) { o.For = 13 * time.Hour }, "access.max_hours"},
		"no_reason":         {func(o *engine.AccessOrder) { o.Reason = " " }, "no reason"},
		"nobody":            {func(o *engine.AccessOrder) { o.By.How = "" }, "not established"},
	} {
		o := order
		o.Actions = slices.Clone(order.Actions)
		tc.change(&o)
		var refused *engine.RefusedError
		if _, err := w.engine.RequestAccess(t.Context(), o); !errors.As(err, &refused) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want it refused with %q", name, err, tc.want)
		}
	}
	a := w.ask(8 * time.Hour)
	if _, err := w.engine.RequestAccess(t.Context(), order); err == nil || !strings.Contains(err.Error(), "asked already") {
		t.Errorf("asked again: got %v", err)
	}
	for by, want := range map[string]string{"dev/ann": "asked for it", "dev/another-session": "asked for it", "app/i-0123": "is who gets it"} {
		if err := w.decide(a, true, by); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s grants: got %v, want %q", by, err, want)
		}
	}
	if len(w.inline()) != 1 {
		t.Errorf("got %v, want nothing given", w.inline())
	}
}

// TestAccess_four_eyes: a name that somebody can choose makes no second person.
func TestAccess_four_eyes(t *testing.T) {
	t.Parallel()
	const sts, iam = "arn:aws:sts::" + account + ":", "arn:aws:iam::" + account + ":"
	for _, tc := range []struct {
		asks, grants string
		ok           bool
	}{
		{sts + "assumed-role/dev/ann", sts + "assumed-role/ops/ann", true},
		{sts + "assumed-role/dev/ann", sts + "assumed-role/dev/bob", false},
		{sts + "assumed-role/dev/ann", iam + "user/staff/bob", true},
		{iam + "user/staff/ann", iam + "user/staff/ann", false},
		{iam + "user/staff/ann", iam + "user/ann", false},
		{iam + "user/staff/ann", sts + "federated-user/bob", false},
		{sts + "assumed-role/AWSReservedSSO_dev_0123456789abcdef/ann", sts + "assumed-role/AWSReservedSSO_dev_0123456789abcdef/bob", true},
		{sts + "assumed-role/AWSReservedSSO_dev_0123456789abcdef/ann", sts + "assumed-role/AWSReservedSSO_dev_0123456789abcdef/ann", false},
		{sts + "assumed-role/dev/ann", sts + "assumed-role/app/bob", false}, // it gets it
		{sts + "assumed-role/AWSReservedSSO_dev_0123456789abcdef/ann", "https://login.example.com|1|bob", true},
		{sts + "assumed-role/AWSReservedSSO_dev_0123456789abcdef/ann", "https://login.example.com|1|Ann", false},
		{sts + "assumed-role/dev/ann", "https://login.example.com|1|bob", false}, // the name of the session says nothing
	} {
		w := newAccessWorld(t)
		a, err := w.engine.RequestAccess(t.Context(), engine.AccessOrder{Principal: appARN, Actions: []string{"sqs:DeleteQueue"}, For: time.Hour, Reason: "x", By: dera.Actor{Name: tc.asks, How: "sts"}})
		if err != nil {
			t.Fatal(err)
		}
		w.look()
		r := w.remediation(w.access(a.ID).Grant)
		_, err = w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: dera.Actor{Name: tc.grants, How: "sts"}})
		var refused *engine.RefusedError
		if tc.ok != (err == nil) || err != nil && !errors.As(err, &refused) {
			t.Errorf("%s asks and %s grants: got %v, want it allowed %t", tc.asks, tc.grants, err, tc.ok)
		}
	}
}

// TestAccess_for_a_time: what is granted is given in mode observe too, and ends however dera
// was down, by the job or by a command, once; the policy of before stays.
func TestAccess_for_a_time(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w accessWorld) error{
		"by_the_job": func(w accessWorld) error { return w.engine.Drain(w.t.Context()) },
		"by_a_command": func(w accessWorld) error {
			return errors.Join(w.engine.EndAccesses(w.t.Context()), w.engine.EndAccesses(w.t.Context()))
		},
		"after_a_restart": func(w accessWorld) error {
			w.open("engine-2")
			return errors.Join(w.engine.Start(w.t.Context(), "test"), w.engine.Drain(w.t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAccessWorld(t)
			a := w.ask(8 * time.Hour)
			w.grant(a)
			given := w.inline()
			if text := given["dera-access-"+strings.TrimPrefix(a.ID, "a-")]; len(given) != 2 || given["own"] != narrowOwn || !strings.Contains(text, `"sqs:DeleteQueue"`) || strings.Contains(text, "CreateQueue") ||
				!strings.Contains(text, a.Until.Format(time.RFC3339)) || !strings.Contains(text, "arn:aws:sqs:*:*:reports-*") {
				t.Errorf("given: got %v", given)
			}
			if err := w.engine.EndAccesses(t.Context()); err != nil || len(w.inline()) != 2 {
				t.Errorf("before its time: got %v, %v, want it as it is", w.inline(), err)
			}
			w.clock.Advance(20 * time.Hour)
			if err := end(w); err != nil {
				t.Fatal(err)
			}
			if got := w.inline(); len(got) != 1 || got["own"] != narrowOwn || w.state(a.ID) != dera.AccessEnded {
				t.Errorf("then: got %v, %s, want it ended", got, w.state(a.ID))
			}
			w.look()
			if open, err := w.store.OpenIn(t.Context(), account, dera.GlobalRegion, role.Name); err != nil || len(open) > 0 {
				t.Errorf("then: got %+v, %v, want nothing open", open, err)
			}
			var told []string
			for _, r := range w.logged() {
				if r.Kind == dera.RecordAccess || r.Access != nil {
					told = append(told, fmt.Sprint(r.Kind, " ", r.Access.Took))
				}
			}
			if want := []string{"access [r-took]", "approval [r-took]", "access [r-took]"}; !slices.Equal(told, want) {
				t.Errorf("records: got %q, want %q", told, want)
			}
		})
	}
}

// TestAccess_ends: what stands in the way of the end, and what does not.
func TestAccess_ends(t *testing.T) {
	t.Parallel()
	name := func(a dera.Access) string { return "dera-access-" + strings.TrimPrefix(a.ID, "a-") }
	for what, tc := range map[string]struct {
		before func(accessWorld, dera.Access)
		err    string
		state  dera.AccessState
		left   int // inline policies
	}{
		"the_policy_is_away": {func(w accessWorld, a dera.Access) { w.iam("DeleteRolePolicy", "PolicyName", name(a)) }, "", dera.AccessEnded, 1},
		"somebody_changed_it": {func(w accessWorld, a dera.Access) {
			w.iam("PutRolePolicy", "PolicyName", name(a), "PolicyDocument", wideOwn)
		}, "", dera.AccessLeft, 2},
		"a_stop": {func(w accessWorld, _ dera.Access) {
			if err := w.store.Commit(t.Context(), store.Batch{Stops: []dera.Stop{{Reason: "x", By: "x", At: w.clock.Now()}}}); err != nil {
				t.Fatal(err)
			}
		}, "stopped", dera.AccessGranted, 2},
		"a_freeze": {func(w accessWorld, _ dera.Access) {
			w.gate = func(g *evaluate.Gate) {
				list, err := evaluate.NewWindows([]evaluate.Window{{Name: "year end", Zone: "UTC", From: "2026-01-01", Until: "2027-01-01"}}, nil, w.clock.Now)
				if err != nil {
					t.Fatal(err)
				}
				g.Finding = append(g.Finding, list)
			}
			w.open("engine-2")
		}, "frozen", dera.AccessGranted, 2},
		"somebody_rolled_it_back": {func(w accessWorld, a dera.Access) {
			if _, err := w.engine.Rollback(t.Context(), a.Grant, remediate.Request{By: somebody("ops/bob")}); err != nil {
				t.Fatal(err)
			}
		}, "", dera.AccessEnded, 1},
		"the_undo_is_denied": {func(w accessWorld, _ dera.Access) {
			w.cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: "DeleteRolePolicy"}, Kind: awssim.Denied})
		}, "", dera.AccessLeft, 2},
		"another_part_changed": {func(w accessWorld, _ dera.Access) {
			w.iam("PutRolePolicy", "PolicyName", "other", "PolicyDocument", wideOwn)
		}, "", dera.AccessEnded, 2},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newAccessWorld(t)
			a := w.ask(8 * time.Hour)
			w.grant(a)
			tc.before(w, a)
			w.clock.Advance(8 * time.Hour)
			err := w.engine.EndAccesses(t.Context())
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("got %v, want %q", err, tc.err)
			}
			if got := w.state(a.ID); got != tc.state || len(w.inline()) != tc.left {
				t.Errorf("got %s and %v, want %s and %d policies", got, w.inline(), tc.state, tc.left)
			}
			w.look()
			open, err := w.store.OpenIn(t.Context(), account, dera.GlobalRegion, role.Name)
			if err != nil || (len(open) > 0) != (tc.state == dera.AccessLeft) {
				t.Errorf("open: got %+v, %v", open, err)
			}
		})
	}
}
