package cloud_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/securitygroup"
)

// limited is a client whose calls wait for their turn by a clock that nobody moves.
func limited(t *testing.T, share float64) (fixture, *cloud.Limits, *time.Duration) {
	t.Helper()
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	waited := new(time.Duration)
	l, err := cloud.NewLimits(cloud.LimitsConfig{Share: share, Now: func() time.Time { return at }, Wait: func(_ context.Context, d time.Duration) error {
		*waited = max(*waited, d)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return newFixture(t, func(c *cloud.Config) { c.Limits = l }), l, waited
}

// TestAttemptsHaveTurns: each attempt of a call has a turn, those that the SDK makes again too, and what AWS refused
// as too much is noted.
func TestAttemptsHaveTurns(t *testing.T) {
	t.Parallel()
	f, l, _ := limited(t, 1)
	id := f.group(t, "web", ssh())
	f.one(t, id)
	before := l.Load()
	f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: "DescribeSecurityGroups"}, Kind: awssim.Throttle, Times: 2})
	f.one(t, id)
	after := l.Load()
	if after.Throttled != 2 || after.Calls < before.Calls+3 {
		t.Errorf("got %+v after %+v, want two calls that AWS refused and that were made again", after, before)
	}
}

// TestTurnsFarOff: a read whose turn is too far off is not made, and says when; it is no answer that something is
// unread. A write to the same account goes on.
func TestTurnsFarOff(t *testing.T) {
	t.Parallel()
	f, l, waited := limited(t, 0.5)
	id := f.group(t, "web", ssh())
	g := f.one(t, id)
	page, err := f.Read(t.Context(), scopeOf(id), true)
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if page, err = f.Read(t.Context(), scopeOf(id), true); err != nil {
			break
		}
	}
	var later interface{ Later() time.Time }
	if !errors.As(err, &later) || l.Load().Later == 0 || *waited == 0 || len(page.Resources) > 0 {
		t.Fatalf("got %+v and %v after waits of up to %s, want a read that comes later", page, err, *waited)
	}
	page, err = f.ReadAgain(t.Context(), scopeOf(id))
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("the read of a remediation: got %v", err)
	}
	c, err := g.Revoke(g.Ingress[0])
	if err != nil {
		t.Fatal(err)
	}
	at := scopeOf(id)
	plan := dera.Plan{Partition: at.Partition, Account: at.Account, Region: at.Region, Type: at.Type, Resource: page.Resources[0].ARN, Changes: []dera.Change{c}}
	if _, err := f.Do(t.Context(), plan, resource.Of(c), func(context.Context) error { return nil }); err != nil {
		t.Errorf("the write: got %v", err)
	}
	if n := len(f.reread(t, id).Ingress); n != 0 {
		t.Errorf("got %d rules, want none", n)
	}
}

// reread reads one group as a remediation does.
func (f fixture) reread(t *testing.T, id string) *securitygroup.Group {
	t.Helper()
	page, err := f.ReadAgain(t.Context(), scopeOf(id))
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("read %s: got %+v, %v", id, page, err)
	}
	return page.Resources[0].Config.(*securitygroup.Group)
}

// TestLeaseIsAskedAfterTheTurn: what lets a write through is asked after the write waited for its turn, right before the
// request is signed: a lease that was lost meanwhile stops it.
func TestLeaseIsAskedAfterTheTurn(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	var order []string
	l, err := cloud.NewLimits(cloud.LimitsConfig{Share: 0.2, Now: func() time.Time { return at }, Wait: func(context.Context, time.Duration) error {
		order = append(order, "turn")
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(c *cloud.Config) { c.Limits = l })
	id := f.group(t, "web", ssh())
	g := f.reread(t, id)
	for len(order) == 0 {
		f.reread(t, id)
	}
	order = nil
	c, err := g.Revoke(g.Ingress[0])
	if err != nil {
		t.Fatal(err)
	}
	s := scopeOf(id)
	plan := dera.Plan{Partition: s.Partition, Account: s.Account, Region: s.Region, Type: s.Type, Resource: securitygroupARN(t, f, id), Changes: []dera.Change{c}}
	order = nil
	lost := errors.New("the lease is lost")
	_, err = f.Do(t.Context(), plan, resource.Of(c), func(context.Context) error {
		order = append(order, "lease")
		return lost
	})
	if !errors.Is(err, lost) || len(order) < 2 || order[len(order)-2] != "turn" || order[len(order)-1] != "lease" {
		t.Errorf("got %v in the order %v, want the turn and then the lease", err, order)
	}
}

func securitygroupARN(t *testing.T, f fixture, id string) dera.ARN {
	t.Helper()
	page, err := f.ReadAgain(t.Context(), scopeOf(id))
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %+v, %v", page, err)
	}
	return page.Resources[0].ARN
}
