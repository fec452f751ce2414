package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
)

// TestMixedModes draws what people and others do to one group while its controls are in
// different modes, and holds the laws of what waits for what after each step.
func TestMixedModes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := newMixed(t, seed)
			m.rest()
			for range 12 {
				m.step()
				m.rest()
				if t.Failed() {
					t.Fatalf("after %q", m.log)
				}
			}
		})
	}
}

type mixed struct {
	*world
	draw  *rand.Rand
	modes map[string]dera.Mode
	id    string
	log   []string
}

func newMixed(t *testing.T, seed uint64) *mixed {
	m := &mixed{draw: rand.New(rand.NewPCG(seed, 99)), modes: map[string]dera.Mode{}}
	m.modes[adminPorts], m.modes[otherPorts] = m.mode(), m.mode()
	m.world = newWorldWith(t, func(w *world) { w.config = byControl(m.modes) })
	m.id = m.group("web", drawRules(m.draw)...)
	return m
}

func (m *mixed) mode() dera.Mode {
	return []dera.Mode{dera.Observe, dera.ReviewOnly, dera.Enforce}[m.draw.IntN(3)]
}

// step is one thing that happens.
func (m *mixed) step() {
	m.t.Helper()
	all := m.remediations(m.id)
	in := func(state dera.State) (list []dera.Remediation) {
		return slices.DeleteFunc(slices.Clone(all), func(r dera.Remediation) bool { return r.State != state })
	}
	waiting, ended := in(dera.Waiting), in(dera.Resolved)
	switch op := m.draw.IntN(8); {
	case op < 3 && len(waiting) > 0:
		r := waiting[m.draw.IntN(len(waiting))]
		yes := op > 0
		_, err := m.engine.Decide(m.t.Context(), r.ID, engine.Answer{Approve: yes, Digest: r.Digest, Reason: "so be it", By: person()})
		if no := (&engine.RefusedError{}); err != nil && !errors.As(err, &no) {
			m.t.Fatal(err)
		}
		m.log = append(m.log, fmt.Sprintf("%s: yes %t, %v", r.ID, yes, err))
	case op == 3:
		m.clock.Advance(73 * time.Hour)
		m.log = append(m.log, "73 hours")
	case op == 4 && len(ended) > 0:
		_, err := m.engine.Rollback(m.t.Context(), ended[0].ID, remediate.Request{By: person(), Reason: "x"})
		m.log = append(m.log, fmt.Sprintf("rollback: %v", err))
	case op == 5:
		c := []string{adminPorts, otherPorts}[m.draw.IntN(2)]
		m.modes[c] = m.mode()
		m.log = append(m.log, fmt.Sprintf("%s in %s", c, m.modes[c]))
	default:
		rule := drawRules(m.draw)[0]
		_, err := m.region.Authorize(m.t.Context(), m.id, rule)
		m.log = append(m.log, fmt.Sprintf("authorize %d-%d %s: %v", rule.FromPort, rule.ToPort, rule.CIDR, err))
	}
}

// rest lets everything come to rest and holds the laws.
func (m *mixed) rest() {
	m.t.Helper()
	for range 2 {
		m.clock.Advance(2 * time.Minute)
		m.sweep()
		m.quiet()
	}
	by := map[string]dera.Remediation{}
	for _, r := range m.remediations(m.id) {
		by[r.ID] = r
	}
	for key, f := range m.findings(m.id) {
		if f.State != dera.FindingOpen || f.WaitsFor == "" {
			continue
		}
		holder := by[f.WaitsFor]
		switch {
		case holder.ID == "" || holder.State == dera.Superseded || holder.State == dera.Resolved || holder.State == dera.Rejected:
			m.t.Errorf("%s waits for %q, which is %q", key, f.WaitsFor, holder.State)
		case slices.Contains(holder.Findings, f.ID) && holder.State.Final():
			m.t.Errorf("%s waits for its own plan %s, which is %s", key, holder.ID, holder.State)
		case holder.State == dera.Observed && m.modes[f.Control] != dera.Observe:
			m.t.Errorf("%s acts, and waits for what is observed only", key)
		}
	}
	for _, r := range by {
		if r.State != dera.Resolved || r.Approved() {
			continue
		}
		for _, no := range by {
			if no.State != dera.Rejected || no.Control != r.Control || !no.Approval.At.Before(r.CreatedAt) {
				continue
			}
			for _, c := range r.Covers {
				yes := slices.ContainsFunc(m.remediations(m.id), func(o dera.Remediation) bool {
					return o.Approved() && o.Approval.At.After(no.Approval.At) && o.CreatedAt.Before(r.CreatedAt)
				})
				if slices.ContainsFunc(no.Covers, func(o dera.Extent) bool { return o.Key == c.Key }) && !yes {
					m.t.Errorf("%s closed %s automatically, to which a person said no (%s)", r.ID, c.Key, no.ID)
				}
			}
		}
	}
}
