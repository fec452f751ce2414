package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/user"
)

// TestPages: on an AWS whose pages are short, as IAM's may be, a sweep and each read
// alone say the same.
func TestPages(t *testing.T) {
	t.Parallel()
	for typ, ids := range map[string][]string{
		policy.Name: {"team/app", "few", "idle", "none"}, role.Name: {"web"}, user.Name: {"ann", "bob"}, group.Name: {"staff", "empty"},
	} {
		for _, size := range []string{"", "1", "2", "3"} {
			t.Run(typ+"_"+size, func(t *testing.T) {
				t.Parallel()
				a, sim := simulated(t, typ)
				managed := sim.AddAWSPolicy("ReadOnlyAccess", allowOn("aws"))
				a.furnish(t)
				must(t, func(ctx context.Context) error { return a.attach(ctx, "role", "web", managed) })
				a.proxy.page = size
				for _, config := range a.agree(t, ids...) {
					if r, ok := config.(*role.Role); ok && (len(r.Attached) != 3 || r.Attached[2].Document != allowOn("aws")) {
						t.Errorf("AWS's own policy: got %+v", r.Attached)
					}
				}
			})
		}
	}
}

// TestPageExpired: a walk whose token expires is no answer.
func TestPageExpired(t *testing.T) {
	t.Parallel()
	a, sim := simulated(t, policy.Name)
	a.furnish(t)
	sim.Inject(awssim.Fault{Kind: awssim.PartialPage, Match: awssim.Match{Service: "iam", Operation: "GetAccountAuthorizationDetails"}})
	if page, err := a.Read(t.Context(), a.scope(), false); err == nil {
		t.Errorf("got %d policies, want an error", len(page.Resources))
	}
}

// TestEvents: each write of a policy is an event in the home Region that names it.
func TestEvents(t *testing.T) {
	t.Parallel()
	a, sim := simulated(t, policy.Name)
	a.furnish(t)
	arn := a.arn("policy/few")
	a.version(t, arn, allowOn("new"), false)
	must(t, func(ctx context.Context) error {
		id := "v2"
		_, err := a.api.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: &id})
		return err
	})
	watch := cloudtrail.NewWatch(policy.Events(), role.Events(), user.Events(), group.Events())
	seen := map[string]bool{}
	for _, e := range sim.Events() {
		r, err := cloudtrail.Decode(e.Envelope())
		if err != nil {
			t.Fatalf("%s: %v", e.Name, err)
		}
		if r.Source != "iam.amazonaws.com" {
			continue
		}
		if r.Region != "us-east-1" {
			t.Errorf("%s: got an event in %s", r.Name, r.Region)
		}
		for _, s := range watch.Hints(r) {
			for _, id := range s.IDs {
				seen[r.Name+" "+s.Type+" "+id] = true
			}
		}
	}
	for _, want := range []string{
		"CreatePolicy " + policy.Name + " team/app", "CreatePolicyVersion " + policy.Name + " few", "SetDefaultPolicyVersion " + policy.Name + " few",
		"AttachRolePolicy " + policy.Name + " few", "AttachRolePolicy " + role.Name + " web", "CreateRole " + role.Name + " web", "PutUserPolicy " + user.Name + " ann",
		"AddUserToGroup " + group.Name + " staff", "AddUserToGroup " + user.Name + " bob",
	} {
		if !seen[want] {
			t.Errorf("no hint %q in %v", want, seen)
		}
	}
}

