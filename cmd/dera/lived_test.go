package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/scope"
)

// livedDays is how long an account of the replays is recorded.
const livedDays = 400

// lived is an account with 400 recorded days: who may do what by which policy, what was
// used when in truth, and what its people would declare of rare work.
type lived struct {
	rand   *rand.Rand
	begin  time.Time
	docs   map[string]map[string]bool // actions by role/NAME, user/NAME, group/NAME and policy/NAME
	holds  map[string][]string        // docs by principal
	uses   []livedUse
	events []map[string]any
	keep   map[string][]string // rare actions by principal
	runs   map[string]int      // days between starts, of roles that a service starts
	silent int                 // a day of which nothing is recorded; -1 for none
	made   map[string]bool     // principals that the record saw made
	since  map[string]int      // the day on which a policy was put, where the record saw that
}

// livedUse is an authorized call.
type livedUse struct {
	day               int
	principal, action string
}

// livedWork is how often work is done, and how likely.
var livedWork = []int{1, 7, 7, 7, 30, 30, 91, 92, 365}

func newLived(seed uint64, late bool) *lived {
	l := &lived{
		rand: rand.New(rand.NewPCG(seed, 16)), begin: time.Date(2025, 10, 20, 0, 0, 0, 0, time.UTC), docs: map[string]map[string]bool{},
		holds: map[string][]string{}, keep: map[string][]string{}, runs: map[string]int{}, made: map[string]bool{}, since: map[string]int{}, silent: -1,
	}
	if seed%3 == 2 {
		l.silent = 20 + l.rand.IntN(20)
	}
	for day := range livedDays {
		l.call(day, "user/admin", "ec2:DescribeRegions", "")
	}
	for n := range 3 {
		l.document(fmt.Sprintf("policy/shared-%d", n), 10)
	}
	l.document("group/people", 8)
	for n := range 8 {
		l.principal(n, late)
	}
	return l
}

// document is a policy with some random actions.
func (l *lived) document(key string, size int) {
	c, services := catalog.Embedded(), []string{"ec2", "sqs", "sns", "rds", "ecs", "secretsmanager", "events", "autoscaling", "ecr", "athena", "elasticloadbalancing", "glue"}
	l.docs[key] = map[string]bool{}
	for len(l.docs[key]) < size {
		known, _ := c.Expand(services[l.rand.IntN(len(services))] + ":*")
		l.docs[key][known[l.rand.IntN(len(known))]] = true
	}
}

// isVisible reports whether each use of an action has an event of its name, which trails record.
func isVisible(action string) bool {
	service, name, _ := strings.Cut(action, ":")
	meant, ok := catalog.Embedded().Event(service+".amazonaws.com", name)
	known := catalog.Embedded().Find(action)
	return ok && slices.Contains(meant.Actions, action) && known != nil && known.Class == catalog.Management
}

// principal is a role or user that works.
func (l *lived) principal(n int, late bool) {
	kind := []string{"role", "role", "user"}[n%3]
	who := fmt.Sprintf("%s/%s-%d", kind, kind, n)
	l.document(who, 9+l.rand.IntN(6))
	l.holds[who] = []string{who, fmt.Sprintf("policy/shared-%d", l.rand.IntN(3))}
	switch {
	case kind == "user":
		l.holds[who] = append(l.holds[who], "group/people")
	case n == 1: // a service starts it
		l.runs[who] = 30
	case n == 3: // it deploys
		for _, a := range []string{"cloudformation:CreateStack", "cloudformation:UpdateStack", "iam:PassRole"} {
			l.docs[who][a] = true
		}
		l.work(who, "cloudformation:CreateStack", 30, 0)
	case n == 4:
		l.made[who] = true
	}
	for _, doc := range l.holds[who] {
		for _, a := range slices.Sorted(maps.Keys(l.docs[doc])) {
			switch {
			case !isVisible(a):
			case l.rand.IntN(3) == 0:
				l.work(who, a, livedWork[l.rand.IntN(len(livedWork))], 0)
			case late && l.rand.IntN(8) == 0: // nobody could know
				l.work(who, a, 7, 120+l.rand.IntN(260))
			case l.rand.IntN(8) == 0: // an attempt is no use
				l.call(l.rand.IntN(livedDays), who, a, "AccessDenied")
			}
		}
	}
	if n%4 == 2 {
		l.grown(who)
	}
}

