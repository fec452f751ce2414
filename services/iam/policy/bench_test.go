package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
)

// account makes policies and roles that have them: each policy one to six of the roles,
// each role some forty recorded calls, each sixth policy wildcards.
func account(policies, roles int) (list []*policy.Policy, all []*role.Role) {
	r := rand.New(rand.NewPCG(7, 11))
	services := []string{"ec2", "sqs", "sns", "lambda", "rds", "ecs", "ecr", "kms", "secretsmanager", "cloudformation", "athena", "glue", "events", "autoscaling"}
	pick := func() string {
		actions, _ := catalog.Embedded().Expand(services[r.IntN(len(services))] + ":*")
		return actions[r.IntN(len(actions))]
	}
	to := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for n := range roles {
		u := &resource.Use{From: to.AddDate(0, 0, -90), To: to}
		for range 40 {
			service, name, _ := strings.Cut(pick(), ":")
			u.Calls = append(u.Calls, resource.Call{Source: service + ".amazonaws.com", Name: name, Count: 10, First: u.From, Last: to})
		}
		x := &role.Role{Account: "111122223333", Use: u}
		x.Name, x.Path = fmt.Sprintf("role-%d", n), "/"
		all = append(all, x)
	}
	for n := range policies {
		var actions []string
		for range 5 + r.IntN(20) {
			actions = append(actions, `"`+pick()+`"`)
		}
		if n%6 == 0 {
			actions = append(actions, `"`+services[r.IntN(len(services))]+`:*"`)
		}
		p := &policy.Policy{Name: fmt.Sprintf("policy-%d", n), Path: "/"}
		p.Default.Document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + strings.Join(actions, ",") + `],"Resource":"*"}]}`
		for range 1 + r.IntN(6) {
			x := all[r.IntN(roles)]
			a := iam.Attached{ARN: "arn:aws:iam::111122223333:policy/" + p.Name, Document: p.Default.Document}
			if len(x.Attached) < 10 && !slices.Contains(x.Attached, a) {
				x.Attached = append(x.Attached, a)
			}
		}
		list = append(list, p)
	}
	for _, p := range list {
		own := func(a iam.Attached) bool { return a.Document == p.Default.Document }
		for _, x := range all {
			if slices.ContainsFunc(x.Attached, own) {
				p.Holders = append(p.Holders, iam.Holder{ARN: "arn:aws:iam::111122223333:role/" + x.Name, Kind: iam.RoleKind, Name: x.Name, Use: x.Use, Beside: slices.DeleteFunc(slices.Clone(x.Attached), own)})
			}
		}
		p.Sort()
	}
	return list, all
}

// cpu is what the process has used of processors so far, the collector's work with it.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCheck judges 500 policies and the 200 roles that have them. Other work on the
// machine does not count in cpu-ms/op.
func BenchmarkCheck(b *testing.B) {
	policies, roles := account(500, 200)
	ofPolicy, ofRole := policy.UnusedPermissions(), role.UnusedPermissions()
	b.ReportAllocs()
	b.ResetTimer()
	start, failures := cpu(b), 0
	for range b.N {
		failures = 0
		for _, p := range policies {
			res, err := ofPolicy.Check(dera.Resource{Config: p}, control.Settings{})
			if err != nil {
				b.Fatal(err)
			}
			failures += len(res.Failures)
		}
		for _, r := range roles {
			res, err := ofRole.Check(dera.Resource{Config: r}, control.Settings{})
			if err != nil {
				b.Fatal(err)
			}
			failures += len(res.Failures)
		}
	}
	b.ReportMetric(float64((cpu(b)-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(failures), "failures")
}

// TestCheckIsCheap: what judging a policy allocates, which is most of what it costs, does
// not grow unseen.
func TestCheckIsCheap(t *testing.T) {
	const most = 2000 // 4,760 where each question looks everything up again
	policies, _ := account(50, 20)
	c := policy.UnusedPermissions()
	each := testing.AllocsPerRun(3, func() {
		for _, p := range policies {
			if _, err := c.Check(dera.Resource{Config: p}, control.Settings{}); err != nil {
				t.Fatal(err)
			}
		}
	}) / float64(len(policies))
	if each > most {
		t.Errorf("got %.0f allocations for a policy, want at most %d", each, most)
	}
	t.Logf("%.0f allocations for a policy", each)
}
