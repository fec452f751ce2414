package iam

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/iam/scope"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// PermissionsKind is the kind of evidence that Permissions makes.
const PermissionsKind = "permissions/1"

// PermissionsEvidence is the kind of Permissions.
func PermissionsEvidence() evidence.Kind {
	return evidence.Kind{Name: PermissionsKind, Remake: evidence.Remade[Permissions], Policies: policies}
}

// Permissions is what a proof about policies that are narrowed by recorded use is
// about. Values of policies that can be secret have stand-ins, the same in all texts.
type Permissions struct {
	Before Subject `json:"before"`
	// After are the policies after the plan, in the order of those before; "" is one
	// that is gone.
	After []string `json:"after"`
	// Goals are the keys of the findings that shall be gone.
	Goals []string `json:"goals"`
	// Certificate is on the policies that change: that they grant nothing new, that
	// nothing is lost of what stays, that the rest is gone, and why it was not used.
	Certificate string `json:"certificate,omitempty"`
}

// policies are those of a body that change, and the certificate about them.
func policies(body []byte) (evidence.Policies, error) {
	var p Permissions
	if err := evidence.Strict(body, &p); err != nil {
		return evidence.Policies{}, fmt.Errorf("read body of evidence: %w", err)
	}
	var out evidence.Policies
	if changed := p.changed(); len(changed) == 1 {
		out.Before, out.After = p.Before.Policies[changed[0]].Document, p.After[changed[0]]
	}
	if p.Certificate != "" {
		out.Certificates = []evidence.Certificate{{
			Name: "permissions", Text: p.Certificate,
			Says: "the policies after grant nothing that those before do not; nothing is lost of what stays; the plan removes what was not used, all of it",
		}}
	}
	return out, nil
}

// ProvePermissions makes the evidence for a plan that leaves the policies of a subject
// with some texts. goals are the keys of the findings that it removes.
func ProvePermissions(s *Subject, after, goals []string) (dera.Evidence, error) {
	if slices.Contains(goals, ResourcesKey) {
		return proveResources(s, after, goals)
	}
	real := Permissions{Before: *s, After: after, Goals: slices.Sorted(slices.Values(goals))}
	// What is kept for want of room is kept by name: stand-ins have other lengths.
	_, broad, _ := s.narrowed(goals)
	real.Before = *s.keeping(broad)
	hidden := real.hidden(new(document.Redactor))
	if err := hidden.certify(); err != nil {
		return dera.Evidence{}, err
	}
	out, err := hidden.Evidence()
	if err != nil {
		return dera.Evidence{}, err
	}
	if err := real.certify(); err != nil { // what holds of the stand-ins must hold of the texts themselves
		return dera.Evidence{}, err
	}
	claims, _ := real.claims()
	if !slices.EqualFunc(claims, out.Claims, func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, fmt.Errorf("prove the policies: %w", evidence.ErrHidden)
	}
	return out, nil
}

// keeping is the subject without a limit, of which some services are kept as a whole.
func (s *Subject) keeping(services []string) *Subject {
	out := *s
	out.Limit, out.Needed = 0, slices.Clone(s.Needed)
	for _, service := range services {
		out.Needed = append(out.Needed, service+":*")
	}
	return &out
}

// hidden is the same with a stand-in for every value that can be secret.
func (p Permissions) hidden(hide *document.Redactor) Permissions {
	texts := func(list []Text) (out []Text) {
		for _, t := range list {
			t.Document = hide.Text(t.Document)
			out = append(out, t)
		}
		return out
	}
	out := p
	out.Before.Policies, out.Before.Beside = texts(p.Before.Policies), texts(p.Before.Beside)
	out.Before.Reported = p.Before.Reported.hidden(hide)
	out.After = nil
	for _, text := range p.After {
		out.After = append(out.After, hide.Text(text))
	}
	return out
}

// Evidence proves or refutes what the plan does.
func (p Permissions) Evidence() (dera.Evidence, error) {
	if len(p.After) != len(p.Before.Policies) {
		return dera.Evidence{}, errors.New("permissions evidence: there are not as many policies after as before")
	}
	body, err := dera.CanonicalJSON(p)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("permissions evidence: %w", err)
	}
	claims, denied := p.claims()
	return dera.Evidence{Kind: PermissionsKind, Claims: claims, Body: body, Denied: denied, Compared: p.compared()}, nil
}

