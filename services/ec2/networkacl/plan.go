package networkacl

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
)

// port is one of remote administration.
type port struct {
	number uint16
	name   string
}

func ports() []port { return []port{{22, "SSH"}, {3389, "RDP"}} }

func (p port) key() string { return fmt.Sprintf("tcp/%d", p.number) }

// most is how many entries a network ACL may have in one direction, the last one among them
// (Amazon VPC quotas, network ACLs).
const most = 20

// opens are the entries that allow the internet to reach the port, each on its own: whatever those
// before it allow, and nothing that one before it denies.
func (a *ACL) opens(p port, allow netset.Addrs) (out []Entry, err error) {
	var denied netset.Set
	for _, e := range a.Entries {
		fits, err := e.packets()
		if err != nil {
			return nil, err
		}
		switch {
		case !e.Allow:
			denied = denied.Union(fits)
		case netset.Exposure(fits.Subtract(denied), netset.TCP, p.number, allow).Internet():
			out = append(out, e)
		}
	}
	return out, nil
}

func check(a *ACL, s control.Settings) control.Result {
	allow := netset.AddrsOf(s.Allow...)
	in, err := Allowed(a.Entries)
	if err != nil {
		return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
	}
	var out []control.Failure
	for _, p := range ports() {
		if !netset.Exposure(in, netset.TCP, p.number, allow).Internet() {
			continue
		}
		entries, err := a.opens(p, allow)
		if err != nil {
			return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
		}
		f := control.Failure{Key: p.key(), Start: dera.Review, Severity: dera.Medium, Title: "Network ACL allows " + p.name + " from the internet", Why: "Several entries together allow the internet to reach " + p.name + "."}
		if len(entries) > 0 {
			f.Why = fmt.Sprintf("It allows the internet to reach %s: %s.", p.name, lines(entries))
		}
		if slices.ContainsFunc(entries, func(e Entry) bool { return e.Protocol == "-1" }) {
			f = control.Failure{Key: "all", Start: dera.Alert, Severity: dera.Low, Title: "Network ACL allows all traffic from the internet", Why: fmt.Sprintf("It allows all traffic of the internet: %s.", lines(entries))}
		}
		if !slices.ContainsFunc(out, func(o control.Failure) bool { return o.Key == f.Key }) {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return control.Result{Outcome: control.Pass}
	}
	return control.Result{Outcome: control.Fail, Failures: out, Whole: true}
}

func lines(entries []Entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Line())
	}
	return strings.Join(out, "; ")
}

// cut are the entries that go for the failures, or why none does.
func (a *ACL) cut(failures []control.Failure, s control.Settings) (out []Entry, _ *control.Refusal) {
	for _, p := range ports() {
		if !slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Key == p.key() }) {
			continue
		}
		entries, err := a.opens(p, netset.AddrsOf(s.Allow...))
		if err != nil || len(entries) == 0 {
			return nil, &control.Refusal{Code: "cannot-plan", Why: fmt.Sprintf("no single entry allows the internet to reach %s (%v)", p.name, err)}
		}
		for _, e := range entries {
			if e.From == nil || e.To == nil || *e.From != int32(p.number) || *e.To != int32(p.number) {
				return nil, &control.Refusal{Code: "wide-entry", Why: "the entry is for more than " + p.name + ", and answers to outgoing connections may come by it: " + e.Line()}
			}
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return nil, &control.Refusal{Code: "all-traffic", Why: "an entry for all traffic is what AWS makes in every VPC"}
	}
	return out, nil
}

// kept are the ranges of an entry that stay: private ones and those of the allowlist.
func kept(e Entry, s control.Settings) []netip.Prefix {
	return netset.Private().Union(netset.AddrsOf(s.Allow...)).Intersect(netset.AddrsOf(e.CIDR)).Prefixes()
}

// plan puts entries for what is kept right behind each entry that goes, before the next number
// that is taken, so that they decide what it decided, and then deletes it.
func plan(a *ACL, failures []control.Failure, s control.Settings) (changes []dera.Change, _ *control.Refusal) {
	gone, refusal := a.cut(failures, s)
	if refusal != nil {
		return nil, refusal
	}
	total := len(a.Entries) + 1
	for _, e := range gone {
		next := e.Number + 1
		for _, prefix := range kept(e, s) {
			stays := e
			stays.Number, stays.CIDR = next, prefix
			if slices.ContainsFunc(a.Entries, func(o Entry) bool { return o.Number == next }) || next >= Last {
				return nil, &control.Refusal{Code: "no-free-number", Why: fmt.Sprintf("between entry %d and the next one there are too few free numbers for the private networks that it allows too", e.Number)}
			}
			if total++; total > most {
				return nil, &control.Refusal{Code: "entry-quota", Why: fmt.Sprintf("with the entries for private networks there would be more than %d", most)}
			}
			c, err := resource.NewChange(Create, Input{a.ID, stays}, nil, stays, Delete, Input{a.ID, stays}, []string{"+ " + stays.Line()})
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			changes, next = append(changes, c), next+1
		}
		c, err := resource.NewChange(Delete, Input{a.ID, e}, e, nil, Create, Input{a.ID, e}, []string{"- " + e.Line()})
		if err != nil {
			return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// prove makes network evidence: of the ports nothing from outside is allowed by the entries that
// go, and all else is as it was.
func prove(a *ACL, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
	gone, refusal := a.cut(failures, s)
	if refusal != nil {
		return dera.Evidence{}, refusal
	}
	n := evidence.Network{Unread: "which ranges the VPC reaches privately is not read: public ones that belong to it go too"}
	var err error
	if n.Old, err = Allowed(a.Entries); err != nil {
		return dera.Evidence{}, err
	}
	n.New = n.Old
	outside := netset.Everywhere().Subtract(netset.Private()).Subtract(netset.AddrsOf(s.Allow...))
	for _, e := range gone {
		n.Forbidden = n.Forbidden.Union(netset.Product(netset.Over(netset.TCP, uint16(*e.From), uint16(*e.To)), outside.Intersect(netset.AddrsOf(e.CIDR))))
	}
	free, err := Allowed(slices.DeleteFunc(slices.Clone(a.Entries), func(e Entry) bool {
		return slices.ContainsFunc(gone, func(g Entry) bool { return g.Line() == e.Line() })
	}))
	if err != nil {
		return dera.Evidence{}, err
	}
	n.Forbidden = n.Forbidden.Subtract(free)
	now := a
	for i, c := range changes {
		next, err := Type().Apply(now, resource.Of(c))
		if err != nil {
			return dera.Evidence{}, fmt.Errorf("apply change %d: %w", i, err)
		}
		now = next.(*ACL)
		in, err := Allowed(now.Entries)
		if err != nil {
			return dera.Evidence{}, err
		}
		if step := (evidence.Step{Gone: n.New.Subtract(in), Come: in.Subtract(n.New)}); !step.Gone.IsEmpty() || !step.Come.IsEmpty() {
			n.Between, n.New = append(n.Between, step), in
		}
	}
	if k := len(n.Between); k > 0 {
		n.Between = n.Between[:k-1]
	}
	return n.Evidence()
}
