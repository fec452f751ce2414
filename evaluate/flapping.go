package evaluate

import (
	"context"
	"time"

	"dera.example/dera"
)

// Flapping looks at findings that come back after dera fixed them (design
// §6.1.6). Against a declared principal of infrastructure as code dera stops, and
// its owner gets the diff of the code. Against anybody else it keeps on fixing,
// further and further apart, and says so aloud: opening a port again and again
// must not switch dera off. What dera sets once (resource.Setting) goes to review at its
// first return.
type Flapping struct {
	// Most is how often a finding may come back within Window; 0 means 3, and 24
	// hours.
	Most   int
	Window time.Duration
	// Code holds the declared principals; the name of a program does not count.
	Code Code
	Now  func() time.Time
}

// Times is how often the finding came back within the window before now, and
// whether that is too often.
func (g Flapping) Times(f dera.Finding, now time.Time) (n int, often bool) {
	most, window := g.limits()
	for _, at := range f.Returns {
		if now.Sub(at) < window {
			n++
		}
	}
	return n, n >= most
}

func (g Flapping) limits() (most int, window time.Duration) {
	most, window = g.Most, g.Window
	if most == 0 {
		most = 3
	}
	if window == 0 {
		window = 24 * time.Hour
	}
	return most, window
}

// NotBefore is when a finding that comes back too often may be fixed again: a
// minute after it came back, then two, four and so on up to an hour; zero for
// any other.
func (g Flapping) NotBefore(f dera.Finding, now time.Time) time.Time {
	n, often := g.Times(f, now)
	if !often {
		return time.Time{}
	}
	most, _ := g.limits()
	return f.Returns[len(f.Returns)-1].Add(min(time.Minute<<min(n-most, 6), time.Hour))
}

// Name implements Guardrail.
func (Flapping) Name() string { return "flapping" }

// Check implements Guardrail.
func (g Flapping) Check(_ context.Context, c Case) (dera.Reason, error) {
	if setting, err := c.Type.Setting(c.Finding.Key); err == nil && setting.Once && len(c.Finding.Returns) > 0 {
		return review("somebody set it back after dera fixed it, at %s: it may be in use", minute(c.Finding.Returns[len(c.Finding.Returns)-1])), nil
	}
	n, often := g.Times(c.Finding, g.Now())
	most, window := g.limits()
	if !often {
		return pass("it came back %s within %s after dera fixed it; from %d on a person decides", count(n, "time"), hours(window), most), nil
	}
	actor := c.Finding.LastActor
	if IsPrincipal(g.Code.Principals, actor) {
		tool, _ := g.Code.tool(c)
		r := review("it came back %s within %s, brought back by %s, which runs infrastructure as code: dera stops, the change belongs into the code", count(n, "time"), hours(window), actor)
		r.Ref = language(tool)
		return r, nil
	}
	if actor == "" {
		actor = "someone whom no authenticated event names"
	}
	return pass("ATTENTION: it came back %s within %s after dera fixed it, brought back by %s; dera keeps on fixing it, further and further apart", count(n, "time"), hours(window), actor), nil
}

// hours is a time in words.
func hours(d time.Duration) string {
	switch {
	case d == 24*time.Hour:
		return "a day"
	case d == time.Hour:
		return "an hour"
	case d%(24*time.Hour) == 0:
		return count(int(d/(24*time.Hour)), "day")
	case d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	}
	return d.String()
}
