package role

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
)

// UpdateTrust is the operation that replaces the trust policy.
const UpdateTrust = "iam:UpdateAssumeRolePolicy"

// TrustInput is version 1 of the input of UpdateTrust.
type TrustInput struct {
	Name     string `json:"name"`
	Document string `json:"document"`
	// Expect is the document that it takes the place of.
	Expect string `json:"expect"`
}

// SetTrust returns the change that replaces the trust policy.
func (r *Role) SetTrust(text string) (dera.Change, error) {
	return resource.NewChange(UpdateTrust, TrustInput{r.Name, text, r.Trust}, r.Trust, text, UpdateTrust, TrustInput{r.Name, r.Trust, text},
		document.DiffPolicy("trust ", r.Trust, text))
}

func operations() []resource.Operator[Role] {
	return slices.Concat([]resource.Operator[Role]{
		resource.Op(resource.OpSpec[Role, TrustInput]{
			OperationType: resource.OperationType{Name: UpdateTrust, Whole: true, Rivals: []string{"UpdateAssumeRolePolicy"}, Denies: resource.DeniesByTrust},
			Of:            func(in TrustInput) (string, error) { return in.Name, nil },
			Took: func(in TrustInput, p dera.Plan, _ dera.Change) (resource.Taken, error) {
				return resource.Taken{Before: in.Expect, After: in.Document, Resources: []string{string(p.Resource)}}, nil
			},
			Apply: func(r *Role, in TrustInput) { r.Trust = in.Document },
		}),
	}, iam.Operations(iam.RoleKind, func(r *Role) *iam.Identity { return &r.Identity }))
}