// work uses an action every some days; from 0 is from any day on of the first period.
func (l *lived) work(who, action string, every, from int) {
	if from == 0 {
		from = l.rand.IntN(every)
		if every > 90 {
			l.keep[who] = append(l.keep[who], action)
		}
	}
	if slices.ContainsFunc(l.uses, func(u livedUse) bool { return u.principal == who && u.action == action }) {
		return
	}
	for day := from; day < livedDays; day += every {
		l.uses = append(l.uses, livedUse{day: day, principal: who, action: action})
		l.call(day, who, action, "")
	}
}

// grown is a principal that gets permissions for something new, and begins to use half of them.
func (l *lived) grown(who string) {
	day := 150 + l.rand.IntN(100)
	l.document(who+"/new", 4)
	l.holds[who], l.since[who+"/new"] = append(l.holds[who], who+"/new"), day
	kind, name, _ := strings.Cut(who, "/")
	l.event(day, "user/admin", "iam", "Put"+strings.ToUpper(kind[:1])+kind[1:]+"Policy", "", map[string]any{kind + "Name": name, "policyName": "new", "policyDocument": l.text(who + "/new")}, 7*time.Hour)
	for _, a := range slices.Sorted(maps.Keys(l.docs[who+"/new"]))[:2] {
		if isVisible(a) {
			l.work(who, a, 7, day+1+l.rand.IntN(20))
		}
	}
}

func (l *lived) text(doc string) string {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": slices.Sorted(maps.Keys(l.docs[doc])), "Resource": "*"}}})
	if err != nil {
		panic(err) // texts
	}
	return string(text)
}

func livedARN(key string) string { return "arn:aws:iam::" + historyAccount + ":" + key }

func (l *lived) call(day int, who, action, code string) {
	service, name, _ := strings.Cut(action, ":")
	l.event(day, who, service, name, code, nil, time.Duration(9+l.rand.IntN(8))*time.Hour)
}

func (l *lived) event(day int, who, service, name, code string, request map[string]any, at time.Duration) {
	kind, own, _ := strings.Cut(who, "/")
	identity := map[string]any{"type": "IAMUser", "arn": livedARN(who), "accountId": historyAccount, "userName": own}
	if kind == "role" {
		identity = map[string]any{
			"type": "AssumedRole", "arn": "arn:aws:sts::" + historyAccount + ":assumed-role/" + own + "/job", "accountId": historyAccount,
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": livedARN(who)}},
		}
	}
	e := map[string]any{
		"eventVersion": "1.09", "eventID": fmt.Sprintf("e%d", len(l.events)), "eventTime": l.begin.AddDate(0, 0, day).Add(at).Format(time.RFC3339), "eventSource": service + ".amazonaws.com",
		"eventName": name, "awsRegion": "us-east-1", "recipientAccountId": historyAccount, "eventType": "AwsApiCall", "eventCategory": "Management", "userIdentity": identity, "requestParameters": request,
	}
	if code != "" {
		e["errorCode"] = code
	}
	if day != l.silent {
		l.events = append(l.events, e)
	}
}

