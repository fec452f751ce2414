package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	iampolicy "dera.example/dera/iam/policy"
	"dera.example/dera/iam/scope"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/store/storetest"
	ledger "dera.example/dera/usage"
)

// What the account of the histories is: it works at home, and hardly ever elsewhere.
const (
	historyAccount = "111122223333"
	historyHome    = "eu-central-1"
	historySouth   = "eu-south-1"
)

// recordedEstate is roles with their policies, what a trail recorded of them in 400 days, and what they
// used in truth.
type recordedEstate struct {
	rand     *rand.Rand
	end      time.Time
	records  map[string][]json.RawMessage // by region
	used     map[string]map[string]bool   // by role, in lower case
	planted  map[string]int               // how many uses of a kind there are
	roles    []*role.Role
	policies []*policy.Policy
}

// habits are when, before the end, and where an action is used. The window is of 90 days.
func (e *recordedEstate) habits() map[string]func() (ago []time.Duration, region string) {
	const day = 24 * time.Hour
	every := func(days int) (ago []time.Duration) {
		for d := 1 + e.rand.IntN(min(days, 60)); d < 400; d += days {
			ago = append(ago, time.Duration(d)*day)
		}
		return ago
	}
	return map[string]func() ([]time.Duration, string){
		"often":           func() ([]time.Duration, string) { return every(7), historyHome },
		"quarterly":       func() ([]time.Duration, string) { return every(89 + e.rand.IntN(3)), historyHome },
		"from one region": func() ([]time.Duration, string) { return every(91), historySouth },
		"from one region, once": func() ([]time.Duration, string) {
			return []time.Duration{time.Duration(e.rand.IntN(395)+3) * day}, historySouth
		},
		"after the start of a window": func() ([]time.Duration, string) { return []time.Duration{90*day - time.Minute}, historyHome },
		"before the start of one":     func() ([]time.Duration, string) { return []time.Duration{90*day + time.Minute}, historyHome },
		"after the start of all":      func() ([]time.Duration, string) { return []time.Duration{400*day - time.Minute}, historySouth },
	}
}

// newRecordedEstate makes some roles. Each managed policy has several of them, and of what it allows one of
// these uses something.
func newRecordedEstate(seed uint64, roles, policies int) *recordedEstate {
	e := &recordedEstate{
		rand: rand.New(rand.NewPCG(seed, 90)), end: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC),
		records: map[string][]json.RawMessage{"us-east-1": nil, historyHome: nil, historySouth: nil}, used: map[string]map[string]bool{}, planted: map[string]int{},
	}
	for i := range roles {
		r := &role.Role{Account: historyAccount}
		r.Name, r.Path, r.Created = fmt.Sprintf("role-%d", i), "/", e.end.AddDate(-3, 0, 0)
		e.roles, e.used[r.Name] = append(e.roles, r), map[string]bool{}
		r.Inline = []iam.Inline{{Name: "own", Document: e.document([]*role.Role{r})}}
	}
	for n := range policies {
		holders := slices.Clone(e.roles)
		e.rand.Shuffle(len(holders), func(i, k int) { holders[i], holders[k] = holders[k], holders[i] })
		holders = holders[:2+e.rand.IntN(5)]
		p := &policy.Policy{Name: fmt.Sprintf("policy-%d", n), Path: "/", Created: e.end.AddDate(-3, 0, 0)}
		p.Default = policy.Version{Document: e.document(holders), Created: p.Created}
		for _, r := range holders {
			r.Attached = append(r.Attached, iam.Attached{ARN: string(policy.ARNOf("aws", historyAccount, p.Name)), Document: p.Default.Document})
			p.Holders = append(p.Holders, iam.Holder{ARN: roleARN(r), Kind: iam.RoleKind, Name: r.Name, Path: "/", Created: r.Created})
		}
		e.policies = append(e.policies, p)
	}
	return e
}

func roleARN(r *role.Role) string {
	return string(iam.RoleKind.ARN("aws", historyAccount, r.Path, r.Name))
}

