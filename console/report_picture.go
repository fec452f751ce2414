package console

import (
	"fmt"
	"math"
	"strings"
	"time"

	"dera.example/dera/app"
)

// box is a rectangle of a picture, and mark a text of it.
type box struct{ kind, x, y, width, height string }

type mark struct{ kind, x, y, text string }

// picture is what an SVG shows, and a label that says it.
type picture struct {
	bars   []box
	texts  []mark
	line   string
	label  string
	height int
}

func rect(kind string, x, y, width, height float64) box {
	f := func(v float64) string { return fmt.Sprintf("%.1f", v) }
	return box{kind, f(x), f(y), f(width), f(height)}
}

// barsOf is a bar for each week, by who closed, and a line of what was opened, in the box 600 by 120.
func barsOf(list []app.WeekCount) (g picture) {
	most, opened, closed := 1, 0, 0
	for _, w := range list {
		n := w.Automatic + w.Approved + w.Others
		most, opened, closed = max(most, n, w.Opened), opened+w.Opened, closed+n
	}
	step := 600 / float64(len(list))
	var line []string
	for i, w := range list {
		x, y := float64(i)*step, 118.0
		for _, part := range []struct {
			kind string
			n    int
		}{{"automatic", w.Automatic}, {"approved", w.Approved}, {"others", w.Others}} {
			if part.n > 0 {
				h := 110 * float64(part.n) / float64(most)
				y -= h
				g.bars = append(g.bars, rect(part.kind, x+step*.1, y, step*.8, h))
			}
		}
		line = append(line, fmt.Sprintf("%.1f,%.1f", x+step/2, 118-110*float64(w.Opened)/float64(most)))
	}
	g.line = strings.Join(line, " ")
	g.label = fmt.Sprintf("By week since %s: %d findings were opened or came back, %d were closed, %d at most in a week", list[0].Begins.Format(time.DateOnly), opened, closed, most)
	return g
}

// queueOf is one bar: what needed no person, what waited for one, what was only reported.
func queueOf(q app.Queue) (g picture) {
	all, x := q.Automatic+q.Findings+q.Reported, 0.0
	for _, part := range []struct {
		kind string
		n    int
	}{{"automatic", q.Automatic}, {"approved", q.Findings}, {"others", q.Reported}} {
		width := 600 * float64(part.n) / float64(max(all, 1))
		g.bars = append(g.bars, rect(part.kind, x, 2, width, 20))
		x += width
	}
	g.label = fmt.Sprintf("Of %d findings %d were closed without a person, %d waited for one, %d were only reported", all, q.Automatic, q.Findings, q.Reported)
	return g
}

// mostBars is how many controls the picture has; the table has all.
const mostBars = 15

// controlsOf is a row for each control, the slowest first.
func controlsOf(list []app.ControlClose) (g picture) {
	shown := list[:min(len(list), mostBars)]
	at := func(seconds int64) float64 { // 230 to 590, a second to a year
		return 230 + 360*min(math.Log10(max(float64(seconds), 1))/math.Log10(365*86400), 1)
	}
	for i, c := range shown {
		y := float64(i)*18 + 2
		g.bars = append(g.bars, rect("automatic", 230, y, max(at(*c.Median)-230, 1), 12), rect("others", at(*c.P95)-1.5, y-1, 3, 14))
		name := app.Plain(c.Control)
		g.texts = append(g.texts, mark{"name", "0", fmt.Sprintf("%.1f", y+10), name})
	}
	y := float64(len(shown))*18 + 12
	for _, tick := range []struct {
		at   time.Duration
		text string
	}{{time.Second, "1 s"}, {time.Minute, "1 min"}, {time.Hour, "1 h"}, {24 * time.Hour, "1 d"}, {30 * 24 * time.Hour, "30 d"}} {
		g.texts = append(g.texts, mark{"tick", fmt.Sprintf("%.1f", at(int64(tick.at/time.Second))), fmt.Sprintf("%.1f", y), tick.text})
	}
	g.height = len(shown)*18 + 18
	g.label = fmt.Sprintf("The time to remediate of the %d slowest of %d controls, which the table below has", len(shown), len(list))
	return g
}
