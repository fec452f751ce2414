package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/store"
)

// Shown is everything about a finding or a remediation.
type Shown struct {
	Finding     *dera.Finding     `json:"finding,omitempty"`
	Remediation *dera.Remediation `json:"remediation,omitempty"`
	Intents     []dera.Intent     `json:"intents,omitempty"`
	Evidence    json.RawMessage   `json:"evidence,omitempty"`
	// Left is what stays open after the plan.
	Left []Left `json:"left_open,omitempty"`
	// Undone is what an undo did, and Kept what a partial rollback left in place.
	Undone []string `json:"undone,omitempty"`
	Kept   []string `json:"kept,omitempty"`
	// Incidents are those that were attached to the finding, the oldest first.
	Incidents []dera.Incident `json:"incidents,omitempty"`
	// Denials are of what the remediation had removed, the oldest first.
	Denials []dera.Denial `json:"denials,omitempty"`
	// GiveBack are the commands that ask for what was denied, for a time and for good.
	GiveBack []string `json:"give_back,omitempty"`
	// Accesses are what was asked to be given back of what the remediation took, the
	// oldest first.
	Accesses []AccessView `json:"accesses,omitempty"`
	// Explanation is for whoever owns the resource.
	Explanation *Explanation `json:"explanation,omitempty"`
	// NotRead is since when nothing is known of the finding: its account or region
	// left the configuration, or could not be read; NotReadWhy says which.
	NotRead    *time.Time `json:"not_read_since,omitempty"`
	NotReadWhy string     `json:"-"`
}

// ShowStore is what Show reads. A finding or remediation that is not there is
// store.ErrNotFound.
type ShowStore interface {
	Finding(ctx context.Context, id string) (dera.Finding, error)
	Remediation(ctx context.Context, id string) (dera.Remediation, error)
	FindingsOf(ctx context.Context, resourceKey string) ([]dera.Finding, error)
	Intents(ctx context.Context, remediation string) ([]dera.Intent, error)
	Evidence(ctx context.Context, hash string) ([]byte, error)
	IncidentsOf(ctx context.Context, finding string) ([]dera.Incident, error)
	DenialsOf(ctx context.Context, remediation string) ([]dera.Denial, error)
	AccessesAfter(ctx context.Context, remediation string) ([]dera.Access, error)
	AccessStates
}

// Show gathers what is stored about the finding with the ID (f-…) and its latest
// remediation, or about the remediation with the ID. about is the finding that it
// is about, or nil. Flags are added to the commands. The explanation and NotRead are the caller's to fill in.
func Show(ctx context.Context, from ShowStore, id, flags string, now time.Time) (v Shown, about *dera.Finding, err error) {
	remediation := id
	if strings.HasPrefix(id, "f-") {
		f, err := from.Finding(ctx, id)
		if err != nil {
			return v, nil, err
		}
		v.Finding, remediation = &f, f.Remediation
		if v.Incidents, err = from.IncidentsOf(ctx, id); err != nil {
			return v, nil, err
		}
	}
	if remediation != "" {
		r, err := from.Remediation(ctx, remediation)
		if err != nil {
			return v, nil, err
		}
		v.Remediation = &r
		if v.Intents, err = from.Intents(ctx, remediation); err != nil {
			return v, nil, err
		}
		if v.Denials, err = from.DenialsOf(ctx, remediation); err != nil {
			return v, nil, err
		}
		asked, err := from.AccessesAfter(ctx, remediation)
		if err != nil {
			return v, nil, err
		}
		for _, a := range asked {
			one, err := ViewAccess(ctx, from, a, flags, now)
			if err != nil {
				return v, nil, err
			}
			v.Accesses = append(v.Accesses, one)
		}
		v.GiveBack = GiveBackCommands(r, v.Denials, flags)
		v.Undone, v.Kept = remediate.Undone(r, v.Intents)
		findings, err := from.FindingsOf(ctx, r.ResourceKey())
		if err != nil {
			return v, nil, err
		}
		v.Left = LeftBy(r, findings)
		if r.Evidence != "" {
			if v.Evidence, err = from.Evidence(ctx, r.Evidence); err != nil {
				return v, nil, fmt.Errorf("read the evidence of %s: %v", r.ID, err) // no ErrNotFound: the ID is right
			}
		}
	}
	about = v.Finding
	if about == nil && v.Remediation != nil && len(v.Remediation.Findings) > 0 {
		f, err := from.Finding(ctx, v.Remediation.Findings[0])
		if err == nil {
			about = &f
		} else if !errors.Is(err, store.ErrNotFound) {
			return v, nil, err
		}
	}
	return v, about, nil
}

// Redacted leaves out what can be a secret: inputs of the plan, and the
// configurations on its way, which hold whole policies.
func (v Shown) Redacted(types resource.Registry) Shown {
	if v.Remediation != nil {
		r := *v.Remediation
		var hide document.Redactor
		r.Plan, r.Way, r.OverwroteDocument = types.Shown(r.Plan), nil, hide.Text(r.OverwroteDocument)
		v.Remediation = &r
	}
	return v
}
