package source

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera"

	"github.com/google/go-cmp/cmp"
)

func TestSchedule_sweeps_at_start_and_at_intervals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		random := 0.0
		s, err := NewSchedule(ScheduleConfig{
			Accounts: []dera.Account{{ID: ours}, {ID: theirs, Partition: "aws-cn"}},
			Regions:  []string{"eu-west-1", "cn-north-1", "us-east-1"}, Types: []string{"A", "B"},
			Interval: 10 * time.Minute,
			Random:   func() float64 { random += 0.25; return random },
		})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		var at []time.Duration
		var scopes []string
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- s.Run(ctx, func(_ context.Context, d Delivery) error {
				at = append(at, time.Since(begin))
				if len(at) == 2 {
					return errors.New("database is away")
				}
				scopes = nil
				for _, e := range d.Events {
					if e.Source != "sweep" || e.Name != "sweep" || !e.Scope.Sweep() || !e.Time.Equal(time.Now()) {
						t.Errorf("got event %+v, want a sweep of now", e)
					}
					scopes = append(scopes, e.Scope.Key())
				}
				return nil
			})
		}()
		<-time.After(25 * time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("got error %v from Run, want none", err)
		}
		// 0.95 of the interval, a retry after 0.75 s, 1.05 of the interval.
		want := []time.Duration{0, 570 * time.Second, 570*time.Second + 750*time.Millisecond, 1200*time.Second + 750*time.Millisecond}
		if d := cmp.Diff(want, at); d != "" {
			t.Errorf("times of sweeps (-want +got):\n%s", d)
		}
		all := []string{
			"aws/111122223333/eu-west-1/A//", "aws/111122223333/eu-west-1/B//", "aws/111122223333/us-east-1/A//", "aws/111122223333/us-east-1/B//",
			"aws-cn/999999999999/cn-north-1/A//", "aws-cn/999999999999/cn-north-1/B//",
		}
		if d := cmp.Diff(all, scopes); d != "" {
			t.Errorf("scopes (-want +got):\n%s", d)
		}
	})
}

func TestSchedule_finishes_the_sweep_in_hand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSchedule(ScheduleConfig{Accounts: []dera.Account{{ID: ours}}, Regions: []string{"eu-west-1"}, Types: []string{"A"}, Interval: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var state error
		if err := s.Run(ctx, func(ctx context.Context, _ Delivery) error {
			cancel()
			state = ctx.Err()
			return nil
		}); err != nil || state != nil {
			t.Errorf("got %v from Run and %v in the handler, want neither", err, state)
		}
	})
}

func TestNewSchedule_refuses(t *testing.T) {
	t.Parallel()
	good := ScheduleConfig{Accounts: []dera.Account{{ID: ours}}, Regions: []string{"eu-west-1"}, Types: []string{"A"}, Interval: time.Hour}
	for name, tc := range map[string]struct {
		change func(*ScheduleConfig)
		want   string
	}{
		"no_accounts":           {func(c *ScheduleConfig) { c.Accounts = nil }, "no accounts"},
		"no_types":              {func(c *ScheduleConfig) { c.Types = nil }, "no resource types"},
		"no_regions":            {func(c *ScheduleConfig) { c.Regions = nil }, "no region"},
		"region_not_for_anyone": {func(c *ScheduleConfig) { c.Regions = []string{"cn-north-1"} }, "no region"},
		"no_interval":           {func(c *ScheduleConfig) { c.Interval = 0 }, "interval"},
		"negative_timeout":      {func(c *ScheduleConfig) { c.Timeout = -1 }, "negative timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			tc.change(&cfg)
			if _, err := NewSchedule(cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
}
