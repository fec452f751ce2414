package policy_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
)

// BenchmarkAdministrators asks of 500 policies and of 200 roles whether they are
// administrators, of the roles whom they get to, and whether that is everything.
func BenchmarkAdministrators(b *testing.B) {
	policies, roles := account(500, 200)
	roles[0].Attached = append(roles[0].Attached, iam.Attached{ARN: "arn:aws:iam::aws:policy/AdministratorAccess", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`})
	roles[0].Trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`
	checks := []control.Control{role.Administrator(), role.Escalation()}
	b.ReportAllocs()
	b.ResetTimer()
	start, failures := cpu(b), 0
	for range b.N {
		failures = 0
		count := func(c control.Control, config any) {
			res, err := c.Check(dera.Resource{Config: config}, control.Settings{})
			if err != nil {
				b.Fatal(err)
			}
			failures += len(res.Failures)
		}
		for _, p := range policies {
			count(policy.Administrator(), p)
		}
		var all []escalation.Principal
		for _, r := range roles {
			all = append(all, r.Climbs())
		}
		peers := escalation.Peers(all, nil)
		for i, r := range roles {
			to, err := escalation.Of(all[i], peers)
			if err != nil {
				b.Fatal(err)
			}
			r.Peers = to
			for _, c := range checks {
				count(c, r)
			}
		}
	}
	b.ReportMetric(float64((cpu(b)-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(failures), "failures")
}
