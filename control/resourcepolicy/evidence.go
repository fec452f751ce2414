package resourcepolicy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// EvidenceKind is the kind of evidence that Change makes.
const EvidenceKind = "resource-policy/1"

// Evidence is the kind of Change.
func Evidence() evidence.Kind {
	return evidence.Kind{Name: EvidenceKind, Remake: evidence.Remade[Change], Policies: policies}
}

// Keys of findings on public access; those on outsiders are KIND/ID.
const (
	ReadKey  = "policy/read"
	WriteKey = "policy/write"
)

// Change is what a proof about the policy of a resource is about.
type Change struct {
	Resource dera.ARN        `json:"resource"`
	On       document.Target `json:"on"`
	Account  string          `json:"account"`
	// Goals are the keys of the findings that shall be resolved.
	Goals []string `json:"goals"`
	// Keeps are the actions that someone of the account must keep by the policy itself.
	Keeps []string `json:"keeps,omitempty"`
	document.Cuts
}

// policies are those of a body, and the certificates about them.
func policies(body []byte) (evidence.Policies, error) {
	var c Change
	if err := evidence.Strict(body, &c); err != nil {
		return evidence.Policies{}, fmt.Errorf("read body of evidence: %w", err)
	}
	return c.Policies(), nil
}

// Evidence proves or refutes: no new access is granted; only what the findings name is
// removed; the findings are resolved; and where the policy alone decides who may change
// it, someone of the account still may.
func (c Change) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(c)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("evidence on a resource policy: %w", err)
	}
	return dera.Evidence{Kind: EvidenceKind, Claims: c.claims(), Body: body, Denied: c.denied()}, nil
}

func (c Change) claims() []dera.Claim {
	out := []dera.Claim{
		c.NotWider().Claim("nothing_new", "no new access is granted"),
		c.lost().Claim("nothing_else_lost", c.saysLost()),
		c.resolved().Claim("finding_gone", "the findings are resolved"),
	}
	if len(c.Keeps) > 0 {
		out = append(out, c.administered().Claim("administration_kept", "the policy still lets someone of the account change it ("+strings.Join(c.Keeps, ", ")+")"))
	}
	return out
}

// outsiders are those whom the goals name.
func (c Change) outsiders() (out []document.Outsider) {
	for _, goal := range c.Goals {
		if kind, id, ok := strings.Cut(goal, "/"); ok && kind != "policy" {
			out = append(out, document.Outsider{Kind: kind, ID: id})
		}
	}
	return out
}

func (c Change) question() document.Question {
	return document.Question{On: c.On, Account: c.Account, Outsiders: c.outsiders()}
}

func (c Change) saysLost() string {
	if out := c.outsiders(); len(out) > 0 {
		var names []string
		for _, o := range out {
			names = append(names, o.Kind+" "+o.ID)
		}
		return "only the access of " + strings.Join(names, ", ") + " is removed"
	}
	if c.House == nil {
		return "only public access is removed"
	}
	return "only public access is removed: whoever the policy names keeps access, and so do the principals of " + c.House.String() +
		" that had it through a statement for everyone"
}

// whole says why the parts of the body are not about one resource and its account, or
// nothing: each is what the other claims go by.
func (c Change) whole() string {
	switch account := c.Resource.Account(); {
	case account != c.Account:
		return "the resource " + string(c.Resource) + " is not of the account " + c.Account
	case c.House != nil && c.House.Account != c.Account:
		return "whose access stays is said of the account " + c.House.Account
	case slices.ContainsFunc(c.On.Resources, func(r string) bool { return !strings.HasPrefix(r, string(c.Resource)) }):
		return "the policy is said to stand at another resource"
	case len(c.On.Actions) == 0 || slices.ContainsFunc(c.On.Actions, func(a string) bool { return !strings.HasPrefix(a, c.Resource.Service()+":") }):
		return "the policy is said to decide about actions of another service"
	}
	return ""
}

func (c Change) lost() document.Answer {
	if why := c.whole(); why != "" {
		return document.Answer{Verdict: dera.Unknown, Witness: why}
	}
	return c.Lost(func(old *policy.Document, cut document.PublicCut) document.Answer {
		if len(c.outsiders()) > 0 {
			return c.question().Only(old, cut)
		}
		if cut.Index >= 0 && cut.Index < len(old.Statements) {
			if goal := keyOf(&old.Statements[cut.Index]); !slices.Contains(c.Goals, goal) {
				return document.Answer{Verdict: dera.Refuted, Witness: fmt.Sprintf("statement %d of the policy is about another finding (%s)", cut.Index+1, goal)}
			}
		}
		if c.House == nil {
			return document.Answer{Verdict: dera.Unknown, Witness: "it is not said whose access stays"}
		}
		return c.PublicOnly(c.On, old, cut)
	})
}

