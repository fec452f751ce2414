package usage

import (
	"cmp"
	"slices"

	"dera.example/dera/cloudtrail"
)

// Report is what an import did.
type Report struct {
	Files    int    `json:"files"`   // read now
	Skipped  int    `json:"skipped"` // in the ledger already
	Verified int    `json:"verified"`
	Digests  int    `json:"digests"`
	Records  int64  `json:"records"`
	Counts   Counts `json:"counts"`
	// Damaged are files that could not be read to their end.
	Damaged []cloudtrail.Unread `json:"damaged,omitempty"`
	// LeftOut are files of folders that hold no events of CloudTrail, at most
	// MaxLeftOut of LeftOutFiles.
	LeftOut      []cloudtrail.Unread `json:"left_out,omitempty"`
	LeftOutFiles int                 `json:"left_out_files"`
}

// MaxLeftOut bounds the files that a report names as left out.
const MaxLeftOut = 100

// Nothing reports whether an import that was to read something counted nothing.
func (r Report) Nothing() bool {
	counted := r.Counts[Counted] + r.Counts[Repeated]
	return counted == 0 && (r.Records > 0 || r.Skipped+r.Digests == 0)
}

func (r *Report) leaveOut(f cloudtrail.Unread) {
	if r.LeftOutFiles++; len(r.LeftOut) < MaxLeftOut {
		r.LeftOut = append(r.LeftOut, f)
	}
}

// sort forgets in which order the workers came.
func (r *Report) sort() {
	for _, list := range [][]cloudtrail.Unread{r.Damaged, r.LeftOut} {
		slices.SortStableFunc(list, func(a, b cloudtrail.Unread) int { return cmp.Compare(a.File, b.File) })
	}
}