// document allows some actions, of which one of the roles uses a third.
func (e *recordedEstate) document(holders []*role.Role) string {
	c, habits := catalog.Embedded(), e.habits()
	kinds := slices.Sorted(maps.Keys(habits))
	var actions []string
	for len(actions) < 12 {
		services := []string{"ec2", "sqs", "sns", "rds", "ecs", "secretsmanager", "cloudformation", "events", "autoscaling", "ecr", "athena", "elasticloadbalancing"}
		known, _ := c.Expand(services[e.rand.IntN(len(services))] + ":*")
		a := known[e.rand.IntN(len(known))]
		service, name, _ := strings.Cut(a, ":")
		if slices.Contains(actions, a) {
			continue
		}
		actions = append(actions, a)
		if meant, ok := c.Event(service+".amazonaws.com", name); e.rand.IntN(3) == 0 && ok && slices.Contains(meant.Actions, a) {
			kind := kinds[e.rand.IntN(len(kinds))]
			ago, region := habits[kind]()
			e.use(holders[e.rand.IntN(len(holders))], a, region, ago)
			e.planted[kind]++
		}
	}
	list, err := json.Marshal(actions)
	if err != nil {
		panic(err) // texts
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + string(list) + `,"Resource":"*"}]}`
}

// use makes calls.
func (e *recordedEstate) use(r *role.Role, action, region string, ago []time.Duration) {
	e.used[r.Name][strings.ToLower(action)] = true
	service, name, _ := strings.Cut(action, ":")
	for _, d := range ago {
		e.records[region] = append(e.records[region], json.RawMessage(fmt.Sprintf(`{"eventVersion":"1.09","eventID":"%s-%d","eventTime":%q,"eventSource":"%s.amazonaws.com","eventName":%q,`+
			`"awsRegion":%[1]q,"recipientAccountId":%[6]q,"eventType":"AwsApiCall","eventCategory":"Management","managementEvent":true,`+
			`"userIdentity":{"type":"AssumedRole","accountId":%[6]q,"arn":"arn:aws:sts::%[6]s:assumed-role/%[7]s/job","sessionContext":{"sessionIssuer":{"type":"Role","arn":%[8]q}}}}`,
			region, len(e.records[region]), e.end.Add(-d).Format(time.RFC3339), service, name, historyAccount, r.Name, roleARN(r))))
	}
}

// imported fills in what the ledger answers after an import of the log files of some regions.
func (e *recordedEstate) imported(t *testing.T, regions ...string) {
	t.Helper()
	clock := func() time.Time { return e.end }
	l := ledger.New(storetest.Open(t, storetest.SQLite(t), storetest.NewClock()), clock)
	from := e.end.AddDate(0, 0, -400)
	if err := l.Declare(t.Context(), ledger.Coverage{
		Accounts: []string{historyAccount}, Regions: []string{"us-east-1", historyHome, historySouth}, Since: ledger.SecondOf(from),
		AdvancedSelectors: []ledger.AdvancedSelector{{FieldSelectors: []ledger.FieldSelector{{Field: "eventCategory", Equals: []string{"Management"}}}}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, region := range regions {
		dir := filepath.Join(t.TempDir(), region)
		fingerprint, key, err := awssim.LogFiles{Account: historyAccount, Region: region, From: from, To: e.end, Records: e.records[region]}.Write(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Import(t.Context(), ledger.ImportConfig{Keys: cloudtrail.PublicKeys{fingerprint: key}}, dir); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, r := range e.roles {
		names = append(names, roleARN(r))
	}
	uses, err := usedBy{l, clock, 90 * 24 * time.Hour}.Used(t.Context(), historyAccount, names)
	if err != nil || len(uses) != len(names) {
		t.Fatalf("got the use of %d of %d roles, %v", len(uses), len(names), err)
	}
	for _, r := range e.roles {
		u := uses[roleARN(r)]
		r.Use = &u
	}
	for _, p := range e.policies {
		for i := range p.Holders {
			h := &p.Holders[i]
			r := e.roles[slices.IndexFunc(e.roles, func(r *role.Role) bool { return r.Name == h.Name })]
			h.Use, h.Beside = r.Use, []iam.Attached{{ARN: iam.InlineName("", "own"), Document: r.Inline[0].Document}}
			for _, a := range r.Attached {
				if a.Document != p.Default.Document {
					h.Beside = append(h.Beside, a)
				}
			}
		}
	}
}

// after is a configuration after what starts at auto; the same where nothing does.
func after(t *testing.T, c control.Control, typ resource.Type, config any) any {
	t.Helper()
	r := dera.Resource{Partition: "aws", Account: historyAccount, Region: dera.GlobalRegion, Type: typ.Name, Config: config}
	r.ID, r.Name, _ = typ.Identify(config)
	r.ARN = typ.ARN("aws", historyAccount, dera.GlobalRegion, r.ID)
	res, err := c.Check(r, control.Settings{})
	if err != nil || res.Outcome == control.UnknownResult {
		t.Fatalf("%s: %v, %s", r.ID, err, res.Why)
	}
	auto := slices.DeleteFunc(res.Failures, func(f control.Failure) bool { return f.Start != dera.Auto })
	if len(auto) == 0 {
		return config
	}
	plan, refusal, err := c.Plan(r, auto, control.Settings{})
	if err != nil || refusal != nil {
		t.Fatalf("%s: plan: %v, %v", r.ID, err, refusal)
	}
	if ev, err := c.Prove(r, auto, plan, control.Settings{}); err != nil || !ev.Proved() {
		t.Errorf("%s: not proved: %v, %+v", r.ID, err, ev.Claims)
	}
	out, err := typ.ApplyPlan(config, plan)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// listedIn are the actions of some documents, in lower case.
func listedIn(t *testing.T, documents ...string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, text := range documents {
		doc, err := iampolicy.Parse(text)
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

func textsOf(r *role.Role) (out []string) {
	for _, p := range r.Inline {
		out = append(out, p.Document)
	}
	for _, p := range r.Attached {
		out = append(out, p.Document)
	}
	return out
}

// fixed is how many used actions are lost after every automatic plan, and how many of the unused
// ones that need no person go.
func (e *recordedEstate) fixed(t *testing.T) (lost []string, removed, removable int) {
	t.Helper()
	count := func(name string, before, after, used map[string]bool) {
		for a := range before {
			_, known := catalog.Embedded().Action(a)
			switch {
			case used[a] && !after[a]:
				lost = append(lost, name+": "+a)
			case used[a]:
			case !after[a]:
				removed, removable = removed+1, removable+1
			case known && scope.Rare(a) == "" && scope.Repairs(a) == "":
				removable++
			}
		}
	}
	for _, r := range e.roles {
		out := after(t, role.UnusedPermissions(), role.Type(), r).(*role.Role)
		all := listedIn(t, textsOf(out)...)
		for a := range listedIn(t, textsOf(r)...) {
			if e.used[r.Name][a] && !all[a] {
				lost = append(lost, r.Name+": "+a)
			}
		}
		var own []string
		for _, p := range out.Inline {
			own = append(own, p.Document)
		}
		count(r.Name, listedIn(t, r.Inline[0].Document), listedIn(t, own...), e.used[r.Name])
	}
	for _, p := range e.policies {
		used := map[string]bool{}
		for _, h := range p.Holders {
			for a := range e.used[h.Name] {
				used[a] = true
			}
		}
		out := after(t, policy.UnusedPermissions(), policy.Type(), p).(*policy.Policy)
		count(p.Name, listedIn(t, p.Default.Document), listedIn(t, out.Default.Document), used)
	}
	return lost, removed, removable
}

// TestRecordedHistories: 400 days of log files of an account go through the ledger, and what is
// automatic after that takes away nothing that was used, however rarely: in one region only, by one
// of many who have the policy, once right before or after the window starts. Four fifths at least
// go of what nobody used. Without the log files of the region nothing goes automatically.
func TestRecordedHistories(t *testing.T) {
	t.Parallel()
	e := newRecordedEstate(1, 12, 12)
	for kind := range e.habits() {
		if e.planted[kind] == 0 {
			t.Errorf("nothing is used %s: the test says little", kind)
		}
	}
	e.imported(t, "us-east-1", historyHome, historySouth)
	lost, removed, removable := e.fixed(t)
	t.Logf("planted %v; %d of %d unused actions removed", e.planted, removed, removable)
	if len(lost) > 0 || removed == 0 || removed*5 < removable*4 {
		t.Errorf("got %d of %d unused actions removed, and used ones lost: %v; want four fifths, and none", removed, removable, lost)
	}
	t.Run("without_the_region", func(t *testing.T) {
		e.imported(t, "us-east-1", historyHome)
		if lost, removed, _ := e.fixed(t); removed > 0 || len(lost) > 0 {
			t.Errorf("got %d actions removed automatically, of these used: %v", removed, lost)
		}
		// What is used there alone is what the record of the region keeps.
		for _, r := range e.roles {
			r.Use.Gaps = nil
		}
		if lost, _, _ := e.fixed(t); len(lost) == 0 {
			t.Error("nothing would be lost if the missing region were no gap: the test says little")
		}
	})
}
