package export

import (
	"encoding/json"
	"io"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/control"
	"dera.example/dera/securityhub"
)

// Described is a finding with what Security Hub's formats say beside it, in plain text.
func Described(f dera.Finding, c control.Meta, version string) securityhub.Finding {
	f.Title, f.Why, f.Owner = app.Plain(f.Title), app.Plain(f.Why), app.Plain(f.Owner)
	f.Resource, f.ResourceName, f.Key = dera.ARN(app.Plain(string(f.Resource))), app.Plain(f.ResourceName), app.Plain(f.Key)
	reasons := make([]dera.Reason, len(f.Reasons))
	for i, r := range f.Reasons {
		r.Why = app.Plain(r.Why)
		reasons[i] = r
	}
	f.Reasons = reasons
	out := securityhub.Finding{Finding: f, ControlTitle: c.Title, Fix: c.Fix, Version: version}
	if out.Fix == "" {
		out.Fix = "See the page of the control " + f.Control + "."
	}
	for _, r := range c.Refs {
		out.Refs = append(out.Refs, securityhub.Ref{Standard: r.Standard, ID: r.ID, URL: r.URL})
	}
	return out
}

func (r Report) described() []securityhub.Finding {
	out := []securityhub.Finding{}
	for _, f := range r.Findings {
		var meta control.Meta
		for _, c := range r.Controls {
			if c.ID == f.Control {
				meta = c.Meta
			}
		}
		out = append(out, Described(f.Finding, meta, r.Version))
	}
	return out
}

// ASFF writes a list of findings in the AWS Security Finding Format, each as
// BatchImportFindings takes it, which takes 100 at once. Stops, half-done work and places that
// were not read are no findings.
func ASFF(w io.Writer, r Report) error {
	out := []securityhub.ASFF{}
	for _, f := range r.described() {
		out = append(out, securityhub.ToASFF(f))
	}
	return indented(w, out)
}

// OCSF writes a list of Compliance Findings of OCSF 1.6. Stops, half-done work and places that
// were not read are no findings.
func OCSF(w io.Writer, r Report) error {
	out := []securityhub.OCSF{}
	for _, f := range r.described() {
		out = append(out, securityhub.ToOCSF(f))
	}
	return indented(w, out)
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
