package main

import (
	"github.com/schollz/progressbar/v3"

	"dera.example/dera/app"
)

// progress is a bar on a terminal and nothing elsewhere.
type progress struct{ bar *progressbar.ProgressBar }

func (a *cli) newProgress(what string) *progress {
	if _, tty := terminal(a.err); !tty || a.flags.quiet {
		return &progress{}
	}
	return &progress{progressbar.NewOptions(1, progressbar.OptionSetWriter(behind(a.err)), progressbar.OptionSetDescription(what),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionThrottle(0))}
}

// Total says how many steps there are.
func (p *progress) Total(n int) {
	if p.bar != nil {
		p.bar.ChangeMax(max(n, 1))
	}
}

// Step moves on; a failed drawing is of no matter.
func (p *progress) Step(what string) {
	if p != nil && p.bar != nil {
		p.bar.Describe(app.Plain(what)) // the bar steers the terminal, and nothing else may
		_ = p.bar.Add(1)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
