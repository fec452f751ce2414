package engine_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/securitygroup"
)

// outside watches an engine from outside: it looks at the cloud and at the
// database through a connection of its own, as each write arrives.
type outside struct {
	w        *world
	original map[string]netset.Set
	broken   []string
	writes   int
}

// watch begins to watch; the groups as they are now are the originals.
func (w *world) watch() *outside {
	w.t.Helper()
	o := &outside{w: w, original: map[string]netset.Set{}}
	for _, g := range w.cloud.Snapshot().Groups {
		o.original[g.ID] = reach(g)
	}
	look := w.openStore(w.clock.Now)
	for _, op := range []string{"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"} {
		match := awssim.Match{Operation: op, Where: func(c awssim.Call) bool { return !c.DryRun && strings.HasSuffix(c.Principal, "user/dera") }}
		w.cloud.Inject(awssim.Fault{Match: match, Kind: awssim.Hook, Func: func() {
			o.writes++
			intents, err := look.OpenIntents(w.t.Context())
			if err != nil || !slices.ContainsFunc(intents, func(i dera.Intent) bool { return i.Operation == "ec2:"+op }) {
				o.broken = append(o.broken, "I1: "+op+" arrives without a committed intent")
			}
		}})
		w.cloud.Inject(awssim.Fault{Match: match, Kind: awssim.HookAfter, Func: o.narrow})
	}
	return o
}

// narrow notes a group that allows more than it did.
func (o *outside) narrow() {
	for _, g := range o.w.cloud.Snapshot().Groups {
		if before, ok := o.original[g.ID]; ok && !reach(g).Subtract(before).IsEmpty() {
			o.broken = append(o.broken, "group "+g.ID+" is wider than it was")
		}
	}
}

// check holds what must hold once the engine is quiet: I2 every intent and every
// remediation ended, I10 the log verifies with the public key alone, and what
// was noted on the way.
func (o *outside) check() {
	w := o.w
	w.t.Helper()
	for _, b := range o.broken {
		w.t.Error(b)
	}
	open, err := w.store.OpenIntents(w.t.Context())
	if err != nil || len(open) > 0 {
		w.t.Errorf("I2: got open intents %+v (%v), want none", open, err)
	}
	list, err := w.store.Remediations(w.t.Context())
	if err != nil {
		w.t.Error(err)
	}
	for _, r := range list {
		if !r.State.Final() && r.State != dera.Waiting {
			w.t.Errorf("I2: remediation %s: got %s, want an end", r.ID, r.State)
		}
	}
	w.verifyLog()
}

// verifyLog signs, exports and verifies the audit log as an auditor does.
func (w *world) verifyLog() {
	w.t.Helper()
	ctx := w.t.Context()
	key, err := audit.LoadFileKey(w.dir)
	if err != nil {
		if key, err = audit.NewFileKey(w.dir, "dera/audit", nil); err != nil {
			w.t.Fatal(err)
		}
	}
	log := engine.Log{Store: w.store, Key: key, PublicKey: key.PublicKey(), Now: w.clock.Now}
	if err := log.Check(ctx); err != nil {
		w.t.Error(err)
	}
	signed, err := log.Sign(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	dir := filepath.Join(w.dir, "export")
	if _, err := audit.Export(ctx, w.store, audit.ExportConfig{Dir: dir, Checkpoint: signed, PublicKey: key.PublicKey()}); err != nil {
		w.t.Fatal(err)
	}
	report, err := audit.Verify(ctx, os.DirFS(dir), audit.VerifyConfig{PublicKey: key.PublicKey(), Now: w.clock.Now})
	if err != nil || !report.OK() {
		w.t.Errorf("I10: got %s (%v), want a log that verifies", report, err)
	}
}

// reach is what the group allows from addresses, of the rules that name a range.
func reach(g awssim.Group) netset.Set {
	var rules []securitygroup.Rule
	for _, r := range g.Rules {
		if p, err := netip.ParsePrefix(r.CIDR); err == nil && !r.Egress {
			rules = append(rules, securitygroup.Rule{Protocol: r.Protocol, From: int32(r.FromPort), To: int32(r.ToPort), CIDR: p})
		}
	}
	set, err := securitygroup.Reach(rules)
	if err != nil {
		panic(err) // the simulation holds only rules that can be written
	}
	return set
}
