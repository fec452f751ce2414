package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// TestSweepWithTokensInACircle: the service gives page tokens that it gave before.
// The sweep ends with an error, after a few calls, what its pages held is judged,
// and nothing that it did not see is resolved.
func TestSweepWithTokensInACircle(t *testing.T) {
	t.Parallel()
	for _, length := range []int{1, 2, 3, 40} {
		for _, now := range []bool{false, true} {
			t.Run(fmt.Sprintf("circle_of_%d_now_%t", length, now), func(t *testing.T) {
				t.Parallel()
				w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
				id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
				gone := w.group("gone", tcp(22, 22, "0.0.0.0/0"))
				w.look(gone)
				w.clock.Advance(time.Minute)
				n, first := 0, ""
				match := byEngine("DescribeSecurityGroups")
				byMe := match.Where
				match.Where = func(c awssim.Call) bool {
					return byMe(c) && c.Parameters["Filter.1.Name"] == "" && c.Parameters["GroupId.1"] == ""
				}
				pages := w.rewrite(match, func(status int, body string) (int, string) {
					if first == "" {
						first = strings.ReplaceAll(body, gone, "sg-0123456789abcdef0")
					}
					n++
					return 200, strings.Replace(first, "</DescribeSecurityGroupsResponse>", fmt.Sprintf("<nextToken>token-%d</nextToken></DescribeSecurityGroupsResponse>", n%length), 1)
				})
				if now {
					if err := w.engine.LookNow(t.Context(), dera.Event{Source: "scan", Scope: w.event().Scope, Time: w.clock.Now()}, false); err == nil {
						t.Error("got no error, want that the pages do not end")
					}
				} else {
					_ = w.engine.Sweep(t.Context(), "sweep")
					for range 4 {
						w.drain()
						w.clock.Advance(5 * time.Second)
					}
				}
				if got := pages.Fired(); got > 2*length+5 {
					t.Errorf("pages: got %d calls for a circle of %d tokens, want few more than that", got, length)
				}
				if f := w.findings(id)[sshKey]; f.State != dera.FindingOpen {
					t.Errorf("finding of a group on a page: got %q, want open", f.State)
				}
				if f := w.findings(gone)[sshKey]; f.State != dera.FindingOpen {
					t.Errorf("finding of a group on no page: got %q, want open: no answer resolves it", f.State)
				}
				if !slices.ContainsFunc(w.news, func(n engine.News) bool { return n.What == "unread" && strings.Contains(n.Err.Error(), "came twice") }) {
					t.Error("nobody was told")
				}
			})
		}
	}
}
