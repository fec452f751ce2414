package bucket

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// narrowing is what is found about the public statements of one plan.
type narrowing struct {
	bucket     *Bucket
	house      document.House
	accounts   []string // of the configuration
	cuts       []document.PublicCut
	doubts     []string
	impossible string
}

func (n *narrowing) look(doc *policy.Document, index int) {
	cut, doubts, impossible := n.bucket.CutPublic(context.Background(), doc, index, n.house)
	n.cuts = append(n.cuts, cut)
	for _, d := range doubts {
		if !slices.Contains(n.doubts, d) {
			n.doubts = append(n.doubts, d)
		}
	}
	if n.impossible == "" {
		n.impossible = impossible
	}
}

// left says why it is not known that the fix leaves nothing public.
func (n *narrowing) left() []string {
	c, err := n.bucket.Narrow(n.cuts, n.house)
	if err != nil {
		return []string{"It cannot be narrowed: " + err.Error() + "."}
	}
	after, err := Type().ApplyPlan(n.bucket, dera.Plan{Changes: []dera.Change{c}})
	if err != nil {
		return []string{"It cannot be narrowed: " + err.Error() + "."}
	}
	doc, err := after.(*Bucket).Parsed()
	if err != nil {
		return []string{"What the fix would leave cannot be read: " + err.Error() + "."}
	}
	if _, unsure := document.PublicStatements(context.Background(), s3.Target(n.bucket.ARN()), doc); unsure != "" {
		return []string{"After the fix " + unsure + ", so a person decides."}
	}
	return nil
}

// lower lowers a failure where a person has to decide.
func (n *narrowing) lower(f control.Failure) control.Failure {
	why := n.doubts
	switch {
	case n.impossible != "":
		why = append(why, "It cannot be narrowed without a decision: "+n.impossible+".")
	case f.Start == dera.Auto && len(why) == 0:
		why = n.left()
	}
	if n.house.Organization == "" && slices.ContainsFunc(n.accounts, func(a string) bool { return a != n.bucket.Owner }) {
		why = append(why, "Other accounts of the configuration may have access through it, and would lose it: with organization in the configuration they keep it.")
	}
	if len(why) > 0 {
		f.Start = dera.Review
		f.Why += " " + strings.Join(why, " ")
	}
	if n.impossible == "" && n.house.Organization == "" {
		f.Why += " After the fix the policy is still public by S3's own definition where aws:PrincipalAccount limits a statement to the account, because that key is " +
			"not on S3's list, so the public access block waits for a person. With organization in the configuration dera uses aws:PrincipalOrgID, which is."
	}
	return f
}
