package trust

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// Kind is the kind of evidence about the trust policy of a role.
const Kind = "trust/1"

// Evidence is the kind of Change.
func Evidence() evidence.Kind {
	return evidence.Kind{Name: Kind, Remake: evidence.Remade[Change], Policies: func(body []byte) (evidence.Policies, error) {
		var t Change
		if err := evidence.Strict(body, &t); err != nil {
			return evidence.Policies{}, fmt.Errorf("read body of evidence: %w", err)
		}
		out := evidence.Policies{Before: t.Old, After: t.New, Certificates: []evidence.Certificate{
			{Name: "nothing-new", Says: "the trust policy after trusts nobody whom the one before does not", Text: t.NothingNew},
			{Name: "nothing-lost", Says: "the trust policy before, with a denial for those whom the findings name, trusts nobody whom the one after does not", Text: t.NothingLost},
		}}
		if t.DeclaredKept != "" {
			out.Certificates = append(out.Certificates, evidence.Certificate{
				Name: "declared-kept", Says: "what the trust policy before allowed the declared ones of the accounts that go, the one after allows too", Text: t.DeclaredKept,
			})
		}
		for _, goal := range t.Goals {
			if text := t.Gone[goal]; text != "" {
				out.Certificates = append(out.Certificates, evidence.Certificate{
					Name: "gone-" + strings.ReplaceAll(goal, "/", "-"), Says: "the trust policy after trusts nobody of " + goal, Text: text,
				})
			}
		}
		return out, nil
	}}
}

// Change is what a proof about a trust policy is about: who may assume the role
// before and after, and whom the findings name. Values that can be secret have
// stand-ins, the same in both texts.
type Change struct {
	Role  string   `json:"role"` // the ARN without path
	Old   string   `json:"old"`
	New   string   `json:"new"`
	Goals []string `json:"goals"` // keys of the findings
	// MaxSession is how many seconds a session that began before may last; 0 is not known.
	MaxSession int32 `json:"max_session,omitempty"`
	// House is who must lose nothing, although it came in by a statement for everybody.
	House document.House `json:"house"`
	Zone  reason.Zone    `json:"zone"`
	// Recorded is what is recorded of the calls of the accounts that the findings name.
	Recorded map[string]resource.Use `json:"recorded,omitempty"`
	// Record is of the use of the role itself, where the finding is that there is none.
	Record *Record `json:"record,omitempty"`
	// NothingNew, NothingLost and Gone, by goal, are certificates.
	NothingNew  string            `json:"nothing_new,omitempty"`
	NothingLost string            `json:"nothing_lost,omitempty"`
	Gone        map[string]string `json:"gone,omitempty"`
	// DeclaredKept is one too; "" where nobody of the accounts is declared.
	DeclaredKept string `json:"declared_kept,omitempty"`
}

// Prove makes the evidence for a change of a trust policy that removes what some findings
// are about. recorded is what is recorded of the calls of other accounts, by account.
func Prove(real Change, failures []control.Failure, recorded map[string]resource.Use) (dera.Evidence, error) {
	real.Recorded = map[string]resource.Use{}
	for _, f := range failures {
		real.Goals = append(real.Goals, f.Key)
		if account, ok := strings.CutPrefix(f.Key, AccountKey); ok {
			if use, known := recorded[account]; known {
				real.Recorded[account] = use
			}
		}
	}
	slices.Sort(real.Goals)
	var hide document.Redactor
	redacted := real
	redacted.Old, redacted.New = hide.Text(real.Old), hide.Text(real.New)
	if err := errors.Join(redacted.certify(), real.certify()); err != nil {
		return dera.Evidence{}, err
	}
	// What holds of the stand-ins must hold of the texts themselves.
	if a, b := real.claims(), redacted.claims(); !slices.EqualFunc(a, b, func(x, y dera.Claim) bool { return x.Verdict == y.Verdict }) {
		return dera.Evidence{}, fmt.Errorf("prove the trust policy: %w", evidence.ErrHidden)
	}
	return redacted.Evidence()
}