// write writes the record, what IAM said at its end, and a configuration.
func (l *lived) write(t *testing.T, config string, declared bool) (args []string) {
	t.Helper()
	dir := t.TempDir()
	put := func(name string, v any) string {
		path := filepath.Join(dir, name)
		text, ok := v.(string)
		if !ok {
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	details := map[string][]any{}
	for _, who := range slices.Sorted(maps.Keys(l.holds)) {
		kind, name, _ := strings.Cut(who, "/")
		title := strings.ToUpper(kind[:1]) + kind[1:]
		principal := any(map[string]any{"AWS": livedARN("root")})
		if l.runs[who] > 0 {
			principal = map[string]any{"Service": "lambda.amazonaws.com"}
			if declared {
				config += fmt.Sprintf("  schedules: [{principal: %q, period_days: %d, owner: ops@example.com, reason: each month}]\n", livedARN(who), l.runs[who])
			}
		}
		trust := map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}}}
		x := map[string]any{"Path": "/", title + "Name": name, "Arn": livedARN(who), "CreateDate": "2020-01-01T00:00:00Z", "AssumeRolePolicyDocument": trust}
		if l.made[who] { // before all other calls: what it has by then it had from the first day
			doc, err := json.Marshal(trust)
			if err != nil {
				t.Fatal(err)
			}
			l.event(0, "user/admin", "iam", "CreateRole", "", map[string]any{"roleName": name, "assumeRolePolicyDocument": string(doc)}, time.Hour)
		}
		var inline, attached []any
		for _, doc := range l.holds[who] {
			policy := map[string]any{"PolicyName": strings.TrimPrefix(doc[len(kind)+1:], name), "PolicyDocument": l.text(doc)}
			switch {
			case doc == "group/people":
				x["GroupList"] = []string{"people"}
			case strings.HasPrefix(doc, "policy/"):
				attached = append(attached, map[string]any{"PolicyArn": livedARN(doc)})
				if l.made[who] {
					l.event(0, "user/admin", "iam", "AttachRolePolicy", "", map[string]any{"roleName": name, "policyArn": livedARN(doc)}, 2*time.Hour)
				}
			default:
				policy["PolicyName"] = "own"
				if strings.HasSuffix(doc, "/new") {
					policy["PolicyName"] = "new"
				}
				inline = append(inline, policy)
				if l.made[who] && doc == who {
					l.event(0, "user/admin", "iam", "PutRolePolicy", "", map[string]any{"roleName": name, "policyName": "own", "policyDocument": l.text(doc)}, 2*time.Hour)
				}
			}
		}
		x[title+"PolicyList"], x["AttachedManagedPolicies"] = inline, attached
		details[title+"DetailList"] = append(details[title+"DetailList"], x)
	}
	details["GroupDetailList"] = []any{map[string]any{"Path": "/", "GroupName": "people", "Arn": livedARN("group/people"), "CreateDate": "2020-01-01T00:00:00Z", "GroupPolicyList": []any{map[string]any{"PolicyName": "own", "PolicyDocument": l.text("group/people")}}}}
	for n := range 3 {
		key := fmt.Sprintf("policy/shared-%d", n)
		details["Policies"] = append(details["Policies"], map[string]any{"PolicyName": key[7:], "Path": "/", "Arn": livedARN(key), "DefaultVersionId": "v1", "CreateDate": "2020-01-01T00:00:00Z", "PolicyVersionList": []any{map[string]any{"VersionId": "v1", "CreateDate": "2020-01-01T00:00:00Z", "Document": l.text(key)}}})
	}
	args = []string{"replay", "-o", "json", "--authorization-details", put("details.json", details), "--config", put("config.yaml", config)}
	if declared {
		args = append(args, "--exemptions", put("exemptions.yaml", l.kept(t)))
	}
	return append(args, put("record.json", map[string]any{"Records": l.events}))
}

// kept is the exemption list with the rare work of each principal.
func (l *lived) kept(t *testing.T) string {
	t.Helper()
	out := "version: 1\nexemptions: []\nkeep:\n"
	for n, who := range slices.Sorted(maps.Keys(l.keep)) {
		actions, err := json.Marshal(l.keep[who])
		if err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintf("  - {id: rare-%d, principals: [%q], actions: %s, owner: ops@example.com, reason: each quarter or year, expires: %s}\n", n, livedARN(who), actions, l.begin.AddDate(0, 0, livedDays+30).Format(time.DateOnly))
	}
	return out
}

// free reports whether an action may go without a person.
func free(action string) bool { return scope.Rare(action) == "" && scope.Repairs(action) == "" }
