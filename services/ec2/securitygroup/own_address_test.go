package securitygroup_test

import (
	"net/netip"
	"strings"
	"testing"

	"dera.example/dera/control"
	"dera.example/dera/services/ec2/securitygroup"
)

// TestOwnAddressesDecideNothing: as the public addresses of other accounts become known, change or cannot be read, the
// group means the same, and its plan and evidence stay as they were: an approval holds, and a fix that is under way sees
// no difference. Only the notes of a plan name them.
func TestOwnAddressesDecideNothing(t *testing.T) {
	t.Parallel()
	nat := securitygroup.OwnAddress{Address: netip.MustParseAddr("8.8.0.1"), Name: "nat in 444455556666"}
	type what struct{ canon, results, digest, evidence string }
	of := func(id string, own []securitygroup.OwnAddress, unread string) (w what, notes string) {
		g := fullGroup()
		g.Network.Own, g.Network.OwnUnread = own, unread
		c, r, s := find(t, id), resourceOf(g), control.Settings{RuleQuota: 200}
		res, err := c.Check(r, s)
		if err != nil {
			t.Fatal(err)
		}
		p, refusal, err := c.Plan(r, res.Failures, s)
		if refusal != nil || err != nil {
			t.Fatalf("plan: %v, %v", refusal, err)
		}
		ev, err := c.Prove(r, res.Failures, p, s)
		if err != nil {
			t.Fatal(err)
		}
		w.canon, w.evidence = g.Canon(), string(ev.Body)
		if w.digest, err = p.Digest(); err != nil {
			t.Fatal(err)
		}
		for _, f := range res.Failures {
			w.results += f.Key + " " + f.Start.String() + " " + f.Severity.String() + " " + f.Why + "\n"
		}
		return w, strings.Join(securitygroup.Type().Notes(g, p), " ")
	}
	for _, id := range []string{adminID, "ec2-securitygroup-other-ports-open"} {
		want, notes := of(id, nil, "")
		if notes != "" {
			t.Errorf("%s: got notes %q of nothing", id, notes)
		}
		for unread, own := range map[string][]securitygroup.OwnAddress{"": {nat}, "the addresses of 1 of 2 accounts are not known": {nat}} {
			got, notes := of(id, own, unread)
			if got != want {
				t.Errorf("%s: got %+v, want %+v", id, got, want)
			}
			if !strings.Contains(notes, unread) || !strings.Contains(notes, "8.8.0.1 (nat in 444455556666)") {
				t.Errorf("%s: got notes %q", id, notes)
			}
		}
	}
}
