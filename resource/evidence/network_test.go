package evidence

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/netset"
)

func set(protocol netset.Protocol, lo, hi uint16, source string) netset.Set {
	return netset.Product(netset.Over(protocol, lo, hi), netset.AddrsOf(netip.MustParsePrefix(source)))
}

func TestNetworkClaims(t *testing.T) {
	t.Parallel()
	world, office := set(netset.TCP, 22, 22, "192.0.0.0/3"), set(netset.TCP, 22, 22, "203.0.113.0/24")
	world = world.Subtract(set(netset.TCP, 22, 22, "192.168.0.0/16"))
	inner := set(netset.TCP, 22, 22, "10.0.0.0/8")
	web := set(netset.TCP, 443, 443, "0.0.0.0/0")
	base := Network{Old: world.Union(web), New: web, Forbidden: world}
	tests := []struct {
		name    string
		change  func(*Network)
		refuted string // the claim, and the start of its witness
	}{
		{"as_it_should_be", func(*Network) {}, ""},
		{"forbids_nothing", func(n *Network) { *n = Network{} }, "?finding_gone nothing that is removed was allowed"},
		{"finding_stays", func(n *Network) { n.New = n.Old }, "finding_gone tcp/22 from "},
		{"finding_stays_in_part", func(n *Network) { n.New = web.Union(office) }, "finding_gone tcp/22 from 203.0.113."},
		{"something_else_goes", func(n *Network) { n.New = netset.Set{} }, "nothing_else_lost tcp/443 from "},
		{"something_comes", func(n *Network) { n.New = web.Union(set(netset.UDP, 53, 53, "10.0.0.0/8")) }, "nothing_new udp/53 from 10."},
		{"wider_between", func(n *Network) { n.Between = []Step{{Gone: office}, {Come: set(netset.TCP, 1, 1, "10.0.0.0/8")}} }, "never_wider_between tcp/1 from 10."},
		{"outage_between", func(n *Network) { n.Between = []Step{{Gone: web}, {Come: web}} }, "never_wider_between tcp/443 from "},
		{"between_is_fine", func(n *Network) { n.Between = []Step{{Gone: world, Come: office}, {Gone: office}} }, ""},
		{"private_access_is_forbidden", func(n *Network) { n.Old, n.Forbidden = n.Old.Union(inner), n.Forbidden.Union(inner) }, "only_external_forbidden tcp/22 from 10."},
		{"private_access_goes_unnamed", func(n *Network) { n.Old = n.Old.Union(inner) }, "nothing_else_lost tcp/22 from 10."},
		{"private_access_is_given_up", func(n *Network) { n.Old, n.GivenUp, n.GivenUpBy = n.Old.Union(inner), inner, "a choice" }, ""},
		{"public_access_is_given_up", func(n *Network) { n.New, n.GivenUp, n.GivenUpBy = netset.Set{}, web, "a choice" }, "private_access_lost tcp/443 from "},
		{"what_is_given_up_stays", func(n *Network) {
			n.Old, n.New, n.GivenUp, n.GivenUpBy = n.Old.Union(inner), n.New.Union(inner), inner, "a choice"
		}, "finding_gone tcp/22 from 10."},
		{"own_address_of_the_vpc_is_forbidden", func(n *Network) {
			n.House = netset.Product(netset.EveryTraffic(), netset.AddrsOf(netip.MustParsePrefix("203.0.113.0/24")))
		}, "only_external_forbidden tcp/22 from 203.0.113.0"},
		{"house_is_not_known", func(n *Network) { n.Unread = "denied" }, "?nothing_else_lost denied"},
		{"group_comes", func(n *Network) { n.NewOthers = []string{"tcp 22 from sg-2"} }, "nothing_new tcp 22 from sg-2"},
		{"group_goes", func(n *Network) { n.OldOthers = []string{"tcp 22 from sg-2"} }, "nothing_else_lost tcp 22 from sg-2"},
		{"forbidden_group_stays", func(n *Network) {
			n.OldOthers, n.NewOthers, n.ForbiddenOthers = []string{"g"}, []string{"g"}, []string{"g"}
		}, "finding_gone g"},
		{"forbidden_group_goes", func(n *Network) { n.OldOthers, n.ForbiddenOthers = []string{"g"}, []string{"g"} }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := base
			tt.change(&n)
			ev, err := n.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			var refuted []string
			for _, c := range ev.Claims {
				switch c.Verdict {
				case dera.Refuted:
					refuted = append(refuted, c.Name+" "+c.Witness)
				case dera.Unknown:
					refuted = append(refuted, "?"+c.Name+" "+c.Witness)
				case dera.Proved:
				}
			}
			if got := strings.Join(refuted, "; "); len(refuted) > 1 || !strings.HasPrefix(got, tt.refuted) || (got == "") != (tt.refuted == "") {
				t.Errorf("refuted: got %q, want %q", got, tt.refuted)
			}
			if ev.Proved() != (tt.refuted == "") {
				t.Errorf("proved: got %t, want %t", ev.Proved(), tt.refuted == "")
			}
			blob, _, err := ev.Blob()
			if err != nil {
				t.Fatal(err)
			}
			if err := Check(blob, NetworkEvidence()); err != nil {
				t.Errorf("check: %v", err)
			}
		})
	}
}