// changed are the places of the policies that the plan changes.
func (p *Permissions) changed() (out []int) {
	for i, t := range p.Before.Policies {
		if i < len(p.After) && t.Document != p.After[i] {
			out = append(out, i)
		}
	}
	return out
}

// change is what the certificate is about: the policies that change, what shall go
// of them, and that everything else stays.
func (p *Permissions) change(j *judged) (proof.Change, proof.Origin, error) {
	c, o := proof.Change{}, proof.Origin{Catalogue: catalog.Embedded().Version()}
	for _, i := range p.changed() {
		c.Old = append(c.Old, j.docs[i])
		if p.After[i] == "" {
			continue
		}
		doc, err := policy.Parse(p.After[i])
		if err != nil {
			return c, o, fmt.Errorf("read policy %s after the plan: %w", p.Before.Policies[i].Name, err)
		}
		c.New = append(c.New, doc)
	}
	if len(c.Old) == 0 {
		return c, o, errors.New("no policy changes")
	}
	goes, rare := j.goes(p.Goals)
	all, err := scope.Choose(j.input(func(string) string { return "it is asked what there is" }, nil), c.Old...)
	if err != nil {
		return c, o, err
	}
	if all.Refused != "" {
		return c, o, errors.New(all.Refused)
	}
	for _, a := range all.Kept {
		if goes[strings.ToLower(a)] {
			c.Removed = append(c.Removed, a)
		} else {
			c.Kept = append(c.Kept, a)
		}
	}
	// A request that no other policy allows is the better example.
	others := j.others(p.changed()...)
	slices.SortStableFunc(c.Removed, func(a, b string) int { return granted(others, a) - granted(others, b) })
	if len(j.used.gaps) == 0 && (!rare || j.used.window() >= year) {
		c.Unused = &proof.Use{
			Actions: distinct(j.used.actions), Unclear: slices.Sorted(slices.Values(prefixes(j.used.unclear))), Gaps: j.used.passing,
			DataEvents: j.used.data, Window: time.Duration(j.used.days()) * 24 * time.Hour,
		}
		for _, g := range j.used.passing {
			if service, ok := strings.CutSuffix(g, "-excluded"); ok {
				c.Unused.Unclear = append(c.Unused.Unclear, service)
			}
		}
		o.From, o.To = j.used.from.Format(time.RFC3339), j.used.to.Format(time.RFC3339)
	}
	record, err := dera.CanonicalJSON(p.Before.Principals)
	if err != nil {
		return c, o, err
	}
	sum := sha256.Sum256(record)
	o.Events = hex.EncodeToString(sum[:])
	return c, o, nil
}

const year = 365 * 24 * time.Hour

// granted is 1 where one of the policies grants an action, else 0.
func granted(docs []*policy.Document, action string) int {
	if slices.ContainsFunc(docs, func(d *policy.Document) bool { return allows(d, action) }) {
		return 1
	}
	return 0
}

// goes are the actions that some findings are about, in lower case, and whether one of
// the findings is about what is rarely used.
func (j *judged) goes(keys []string) (actions map[string]bool, rare bool) {
	actions = map[string]bool{}
	for _, u := range j.found {
		if slices.Contains(keys, u.key) {
			rare = rare || u.rare
			for _, a := range u.actions {
				actions[strings.ToLower(a)] = true
			}
		}
	}
	return actions, rare
}

// certify makes the certificate. One that is not given out leaves claims unproved.
func (p *Permissions) certify() error {
	j, err := p.Before.judge()
	if err != nil {
		return err
	}
	c, o, err := p.change(j)
	if err != nil {
		return err
	}
	text, err := proof.Prove(context.Background(), c, reason.Config{}).Certificate(o)
	if err != nil && c.Unused != nil { // the rest may hold all the same
		c.Unused = nil
		text, err = proof.Prove(context.Background(), c, reason.Config{}).Certificate(o)
	}
	if err != nil && !errors.Is(err, proof.ErrUnproved) {
		return fmt.Errorf("certify the policies: %w", err)
	}
	p.Certificate = string(text)
	return nil
}
