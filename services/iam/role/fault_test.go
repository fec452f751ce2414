package role_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// planned is a history with the plan that starts at auto.
type planned struct {
	history
	resource dera.Resource
	failures []control.Failure
	plan     dera.Plan
	after    *role.Role
	left     []string // what was used and is still allowed, in lower case
}

func plannedHistories(t *testing.T, n int) (out []planned) {
	t.Helper()
	c := role.UnusedPermissions()
	for seed := range n {
		p := planned{history: newHistory(uint64(1000 + seed))}
		p.resource = laws().Resource(p.role)
		res, err := c.Check(p.resource, control.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		p.failures = slices.DeleteFunc(res.Failures, func(f control.Failure) bool { return f.Start != dera.Auto })
		if len(p.failures) == 0 {
			continue
		}
		var refusal *control.Refusal
		if p.plan, refusal, err = c.Plan(p.resource, p.failures, control.Settings{}); err != nil || refusal != nil {
			t.Fatalf("plan: %v, %v", err, refusal)
		}
		config, err := role.Type().ApplyPlan(p.role, p.plan)
		if err != nil {
			t.Fatal(err)
		}
		p.after = config.(*role.Role)
		allows := allowed(t, p.after)
		p.left = slices.DeleteFunc(slices.Sorted(maps.Keys(p.used)), func(a string) bool { return !allows[a] })
		if len(p.left) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// losing is a plan that loses an action besides: by an entry that is dropped, by a
// denial, or by a resource.
func (p planned) losing(t *testing.T, r *rand.Rand, action string) dera.Plan {
	t.Helper()
	how := r.IntN(3)
	out := p.plan
	out.Changes = nil
	for _, in := range p.role.Inline {
		text := ""
		if at := slices.IndexFunc(p.after.Inline, func(a iam.Inline) bool { return a.Name == in.Name }); at >= 0 {
			text = p.after.Inline[at].Document
		}
		if text != "" {
			text = lose(t, text, action, how)
		}
		if text == in.Document {
			continue
		}
		c, err := p.role.SetInline(iam.RoleKind, in.Name, text)
		if err != nil {
			t.Fatal(err)
		}
		out.Changes = append(out.Changes, c)
	}
	return out
}

// lose is a policy that does not allow an action any more, or not everywhere.
func lose(t *testing.T, text, action string, how int) string {
	t.Helper()
	doc, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	is := func(e string) bool { return strings.EqualFold(e, action) }
	if !slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool { return slices.ContainsFunc(st.Actions, is) }) {
		return text
	}
	if how == 1 {
		doc, err = doc.Append(`{"Effect":"Deny","Action":"` + action + `","Resource":"*"}`)
		if err != nil {
			t.Fatal(err)
		}
		return doc.Text()
	}
	var edits []policy.Edit
	for i := range doc.Statements {
		st := &doc.Statements[i]
		others := slices.ContainsFunc(st.Actions, func(e string) bool { return !is(e) }) // an entry may stand twice
		switch at := slices.IndexFunc(st.Actions, is); {
		case at < 0:
		case len(doc.Statements) == 1 && !others:
			return "" // nothing is left of the policy
		case !others:
			edits = append(edits, policy.RemoveStatement(i))
		default:
			edits = append(edits, policy.RemoveAction(i, st.Actions[at]))
		}
	}
	if doc, err = doc.Apply(edits...); err != nil {
		t.Fatal(err)
	}
	if how == 2 {
		if doc, err = doc.Append(`{"Effect":"Allow","Action":"` + action + `","Resource":"arn:aws:ec2:*:*:*"}`); err != nil {
			t.Fatal(err)
		}
	}
	return doc.Text()
}

// TestFaults: of plans that lose something that was used the evidence proves none.
// DERA_IAM_FAULTS says how many are tried.
func TestFaults(t *testing.T) {
	t.Parallel()
	n := 150
	if text := os.Getenv("DERA_IAM_FAULTS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("DERA_IAM_FAULTS: %v", err)
		}
	}
	all := plannedHistories(t, 20+n/100)
	const workers = 2
	for w := range workers {
		t.Run(fmt.Sprintf("worker_%d", w), func(t *testing.T) {
			t.Parallel()
			r, c := rand.New(rand.NewPCG(uint64(w), 5)), role.UnusedPermissions()
			for range n / workers {
				p := all[r.IntN(len(all))]
				victim := p.left[r.IntN(len(p.left))]
				fault := p.losing(t, r, victim)
				if ev, err := c.Prove(p.resource, p.failures, fault, control.Settings{}); err == nil && ev.Proved() {
					t.Errorf("%s: the loss of %s is proved: %s", p.role.Name, victim, fault.Diff())
				}
			}
		})
	}
	t.Logf("%d faults in the plans of %d roles", n/workers*workers, len(all))
}