func TestCheckEvidenceErrors(t *testing.T) {
	t.Parallel()
	world := set(netset.TCP, 22, 22, "0.0.0.0/1")
	world = world.Subtract(netset.Product(netset.EveryTraffic(), netset.Private()))
	ev, err := Network{Old: world, Forbidden: world}.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	if err := Check([]byte(good), NetworkEvidence()); err != nil {
		t.Fatalf("check: %v", err)
	}
	tests := []struct{ name, text, want string }{
		{"empty", "", "EOF"},
		{"no_object", "[]", "cannot unmarshal"},
		{"nothing_stated", "{}", "kind"},
		{"unknown_field", strings.Replace(good, `{"kind"`, `{"x":1,"kind"`, 1), "unknown field"},
		{"text_after_it", good + "{}", "text after"},
		{"other_kind", strings.Replace(good, "network/2", "network/9", 1), "network/9"},
		{"verdict", strings.Replace(good, `"proved"`, `"refuted"`, 1), "verdicts"},
		{"denied", strings.Replace(good, `"denied":"tcp/22`, `"denied":"tcp/23`, 1), "denied"},
		{"body_in_another_form", strings.Replace(good, `"0.0.0.0-9.255.255.255"`, `"0.0.0.0/5","8.0.0.0/7"`, 1), "canonical"},
		{"body_widened", strings.Replace(good, `"new":[]`, `"new":[{"from":["10.0.0.0/8"],"traffic":"tcp/22"}]`, 1), "verdicts"},
		{"body_with_an_unknown_field", strings.Replace(good, `"body":{`, `"body":{"x":1,`, 1), "unknown field"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.text == good {
				t.Fatalf("the text is not changed: %s", good)
			}
			if err := Check([]byte(tt.text), NetworkEvidence()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("check: got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// FuzzCheckEvidence: what the checker accepts is what the body makes, to the
// byte, whatever it is given.
func FuzzCheckEvidence(f *testing.F) {
	for _, n := range []Network{{}, {Old: set(netset.TCP, 22, 22, "0.0.0.0/0"), OldOthers: []string{"a"}}} {
		ev, err := n.Evidence()
		if err != nil {
			f.Fatal(err)
		}
		blob, _, err := ev.Blob()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(blob)
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		if Check(blob, NetworkEvidence()) != nil {
			return
		}
		var ev dera.Evidence
		var n Network
		if err := json.Unmarshal(blob, &ev); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(ev.Body, &n); err != nil {
			t.Fatal(err)
		}
		again, err := n.Evidence()
		if err != nil || again.Proved() != ev.Proved() || again.Denied != ev.Denied {
			t.Errorf("accepted evidence is another: got %+v, %v, want %+v", again, err, ev)
		}
	})
}
