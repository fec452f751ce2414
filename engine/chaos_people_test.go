package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	typed "dera.example/dera/resource/world"
)

// people are who else writes in the world, and what they hold for true: what they
// made, what of it must stay, and what they took away again. dera's own writes do
// not change that, so that it is the truth which the end is held against.
type people struct {
	s        *storm
	rand     *rand.Rand
	settings control.Settings
	list     []*owned
	n        int
	few      bool // controls
	rules    []control.Control
	needs    map[*bucket.Bucket][]string
}

// owned is one resource and what people did to it. Its facts are what someone can
// do through it: reach a port from an address, read by a statement.
type owned struct {
	dera.Resource
	kind kindOfChaos
	made map[string]made
	// excused are facts that people themselves took away.
	excused map[string]bool
	// backed are facts of before a fix that was taken back, and of the beginning.
	backed []string
}

// made is one thing that people made in a resource: facts that must stay, and all
// that there may be.
type made struct{ need, may []string }

// kindOfChaos is what people do to resources of a type.
type kindOfChaos interface {
	// facts are what a configuration allows, and exposed what of it must not be.
	facts(config any) map[string]bool
	exposed(config any) bool
	// create returns an operation that makes something under a name; remove those
	// that take all of it away.
	create(p *people, r dera.Resource, config any, name string) (resource.Operation, made, error)
	remove(config any, name string) ([]resource.Operation, error)
	// gone are those of what stood in one configuration and does not in the next.
	gone(before, after any) []string
}

const someone = "arn:aws:iam::" + account + ":user/someone"

func newPeople(s *storm) *people {
	return &people{s: s, rand: rand.New(rand.NewPCG(s.seed, 2)), needs: map[*bucket.Bucket][]string{}}
}

// settleIn makes the resources of the seed.
func (p *people) settleIn() {
	p.few = p.rand.IntN(4) > 0
	if p.rand.IntN(3) == 0 {
		p.settings.KeepInternal.Choice = control.KeepNone
	}
	for i := range 2 + p.rand.IntN(2) {
		p.add(newGroup(i), groupChaos{}, p.rand.IntN(3))
	}
	for i := range max(0, p.rand.IntN(5)-2) {
		p.add(newBucket(i), bucketChaos{}, 1+p.rand.IntN(2))
	}
	if p.rand.IntN(4) == 0 {
		p.add(newAccountBlock(account), blockChaos{}, 0)
	}
	// IAM has a draw of its own, so that the rest of a seed's world is as it was without.
	switch rand.New(rand.NewPCG(p.s.seed, 5)).IntN(5) {
	case 0:
		p.add(newRole(0), roleChaos{}, 2)
	case 1:
		p.add(newPolicy(0, p.rand.IntN(5)), policyChaos{}, 1)
	}
}

func (p *people) add(r dera.Resource, kind kindOfChaos, things int) {
	if err := p.s.world.Add(r); err != nil {
		p.s.t.Fatal(err)
	}
	o := &owned{Resource: r, kind: kind, made: map[string]made{}, excused: map[string]bool{}, backed: slices.Collect(maps.Keys(kind.facts(r.Config)))}
	p.list = append(p.list, o)
	for range things {
		p.create(o)
	}
}

// controls are those of the resources' types; that on all the other ports, which
// decides little and costs much, in some seeds.
func (p *people) controls() []control.Control {
	if p.rules == nil {
		p.rules = slices.DeleteFunc(rulebook(p.types()...), func(c control.Control) bool { return p.few && c.ID == "ec2-securitygroup-other-ports-open" })
	}
	return p.rules
}

// accounts are those of the resources.
func (p *people) accounts() []dera.Account {
	var out []dera.Account
	for _, o := range p.list {
		if !slices.ContainsFunc(out, func(a dera.Account) bool { return a.ID == o.Account }) {
			out = append(out, dera.Account{ID: o.Account, Partition: "aws"})
		}
	}
	return out
}

func (p *people) types() []string {
	var out []string
	for _, o := range p.list {
		if !slices.Contains(out, o.Type) {
			out = append(out, o.Type)
		}
	}
	return out
}

// under reports whether a resource of another type decides about those of a type.
func (p *people) under(typ string) bool {
	t, err := registry().Lookup(typ)
	if err != nil {
		p.s.t.Fatal(err)
	}
	return slices.ContainsFunc(p.types(), func(o string) bool { return slices.Contains(t.Under, o) })
}

// act is one thing that someone does somewhere.
func (p *people) act() { p.actOn(p.list[p.rand.IntN(len(p.list))]) }

func (p *people) actOn(o *owned) {
	if p.rand.IntN(3) > 0 || len(o.made) == 0 {
		p.create(o)
		return
	}
	names := slices.Sorted(maps.Keys(o.made))
	p.remove(o, names[p.rand.IntN(len(names))])
}