// questions are the pairs of policies that the certificates are about: what is less,
// and what it is held against.
func (t Change) questions() (out map[string][2]reason.Policies, err error) {
	old, errOld := policy.Parse(t.Old)
	fresh, errFresh := policy.Parse(t.New)
	if err := errors.Join(errOld, errFresh); err != nil {
		return nil, err
	}
	barred, err := t.housed(old)
	if err != nil {
		return nil, err
	}
	out = map[string][2]reason.Policies{"nothing_new": {{fresh}, {old}}}
	open := reaching(fresh, t.Zone)
	for _, goal := range t.Goals {
		if goal == Everyone {
			continue // who comes in because anybody may has no name to deny
		}
		if goal == Unused {
			barred.Statements = append(barred.Statements, denial(gives(old)).Statements...)
			out[goal] = [2]reason.Policies{{assumable(fresh)}, {denial(assuming())}}
			continue
		}
		bar, err := t.bars(goal)
		if err != nil {
			return nil, err
		}
		barred.Statements = append(barred.Statements, bar)
		out[goal] = [2]reason.Policies{{open}, {{Version: open.Version, Statements: append(slices.Clone(open.Statements), bar)}}}
	}
	out["nothing_lost"] = [2]reason.Policies{{barred}, {fresh}}
	if members := declared(old, t.Zone, t.accounts(), !slices.Contains(t.Goals, Everyone)); members != nil && !t.closes() {
		out[declaredKept] = [2]reason.Policies{{members}, {fresh}}
	}
	return out, nil
}

// declaredKept is the claim, and the question, about the declared ones of accounts that go.
const declaredKept = "declared_kept"

// accounts are those that the findings name.
func (t Change) accounts() (out []string) {
	for _, goal := range t.Goals {
		if account, ok := strings.CutPrefix(goal, AccountKey); ok {
			out = append(out, account)
		}
	}
	return out
}

// housed is the trust policy before, with the house in the place of everybody where a
// finding names everybody.
func (t Change) housed(old *policy.Document) (*policy.Document, error) {
	out := &policy.Document{Version: old.Version, Statements: slices.Clone(old.Statements)}
	if !slices.Contains(t.Goals, Everyone) {
		return out, nil
	}
	list, _ := Outsiders(old, t.Zone)
	for _, o := range list {
		if o.Key != Everyone {
			continue
		}
		for _, c := range o.Cuts {
			st := old.Statements[c.Index]
			part, _, _, err := t.House.Part(c.Lost(st))
			if err != nil {
				return nil, err
			}
			out.Statements[c.Index] = part
			if !c.Whole() {
				out.Statements = append(out.Statements, c.Left(st))
			}
		}
	}
	return out, nil
}

// bars is the denial of those whom a finding about an account names.
func (t Change) bars(goal string) (policy.Statement, error) {
	account, ok := strings.CutPrefix(goal, AccountKey)
	if !ok {
		return policy.Statement{}, fmt.Errorf("nothing is known of the finding %q", goal)
	}
	root := "arn:" + dera.ARN(t.Role).Partition() + ":iam::" + account + ":root"
	return policy.Statement{
		Effect: policy.Deny, Actions: []string{"*"},
		Principals: &policy.Principals{Groups: []policy.PrincipalGroup{{Kind: policy.PrincipalAWS, Values: []string{root}}}},
	}, nil
}

func (t *Change) certify() error {
	t.NothingNew, t.NothingLost, t.DeclaredKept, t.Gone = "", "", "", map[string]string{}
	questions, err := t.questions()
	if err != nil {
		return err
	}
	for name, q := range questions {
		text, err := proof.Prove(context.Background(), proof.Change{Old: q[1], New: q[0]}, reason.Config{}).Certificate(proof.Origin{})
		if errors.Is(err, proof.ErrUnproved) {
			continue // the claim says so
		}
		if err != nil {
			return fmt.Errorf("certify the trust policy: %w", err)
		}
		switch name {
		case "nothing_new":
			t.NothingNew = string(text)
		case "nothing_lost":
			t.NothingLost = string(text)
		case declaredKept:
			t.DeclaredKept = string(text)
		default:
			t.Gone[name] = string(text)
		}
	}
	return nil
}

// Evidence is the evidence that the body makes.
func (t Change) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(t)
	if err != nil {
		return dera.Evidence{}, err
	}
	return dera.Evidence{Kind: Kind, Claims: t.claims(), Denied: t.denied(), Body: body}, nil
}

func (t Change) denied() string {
	if len(t.Goals) == 0 || t.Old == t.New {
		return ""
	}
	by := "anybody outside of " + t.House.String()
	if account, ok := strings.CutPrefix(t.Goals[0], AccountKey); ok {
		by = "a principal of account " + account
	}
	if t.closes() {
		by = "anybody"
	}
	return "sts:AssumeRole on " + t.Role + " by " + by
}

