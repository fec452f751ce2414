package evaluate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dera.example/dera"
)

// Criterion is one entry of the organisation's criteria for automatic and manual
// (requirement E8).
type Criterion struct {
	Match       Where  `yaml:"match,omitempty" json:"match,omitempty" jsonschema_description:"Where it holds. Default: everywhere."`
	Disposition string `yaml:"disposition" json:"disposition" jsonschema:"enum=auto,enum=review,enum=alert" jsonschema_description:"How far to go at most; auto means no objection, and never raises what the control proposes."`
	Reason      string `yaml:"reason" json:"reason" jsonschema_description:"Why; stands in decisions."`
}

// Criteria lowers what the criteria of the organisation say. Of the entries
// without resource tags the last that fits counts; one with resource tags lowers
// to review whatever stands after it, since whoever can change a resource can tag
// it, and does no more than that.
type Criteria struct{ List []Criterion }

// Validate returns what is wrong, each with its field.
func (g Criteria) Validate() error {
	var errs []error
	for i, c := range g.List {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("criteria[%d].%s: %s", i, field, fmt.Sprintf(format, args...)))
		}
		d, err := c.lowest()
		if err != nil {
			bad("disposition", "%v", err)
		}
		if d == dera.Exempt {
			bad("disposition", "only the exemption list and the break-glass list exempt")
		}
		if err == nil && len(c.Match.ResourceTags) > 0 && d != dera.Review {
			bad("disposition", "is %s; with resource_tags it can only be review, since whoever can change a resource can tag it", d)
		}
		if strings.TrimSpace(c.Reason) == "" {
			bad("reason", "is mandatory")
		}
	}
	return errors.Join(errs...)
}

func (c Criterion) lowest() (d dera.Disposition, err error) {
	err = d.UnmarshalText([]byte(c.Disposition))
	return d, err
}

// Name implements Guardrail.
func (Criteria) Name() string { return "criteria" }

// Check implements Guardrail.
func (g Criteria) Check(_ context.Context, c Case) (dera.Reason, error) {
	out := pass("no criterion of the configuration is against it")
	var tagged *dera.Reason
	for i, x := range g.List {
		if !x.Match.Fits(c) {
			continue
		}
		d, err := x.lowest()
		if err != nil {
			return dera.Reason{}, err
		}
		r := dera.Reason{Disposition: d, Why: x.Reason, Ref: fmt.Sprintf("criteria[%d]", i)}
		if len(x.Match.ResourceTags) > 0 {
			r.Disposition, tagged = dera.Review, &r
			continue
		}
		out = r
	}
	if tagged != nil && tagged.Disposition > out.Disposition {
		return *tagged, nil
	}
	return out, nil
}

// ComplianceScope is a compliance scope that forces review (requirement E8): what lies in
// it is changed by people.
type ComplianceScope struct {
	Name   string `yaml:"name" json:"name" jsonschema_description:"For example pci."`
	Match  Where  `yaml:"match" json:"match" jsonschema_description:"What lies in the scope."`
	Reason string `yaml:"reason,omitempty" json:"reason,omitempty" jsonschema_description:"Why people change these resources. Every decision names it."`
}

// Compliance sends to review what lies in a compliance scope; no criterion
// takes that back.
type Compliance struct{ Scopes []ComplianceScope }

// Validate returns what is wrong, each with its field.
func (g Compliance) Validate() error {
	var errs []error
	for i, s := range g.Scopes {
		if strings.TrimSpace(s.Name) == "" {
			errs = append(errs, fmt.Errorf("compliance_scopes[%d].name: is mandatory", i))
		}
		if s.Match.Everywhere() {
			errs = append(errs, fmt.Errorf("compliance_scopes[%d].match: is mandatory; for everything there is mode: review", i))
		}
	}
	return errors.Join(errs...)
}

// Name implements Guardrail.
func (Compliance) Name() string { return "compliance" }

// Check implements Guardrail.
func (g Compliance) Check(_ context.Context, c Case) (dera.Reason, error) {
	for _, s := range g.Scopes {
		if s.Match.Fits(c) {
			r := review("it is in the compliance scope %q, where people decide on changes", s.Name)
			if s.Reason != "" {
				r.Why += ": " + s.Reason
			}
			r.Ref = s.Name
			return r, nil
		}
	}
	return pass("it is in no compliance scope"), nil
}
