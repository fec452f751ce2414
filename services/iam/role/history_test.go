package role_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/scope"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// habit is how a role uses some actions: by which event, every how many days. What else
// the calls are authorized by is used too, and leaves no event.
type habit struct {
	source, event string
	every         int // days
	uses          []string
}

// planted are the rare and the hidden uses.
func planted() []habit {
	return []habit{
		{"ec2", "RunInstances", 89, []string{"ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"}}, // tags are set while an instance is made, and its role is passed
		{"sqs", "CreateQueue", 91, []string{"sqs:CreateQueue", "sqs:TagQueue"}},
		{"lambda", "UpdateFunctionCode20150331v2", 91, []string{"lambda:UpdateFunctionCode"}}, // another name
		{"lambda", "CreateFunction20150331", 300, []string{"lambda:CreateFunction", "iam:PassRole", "lambda:TagResource"}},
		{"s3", "ListBuckets", 91, []string{"s3:ListAllMyBuckets"}},
		{"monitoring", "PutMetricAlarm", 89, []string{"cloudwatch:PutMetricAlarm"}}, // from a source that is no prefix
		{"cloudformation", "CreateStack", 91, []string{"cloudformation:CreateStack"}},
		{"ec2", "CreateVpcEndpoint", 91, []string{"ec2:CreateVpcEndpoint", "ec2:CreateTags"}}, // by a service on behalf of the role
		{"rds", "DescribeDBInstances", 91, []string{"rds:DescribeDBInstances"}},
		{"kms", "ListAliases", 89, []string{"kms:ListAliases"}},
		{"secretsmanager", "GetSecretValue", 1, []string{"secretsmanager:GetSecretValue"}},
		{"ecs", "UpdateService", 7, []string{"ecs:UpdateService"}},
	}
}

// history is 400 days of a role: its policies, what is recorded, and what it used in
// truth.
type history struct {
	role *role.Role
	used map[string]bool
}

// services are those that the roles of a history have permissions of.
func servicesOfHistories() []string {
	return []string{"ec2", "sqs", "sns", "rds", "ecs", "kms", "secretsmanager", "cloudformation", "events", "autoscaling", "ecr", "athena", "lambda", "elasticloadbalancing"}
}

func newHistory(seed uint64) history {
	r := rand.New(rand.NewPCG(seed, 400))
	end := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	h := history{role: &role.Role{Account: "111122223333"}, used: map[string]bool{}}
	calls := map[string]*resource.Call{}
	var granted []string
	live := func(b habit) {
		granted = append(granted, b.uses...)
		for _, a := range b.uses {
			h.used[strings.ToLower(a)] = true
		}
		for day := r.IntN(min(b.every, 30)); day < 400; day += b.every {
			at := end.AddDate(0, 0, day-400)
			c := calls[b.source+" "+b.event]
			if c == nil {
				c = &resource.Call{Source: b.source + ".amazonaws.com", Name: b.event, First: at}
				calls[b.source+" "+b.event] = c
			}
			c.Last, c.Count = at, c.Count+1
		}
	}
	for _, b := range planted() {
		if r.IntN(3) == 0 {
			live(b)
		}
	}
	c := catalog.Embedded()
	for range 12 + r.IntN(30) {
		services := servicesOfHistories()
		actions, _ := c.Expand(services[r.IntN(len(services))] + ":*")
		a := actions[r.IntN(len(actions))]
		service, name, _ := strings.Cut(a, ":")
		meant, known := c.Event(service+".amazonaws.com", name)
		if r.IntN(4) == 0 && known && slices.Contains(meant.Actions, a) {
			live(habit{service, name, []int{1, 7, 30, 89, 91}[r.IntN(5)], []string{a}})
			continue
		}
		granted = append(granted, a)
	}
	r.Shuffle(len(granted), func(i, k int) { granted[i], granted[k] = granted[k], granted[i] })
	h.role.Name, h.role.Path = fmt.Sprintf("role-%d", seed), "/"
	for n := 0; len(granted) > 0; n++ {
		size := min(len(granted), 5+r.IntN(12))
		doc := map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": granted[:size], "Resource": "*"}}}
		text, err := json.Marshal(doc)
		if err != nil {
			panic(err) // a map of texts
		}
		h.role.Inline = append(h.role.Inline, iam.Inline{Name: fmt.Sprintf("policy-%d", n), Document: string(text)})
		granted = granted[size:]
	}
	h.role.Use = &resource.Use{From: end.AddDate(0, 0, -90), To: end}
	for _, call := range calls {
		h.role.Use.Calls = append(h.role.Use.Calls, *call)
	}
	slices.SortFunc(h.role.Use.Calls, func(a, b resource.Call) int { return strings.Compare(a.Source+a.Name, b.Source+b.Name) })
	return h
}

// allowed are the actions that the role's policies allow, in lower case.
func allowed(t *testing.T, r *role.Role) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, p := range r.Inline {
		doc, err := policy.Parse(p.Document)
		if err != nil {
			t.Fatal(err)
		}
		for i := range doc.Statements {
			for _, a := range doc.Statements[i].Actions {
				out[strings.ToLower(a)] = true
			}
		}
	}
	return out
}

// TestHistories: of roles with 400 days behind them, plans that start at auto take away
// nothing that was used at any time, and four fifths at least of what was not and needs
// no person.
func TestHistories(t *testing.T) {
	t.Parallel()
	roles := 60
	if testing.Short() {
		roles = 15
	}
	c := role.UnusedPermissions()
	removable, removed, plans := 0, 0, 0
	for seed := range roles {
		h := newHistory(uint64(seed))
		r := laws().Resource(h.role)
		res, err := c.Check(r, control.Settings{})
		if err != nil || res.Outcome == control.UnknownResult {
			t.Fatalf("role %d: %v, %s", seed, err, res.Why)
		}
		before, after := allowed(t, h.role), allowed(t, h.role)
		auto := slices.DeleteFunc(slices.Clone(res.Failures), func(f control.Failure) bool { return f.Start != dera.Auto })
		if len(auto) > 0 {
			plan, refusal, err := c.Plan(r, auto, control.Settings{})
			if err != nil || refusal != nil {
				t.Fatalf("role %d: plan: %v, %v", seed, err, refusal)
			}
			ev, err := c.Prove(r, auto, plan, control.Settings{})
			if err != nil || !ev.Proved() {
				t.Errorf("role %d: not proved: %v, %+v", seed, err, ev.Claims)
			}
			plans++
			config, err := role.Type().ApplyPlan(h.role, plan)
			if err != nil {
				t.Fatal(err)
			}
			after = allowed(t, config.(*role.Role))
		}
		for a := range before {
			used := h.used[a]
			switch {
			case used && !after[a]:
				t.Errorf("role %d: %s was used and is lost", seed, a)
			case used:
			case !after[a]:
				removed++
				removable++
			case forAPerson(a):
			default:
				removable++
			}
		}
	}
	t.Logf("%d plans; %d of %d unused actions removed", plans, removed, removable)
	if plans == 0 || removed*5 < removable*4 {
		t.Errorf("got %d of %d unused actions removed by %d plans, want four fifths", removed, removable, plans)
	}
}

// forAPerson reports whether an action is never removed without a person.
func forAPerson(lower string) bool {
	a, ok := catalog.Embedded().Action(lower)
	return !ok || scope.Rare(a.String()) != "" || scope.Repairs(a.String()) != ""
}