// TestSessions: a write goes by a session that may do nothing but the plan, and that
// suffices for each operation and its undo.
func TestSessions(t *testing.T) {
	t.Parallel()
	const other = "444455556666"
	for typ, id := range map[string]string{policy.Name: "team/app", role.Name: "web", user.Name: "ann", group.Name: "staff"} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			a, sim := simulated(t, typ)
			there := sim.Account(other)
			arn := there.AddRole("dera", a.id, "", "iam:*")
			a.api = iam.New(iam.Options{Region: cloudtest.East, Credentials: cloudtest.Static(there.Credentials()), HTTPClient: sim.HTTPClient()})
			a.id = other
			a.furnish(t)
			var err error
			a.Client, err = cloud.New(t.Context(), cloud.Config{
				Wires: wires(), Region: cloudtest.East, Endpoint: "https://127.0.0.1", HTTPClient: &http.Client{Transport: a.proxy}, Timeout: time.Minute,
				Credentials: cloudtest.Static(sim.Account(cloudtest.Hub).Credentials()), Accounts: []cloud.Account{{ID: other, RoleARN: arn}},
			})
			if err != nil {
				t.Fatal(err)
			}
			x := a.read(t, id)[id]
			var changes []dera.Change
			add := func(c dera.Change, err error) {
				if err != nil {
					t.Fatal(err)
				}
				changes = append(changes, c)
			}
			switch c := x.Config.(type) {
			case *policy.Policy:
				list, err := c.SetDocument(allowOn("fresh"))
				if err != nil {
					t.Fatal(err)
				}
				changes = list
			case *role.Role:
				add(c.SetTrust(strings.ReplaceAll(trust, "ec2", "lambda")))
				add(c.SetInline(own.RoleKind, "own", allowOn("fresh")))
				add(c.DetachManaged(own.RoleKind, a.arn("policy/few")))
			case *user.User:
				add(c.SetInline(own.UserKind, "own", ""))
				add(c.DetachManaged(own.UserKind, a.arn("policy/team/app")))
			case *group.Group:
				add(c.SetInline(own.GroupKind, "own", allowOn("fresh")))
			}
			plan := a.plan(id, x.ARN, changes...)
			for _, c := range changes {
				if _, err := a.Do(t.Context(), plan, resource.Of(c), cloudtest.Allow); err != nil {
					t.Errorf("%s: %v", c.Operation, err)
				}
			}
			for _, c := range slices.Backward(changes) {
				undo, err := resource.OfUndo(*c.Undo, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := a.Do(t.Context(), plan, undo, cloudtest.Allow); err != nil {
					t.Errorf("undo of %s: %v", c.Operation, err)
				}
			}
		})
	}
}

// TestSweepIsCheap: a sweep of 500 policies that 200 roles have is one walk, of few
// calls also where its pages are short, and asks the ledger once.
func TestSweepIsCheap(t *testing.T) {
	t.Parallel()
	const policies, roles, each = 500, 200, 10
	l := &ledger{knows: map[string]resource.Use{}}
	sim := awssim.New(awssim.Config{Seed: 5})
	hub := sim.Account(cloudtest.Hub)
	a := accountOn(t, "https://127.0.0.1", sim.Transport(), cloudtest.Static(hub.Credentials()), policy.Name, map[string]any{resource.PortLedger: l})
	a.id = hub.ID()
	for i := range policies {
		a.policy(t, "/", fmt.Sprintf("p-%d", i))
	}
	for i := range roles {
		name := fmt.Sprintf("r-%d", i)
		must(t, func(ctx context.Context) error {
			_, err := a.api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trust)})
			for n := range each {
				err = errors.Join(err, a.attach(ctx, "role", name, a.arn(fmt.Sprintf("policy/p-%d", (i*each+n)%policies))))
			}
			return err
		})
		l.knows[a.arn("role/"+name)] = resource.Use{}
	}
	a.proxy.page = "100"
	page, err := a.Read(t.Context(), a.scope(), false)
	if err != nil || len(page.Resources) != policies || a.proxy.total() > 30 || len(l.asked) != 1 {
		t.Fatalf("got %d policies by %d calls and %d questions to the ledger, %v; want %d by at most 30, and one", len(page.Resources), a.proxy.total(), len(l.asked), err, policies)
	}
	for _, x := range page.Resources {
		if p := x.Config.(*policy.Policy); len(p.Holders) != roles*each/policies || len(p.Holders[0].Beside) != each-1 || x.Unread != "" || !p.Read(policy.PartHolders, policy.PartUse) {
			t.Fatalf("%s: got %d holders, the first with %d other policies, unread %v %s", x.ID, len(p.Holders), len(p.Holders[0].Beside), p.Unread, x.Unread)
		}
	}
}