// claims are decided again from the body alone.
func (t Change) claims() []dera.Claim {
	questions, err := t.questions()
	if err != nil {
		questions = nil
	}
	decide := func(name, certificate string) (dera.Verdict, string) {
		q, ok := questions[name]
		if !ok {
			return dera.Unknown, "a trust policy cannot be read"
		}
		if holds, why := proof.About(certificate, q[1], q[0]); !holds {
			a := reason.Subset(context.Background(), q[0], q[1], reason.Config{})
			if a.Verdict == reason.Refuted {
				return dera.Refuted, a.Witness.Request.Action + " by " + a.Witness.Request.Principal.ARN
			}
			return dera.Unknown, why
		}
		return dera.Proved, ""
	}
	claim := func(name, says string, verdict dera.Verdict, witness string) dera.Claim {
		return dera.Claim{Name: name, Says: says, Verdict: verdict, Witness: witness}
	}
	isNew, newWitness := decide("nothing_new", t.NothingNew)
	lost, lostWitness := decide("nothing_lost", t.NothingLost)
	gone, goneWitness := t.gone(decide)
	recorded, says, recordedWitness := t.recorded()
	closed := t.who() + " may not assume the role any more, other than as someone to whom a statement is held and who is declared"
	others := "whoever is not " + t.who() + " may assume the role as before"
	if t.closes() {
		closed, others = "nobody may assume the role any more", "nothing but assuming the role is denied: all else of the trust policy stays as it was"
	}
	if t.MaxSession > 0 {
		closed += fmt.Sprintf("; a session that began before lasts until it ends, at most %s", time.Duration(t.MaxSession)*time.Second)
	}
	out := []dera.Claim{
		claim("nothing_new", "nobody may assume the role who could not before", isNew, newWitness),
		claim("nothing_else_lost", others, lost, lostWitness),
	}
	if _, ok := questions[declaredKept]; ok || t.DeclaredKept != "" {
		kept, why := decide(declaredKept, t.DeclaredKept)
		out = append(out, claim(declaredKept, "to whom a statement is held and who is declared, although of account "+strings.Join(t.accounts(), " or ")+", may do the same as before", kept, why))
	}
	return append(out, claim("finding_gone", closed, gone, goneWitness), claim(evidence.RecordedCalls, says, recorded, recordedWitness))
}

// who names those whom the findings are about.
func (t Change) who() string {
	var out []string
	for _, goal := range t.Goals {
		if account, ok := strings.CutPrefix(goal, AccountKey); ok {
			out = append(out, "a principal of account "+account)
		} else {
			out = append(out, "anybody outside of "+t.House.String())
		}
	}
	return strings.Join(out, " or ")
}

func (t Change) gone(decide func(name, certificate string) (dera.Verdict, string)) (dera.Verdict, string) {
	if len(t.Goals) == 0 {
		return dera.Unknown, "no finding is named"
	}
	old, errOld := policy.Parse(t.Old)
	fresh, errFresh := policy.Parse(t.New)
	if err := errors.Join(errOld, errFresh); err != nil {
		return dera.Unknown, err.Error()
	}
	before := outsidersOf(old, t.Zone)
	if t.closes() && !Closed(old) {
		before = append(before, Unused)
	}
	for _, goal := range t.Goals {
		if !slices.Contains(before, goal) {
			return dera.Unknown, "the trust policy before does not name " + goal
		}
		if v, why := decide(goal, t.Gone[goal]); goal != Everyone && v != dera.Proved {
			return v, why
		}
	}
	if left := outsidersOf(fresh, t.Zone); slices.ContainsFunc(left, func(key string) bool { return slices.Contains(t.Goals, key) }) {
		return dera.Refuted, "the trust policy after still names " + strings.Join(left, ", ")
	}
	return dera.Proved, ""
}

func outsidersOf(doc *policy.Document, z reason.Zone) (keys []string) {
	list, _ := Outsiders(doc, z)
	for _, o := range list {
		keys = append(keys, o.Key)
	}
	return keys
}

// recorded says what the record tells of whether the access that goes was used.
func (t Change) recorded() (dera.Verdict, string, string) {
	if t.closes() {
		return t.unused()
	}
	var calls, times uint64
	var from, unknown string
	for _, goal := range t.Goals {
		account, ok := strings.CutPrefix(goal, AccountKey)
		if !ok {
			return dera.Unknown, "no recorded call would be denied", "the record does not show who assumed the role because anybody may"
		}
		use, known := t.Recorded[account]
		if !known {
			return dera.Unknown, "no recorded call would be denied", "nothing is recorded of what account " + account + " does here"
		}
		n, used, why := AssumedBy(use, t.Role)
		calls, times = calls+n, times+used
		if day := use.From.UTC().Format("2006-01-02"); from == "" || day > from {
			from = day
		}
		if why != "" {
			unknown = why
		}
	}
	says := fmt.Sprintf("of %d recorded calls by %s since %s, %d assumed the role and would be denied", calls, strings.ReplaceAll(t.who(), "a principal of ", ""), from, times)
	switch {
	case times > 0:
		return dera.Refuted, says, fmt.Sprintf("sts:AssumeRole, %d times", times)
	case unknown != "":
		return dera.Unknown, says, unknown
	}
	return dera.Proved, says, ""
}