func keyOf(st *policy.Statement) string {
	if document.Writes(st) {
		return WriteKey
	}
	return ReadKey
}

func (c Change) resolved() document.Answer {
	if len(c.Goals) == 0 {
		return document.Answer{Verdict: dera.Unknown, Witness: "no finding is named"}
	}
	doc := &policy.Document{}
	if c.New != "" {
		var err error
		if doc, err = policy.Parse(c.New); err != nil {
			return document.Answer{Verdict: dera.Unknown, Witness: err.Error()}
		}
	}
	ctx := context.Background()
	if out := c.outsiders(); len(out) > 0 {
		for i := range doc.Statements {
			left := document.Outsiders(ctx, doc, i, document.Own{Account: c.Account}, func(id string) bool {
				return !slices.ContainsFunc(out, func(o document.Outsider) bool { return o.ID == id })
			})
			if len(left) > 0 {
				return document.Answer{Verdict: dera.Refuted, Witness: fmt.Sprintf("statement %d gives access to %s %s", i+1, left[0].Kind, left[0].ID)}
			}
		}
		return c.Rest()
	}
	open, unsure := document.PublicStatements(ctx, c.On, doc)
	for _, o := range open {
		if slices.Contains(c.Goals, keyOf(&doc.Statements[o.Index])) {
			return document.Answer{Verdict: dera.Refuted, Witness: o.Witness}
		}
	}
	if unsure != "" {
		return document.Answer{Verdict: dera.Unknown, Witness: unsure}
	}
	return c.Rest()
}

// within reports whether a statement is about the resource itself: that of another key has
// no effect here.
func (c Change) within(st *policy.Statement) bool {
	return len(st.NotResources) == 0 && slices.ContainsFunc(st.Resources, func(r string) bool { return dera.MatchGlob(r, string(c.Resource)) })
}

// lasts reports whether a principal is the account, or a user or role of it, who are there
// as long as the policy shows their ARN. A session ends, and no person acts as the role of
// a service.
func (c Change) lasts(p document.Principal) bool {
	if _, root := policy.RootAccount(p.Value); root {
		return p.Account() == c.Account
	}
	arn := dera.ARN(p.Value)
	name := arn.Resource()
	return p.Account() == c.Account && arn.Service() == "iam" &&
		(strings.HasPrefix(name, "user/") || strings.HasPrefix(name, "role/") && !strings.HasPrefix(name, "role/aws-service-role/"))
}

// administered is proved where a statement without conditions gives the actions on the
// resource to the account or a user or role of it, and no denial is about them. AWS's own check goes by the
// caller of the write (KMS API reference, "PutKeyPolicy", BypassPolicyLockoutSafetyCheck).
func (c Change) administered() document.Answer {
	doc, err := policy.Parse(c.New)
	if err != nil {
		return document.Answer{Verdict: dera.Unknown, Witness: err.Error()}
	}
	for _, action := range c.Keeps {
		given := false
		for i := range doc.Statements {
			st := &doc.Statements[i]
			about := len(st.NotActions) > 0 || slices.ContainsFunc(st.Actions, func(a string) bool { return dera.MatchGlob(strings.ToLower(a), strings.ToLower(action)) })
			switch {
			case !about:
			case st.Effect == policy.Deny:
				return document.Answer{Verdict: dera.Unknown, Witness: fmt.Sprintf("statement %d denies %s to someone", i+1, action)}
			case len(st.NotActions) == 0 && len(st.Conditions) == 0 && st.NotPrincipals == nil && c.within(st):
				given = given || slices.ContainsFunc(document.PrincipalsOf(st), c.lasts)
			}
		}
		if !given {
			return document.Answer{Verdict: dera.Unknown, Witness: "no statement without a condition gives " + action + " to a principal of the account"}
		}
	}
	return document.Answer{Verdict: dera.Proved}
}

// denied is a request that could be made before and cannot after.
func (c Change) denied() string {
	if c.Old == c.New {
		return ""
	}
	if out := c.outsiders(); len(out) > 0 {
		return "calls by " + out[0].Kind + " " + out[0].ID
	}
	doc, err := policy.Parse(c.Old)
	if err != nil {
		return ""
	}
	open, _ := document.PublicStatements(context.Background(), c.On, doc)
	for _, o := range open {
		if _, goes := c.Cut(o.Index); goes {
			return o.Witness + " by the public"
		}
	}
	return ""
}