// between is what someone does during a call: to the resource of a write, the very
// same where chance has it.
func (p *people) between(c typed.Call) {
	if c.Plan == nil {
		i := slices.IndexFunc(p.list, func(o *owned) bool { return slices.Contains(c.Scope.IDs, o.ARN.Name()) && o.Type == c.Scope.Type })
		if i < 0 || p.rand.IntN(2) == 0 {
			p.act()
		} else {
			p.actOn(p.list[i])
		}
		return
	}
	i := slices.IndexFunc(p.list, func(o *owned) bool { return o.ARN == c.Plan.Resource && o.Type == c.Plan.Type })
	if i < 0 {
		return
	}
	if o := p.list[i]; p.rand.IntN(3) == 0 {
		before := p.truth(o)
		if p.s.world.Write(someone, o.Resource, c.Operation) == nil {
			o.excuse(o.kind.gone(before, p.truth(o)))
			p.wrote(o, o.kind.facts(before))
		}
	} else {
		p.actOn(o)
	}
}

// wrote notes what a write of someone changed: what they made may be there, and
// what they closed may not come back.
func (p *people) wrote(o *owned, before map[string]bool) {
	after := o.kind.facts(p.truth(o))
	for f := range after {
		if !before[f] {
			o.backed = append(o.backed, f)
		}
	}
	for name, m := range o.made {
		m.may = slices.DeleteFunc(slices.Clone(m.may), func(f string) bool { return before[f] && !after[f] })
		o.made[name] = m
	}
}

func (o *owned) excuse(facts []string) {
	for _, f := range facts {
		o.excused[f] = true
	}
}

// create makes something new in the resource.
func (p *people) create(o *owned) {
	now := p.truth(o)
	if now == nil {
		return
	}
	p.n++
	name := fmt.Sprintf("o%d", p.n)
	op, m, err := o.kind.create(p, o.Resource, now, name)
	if err != nil {
		p.s.t.Fatal(err)
	}
	if op.Name == "" || p.s.world.Write(someone, o.Resource, op) != nil {
		return
	}
	o.made[name] = m
	for _, f := range m.need {
		delete(o.excused, f)
	}
}

// remove takes away what was made under a name, in however many pieces it is by now.
func (p *people) remove(o *owned, name string) {
	now := p.truth(o)
	if now == nil {
		return
	}
	ops, err := o.kind.remove(now, name)
	if err != nil {
		p.s.t.Fatal(err)
	}
	p.losing(o, func() {
		for _, op := range ops {
			_ = p.s.world.Write(someone, o.Resource, op)
		}
	})
	delete(o.made, name)
}

// backed notes that what was there before a fix may come back, by the rollback of a
// person. The undo of a fix that failed brings nothing back.
func (p *people) backed(r dera.Remediation) {
	for _, o := range p.list {
		if o.Key() != r.ResourceKey() {
			continue
		}
		for _, v := range p.s.world.History(o.Key()) {
			if !v.At.After(r.CreatedAt) {
				o.backed = slices.AppendSeq(o.backed, maps.Keys(o.kind.facts(v.Config)))
			}
		}
	}
}

// losing notes what is not there any more after f, by which someone takes away what
// is theirs: nobody misses it. What others made may be there as before, also where a
// fix is about to be undone that took it away.
func (p *people) losing(o *owned, f func()) {
	before := o.kind.facts(p.truth(o))
	f()
	after := o.kind.facts(p.truth(o))
	for fact := range before {
		if !after[fact] {
			o.excused[fact] = true
		}
	}
}

func (p *people) truth(o *owned) any {
	past := p.s.world.History(o.Key())
	return past[len(past)-1].Config
}

// missing and extra are what the truth lacks, and what it has and nobody made.
func (p *people) missing(o *owned) (lost, extra []string) {
	now := o.kind.facts(p.truth(o))
	may := map[string]bool{}
	for _, f := range o.backed {
		may[f] = true
	}
	for _, name := range slices.Sorted(maps.Keys(o.made)) {
		for _, f := range o.made[name].need {
			if !now[f] && !o.excused[f] && !slices.Contains(lost, f) {
				lost = append(lost, f)
			}
		}
		for _, f := range o.made[name].may {
			may[f] = true
		}
	}
	for _, f := range slices.Sorted(maps.Keys(now)) {
		if !may[f] {
			extra = append(extra, f)
		}
	}
	return lost, extra
}

// always reports whether something held of every configuration that a resource had
// from a time until now.
func always(past []typed.Version, from time.Time, holds func(config any) bool) bool {
	for i, v := range past {
		if i+1 < len(past) && !past[i+1].At.After(from) {
			continue // it was over before
		}
		if !holds(v.Config) {
			return false
		}
	}
	return true
}
