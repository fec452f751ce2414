package engine

import (
	"cmp"
	"slices"

	"dera.example/dera"
	"dera.example/dera/detect"
)

// unrecorded are the principals that some control did not judge since nothing is
// recorded of their use, each once.
func (e *Engine) unrecorded(list []detect.Assessment) (out []dera.ARN) {
	for _, a := range list {
		if !slices.ContainsFunc(a.Results, func(j detect.Judgement) bool { return j.Result.Unrecorded }) {
			continue
		}
		kind, err := e.cfg.Types.Lookup(a.Resource.Type)
		if err != nil || kind.Principals == nil {
			continue
		}
		for _, p := range kind.Principals(a.Resource.Config) {
			if p.Use == nil {
				out = append(out, cmp.Or(dera.ARN(p.ARN), a.Resource.ARN))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
