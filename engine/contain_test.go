package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/services/ec2/instance"
)

// TestContain_refused: what is asked for is recorded with who asks and why, once, and is about
// a resource that can be contained; nothing has a plan before it is looked at.
func TestContain_refused(t *testing.T) {
	t.Parallel()
	w := &world{t: t, dir: t.TempDir(), clock: newClock(), mode: dera.Observe}
	w.cloud = awssim.New(awssim.Config{Now: w.clock.Now, Seed: 1})
	w.region = w.cloud.Account(account).Region(region)
	w.config = func(c *engine.Config) {
		c.Controls = slices.DeleteFunc(rulebook(instance.Name), func(c control.Control) bool { return !c.Gives })
	}
	w.open("engine-1")
	good := engine.ContainOrder{Resource: "i-0123456789abcdef0", Account: account, Region: region, How: instance.StopIt, Reason: "it mines coins", By: somebody("dev/ann")}
	for name, tc := range map[string]struct {
		change func(*engine.ContainOrder)
		want   string
	}{
		"nobody":          {func(o *engine.ContainOrder) { o.By = dera.Actor{} }, "who asks is not established"},
		"no_reason":       {func(o *engine.ContainOrder) { o.Reason = " " }, "no reason"},
		"no_way":          {func(o *engine.ContainOrder) { o.How = "" }, "how it is to be contained"},
		"a_role":          {func(o *engine.ContainOrder) { o.Resource = string(appARN) }, "nothing that dera can contain"},
		"a_volume":        {func(o *engine.ContainOrder) { o.Resource = "arn:aws:ec2:" + region + ":" + account + ":volume/vol-1" }, "nothing that dera can contain"},
		"of_no_region":    {func(o *engine.ContainOrder) { o.Resource = "arn:aws:ec2::" + account + ":instance/i-1" }, "nothing that dera can contain"},
		"another_account": {func(o *engine.ContainOrder) { o.Account = "999988887777" }, "999988887777"},
	} {
		o := good
		tc.change(&o)
		if a, err := w.engine.RequestContainment(t.Context(), o); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %+v, %v, want an error of %q", name, a, err, tc.want)
		}
	}
	a, err := w.engine.RequestContainment(t.Context(), good)
	if err != nil || !a.Contains() || a.Text() != "stop of instance/i-0123456789abcdef0" || a.Type != instance.Name || a.Region != region {
		t.Fatalf("got %+v, %v", a, err)
	}
	if state, grant, err := w.engine.AccessState(t.Context(), a); err != nil || state != dera.AccessAsked || grant != nil {
		t.Errorf("got %s, %+v, %v, want it asked, and no plan", state, grant, err)
	}
	var refused *engine.RefusedError
	good.Resource = string(a.Principal)
	if _, err := w.engine.RequestContainment(t.Context(), good); !errors.As(err, &refused) || !strings.Contains(err.Error(), "already") {
		t.Errorf("asked twice: got %v", err)
	}
}
