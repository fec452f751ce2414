package engine_test

import (
	"net/http"
	"slices"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera"
	"dera.example/dera/awssim"
)

// modify gives the group's rule that begins with the port another source in place:
// it keeps its ID.
func (w *world) modify(group string, from int, cidr string) {
	w.t.Helper()
	g, _ := w.cloud.Snapshot().Group(group)
	i := slices.IndexFunc(g.Rules, func(r awssim.Rule) bool { return !r.Egress && r.FromPort == from })
	if i < 0 {
		w.t.Errorf("group %s has no rule from port %d", group, from)
		return
	}
	r := g.Rules[i]
	creds := w.cloud.Account(account).AddUser("bob", "*")
	api := ec2.NewFromConfig(awssdk.Config{
		Region: region, HTTPClient: &http.Client{Transport: w.cloud.Transport()},
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	_, err := api.ModifySecurityGroupRules(w.t.Context(), &ec2.ModifySecurityGroupRulesInput{
		GroupId: &group, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{
			SecurityGroupRuleId: &r.ID, SecurityGroupRule: &types.SecurityGroupRuleRequest{
				IpProtocol: &r.Protocol, FromPort: awssdk.Int32(int32(r.FromPort)), ToPort: awssdk.Int32(int32(r.ToPort)), CidrIpv4: &cidr,
			},
		}},
	})
	if err != nil {
		w.t.Error(err)
	}
}

// A rule that someone modified in place has the ID that dera knows and is theirs:
// neither a fix nor its undo takes it away.
func TestRuleModifiedInPlaceIsNotTakenAway(t *testing.T) {
	t.Parallel()
	t.Run("the_wide_rule_before_its_revoke", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		id := w.group("lab", wideRule())
		w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Hook, Times: 1, After: 1, Func: func() { w.modify(id, 0, "10.0.0.0/8") }})
		w.look(id)
		w.quiet()
		if got, want := w.sorted(id), []string{"tcp 0-65535 10.0.0.0/8"}; !slices.Equal(got, want) {
			t.Errorf("rules: got %q, want %q", got, want)
		}
		r := w.remediations(id)[0]
		wantState(t, r, dera.Failed)
		if !slices.Contains(r.Unexpected, "added: in tcp 0 65535 10.0.0.0/8") {
			t.Errorf("moved: got %q, want their rule named", r.Unexpected)
		}
	})
	t.Run("a_remainder_before_the_undo", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		id := w.group("lab", wideRule())
		w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.HookAfter, Times: 1, After: 2, Func: w.stop})
		w.ingest(w.event(id))
		w.drain()
		wantState(t, w.only(id), dera.Applying)
		w.modify(id, 23, "10.0.0.0/8")
		w.resume()
		w.quiet()
		wantState(t, w.remediations(id)[0], dera.Failed)
		if got := w.sorted(id); !slices.Contains(got, "tcp 23-3388 10.0.0.0/8") {
			t.Errorf("rules: got %q, want theirs among them", got)
		}
	})
}
