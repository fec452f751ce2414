package proof

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// mutants is how many faults TestBench_faults injects.
const mutants = 50_000

// TestBench_faults drops one kept action from narrowed policies, in the way a
// wrong edit would, and counts what (b) and the checker say. None may be missed.
func TestBench_faults(t *testing.T) {
	folder := benchFolder(t)
	all := narrowAll(t, managedPolicies(t, folder), map[string]int{})
	all = slices.DeleteFunc(all, func(n narrowed) bool {
		return len(n.change.Kept) == 0 || len(n.change.New) != 1 || n.change.Old[0].Size(policy.Identity) > 6144
	})
	r := rand.New(rand.NewPCG(1, 2))
	count := map[string]int{}
	var times []time.Duration
	for done := 0; done < mutants; {
		n := all[r.IntN(len(all))]
		victim := n.change.Kept[r.IntN(len(n.change.Kept))]
		fresh := without(t, n.change.New[0], victim)
		if fresh == nil {
			continue // a denial, or a wildcard, hides the action
		}
		c := n.change
		c.New = reason.Policies{fresh}
		start := time.Now()
		answer := lost(t.Context(), c.Old, c.New, c.Kept, reason.Config{})
		took := time.Since(start)
		if answer.Verdict == reason.Proved && hidden(n.change.Old[0], victim) {
			count["harmless: a denial had taken it before"]++
			continue
		}
		times = append(times, took)
		done++
		count["engine: "+answer.Verdict.String()]++
		if answer.Verdict == reason.Proved {
			t.Errorf("%s: the loss of %s was missed", n.name, victim)
		}
		if done%10 == 0 {
			cert := check.Certificate{
				Format: check.Format, Purpose: check.Narrow, Semantics: check.Semantics(), Kept: c.Kept, Removed: c.Removed,
				Claims: []check.Claim{{Claim: check.NothingNew}, {Claim: check.NothingLost}, {Claim: check.Gone}},
				Old:    texts(c.Old), New: texts(c.New), Witness: &check.Request{Action: victim, Resource: "*"},
			}
			data, err := cert.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := check.Check(data); err == nil {
				t.Errorf("%s: the checker missed the loss of %s", n.name, victim)
			} else if strings.Contains(err.Error(), check.NothingLost) {
				count["checker: lost"]++
			} else {
				count["checker: otherwise rejected"]++
			}
		}
	}
	report(t, folder, "one action lost by mistake, (b) for policies within 6,144 characters", times, count)
}

// without drops an action that is written out, or returns nil.
func without(t *testing.T, doc *policy.Document, action string) *policy.Document {
	t.Helper()
	var edits []policy.Edit
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		at := slices.IndexFunc(st.Actions, func(e string) bool { return strings.EqualFold(e, action) })
		switch {
		case at < 0:
		case len(st.Actions) == 1:
			edits = append(edits, policy.RemoveStatement(i))
		default:
			edits = append(edits, policy.RemoveAction(i, st.Actions[at]))
		}
	}
	if len(edits) == 0 {
		return nil
	}
	fresh, err := doc.Apply(edits...)
	if err != nil {
		return nil
	}
	if slices.ContainsFunc(fresh.Statements, func(st policy.Statement) bool {
		return st.Effect == policy.Allow && slices.ContainsFunc(st.Actions, func(e string) bool { return catalog.MatchAction(e, action) })
	}) {
		return nil // another entry allows it still
	}
	return fresh
}

// hidden reports whether a policy denies the action so that nothing can be lost.
func hidden(doc *policy.Document, action string) bool {
	return reason.AllowsAny(context.Background(), reason.Policies{doc}, []string{action}, nil, reason.Config{}).Verdict == reason.Proved
}

// TestBench_cvc5 asks a solver about the certificates of a sample.
func TestBench_cvc5(t *testing.T) {
	folder := benchFolder(t)
	all := narrowAll(t, managedPolicies(t, folder), map[string]int{})
	all = slices.DeleteFunc(all, func(n narrowed) bool { return n.change.Old[0].Size(policy.Identity) > 6144 })
	count, policies := map[string]int{}, 0
	var times []time.Duration
	for i := 0; policies < 200 && i < len(all); i += max(1, len(all)/210) {
		data, err := Prove(t.Context(), all[i].change, reason.Config{}).Certificate(year())
		if err != nil {
			t.Fatalf("%s: %v", all[i].name, err)
		}
		c, err := Check(data)
		if err != nil {
			t.Fatalf("%s: %v", all[i].name, err)
		}
		if c.Unwritten != "" {
			count["not written for solvers"]++
			continue
		}
		policies++
		for _, claim := range c.Claims {
			script, _ := Script(c, claim.Claim)
			start := time.Now()
			got, err := cvc5(t.Context(), script)
			times = append(times, time.Since(start))
			if err != nil {
				t.Fatalf("%s %s: %v", all[i].name, claim.Claim, err)
			}
			count[claim.Claim+" "+got]++
			if got == "sat" {
				t.Errorf("%s %s: the solver says sat", all[i].name, claim.Claim)
			}
		}
	}
	report(t, folder, fmt.Sprintf("cvc5 on the claims of %d certificates, with start-up", policies), times, count)
}

// cvc5 asks the solver, with ten seconds for an answer.
func cvc5(ctx context.Context, script string) (string, error) {
	cmd := exec.CommandContext(ctx, "cvc5", "--lang=smt2", "--strings-exp", "--tlimit=10000", "-q", "-")
	cmd.Stdin = strings.NewReader(script)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	switch answer := strings.TrimSpace(out.String()); {
	case answer == "sat" || answer == "unsat" || answer == "unknown":
		return answer, nil
	case strings.Contains(errOut.String()+answer, "timeout") || answer == "" && errOut.Len() == 0:
		return "timeout", nil
	}
	return "", fmt.Errorf("ask cvc5: %w: %s%s", err, out.String(), errOut.String())
}

// TestCVC5_agrees asks the solver about one certificate, whenever tests run.
func TestCVC5_agrees(t *testing.T) {
	t.Parallel()
	data, err := Prove(t.Context(), example(t), reason.Config{}).Certificate(Origin{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Check(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range c.Claims {
		script, ok := Script(c, claim.Claim)
		if !ok {
			t.Fatalf("claim %s has no script", claim.Claim)
		}
		if got, err := cvc5(t.Context(), script); err != nil || got != "unsat" {
			t.Errorf("claim %s: got %s, %v\n%s", claim.Claim, got, err, script)
		}
	}
	// A claim that does not hold is found out by the solver as well.
	change := example(t)
	change.Kept = append(change.Kept, "s3:ListBucket")
	claims, prelude, _ := questions(change)
	if got, err := cvc5(t.Context(), prelude+claims[2].SMTLIB); err != nil || got != "sat" {
		t.Errorf("a false claim: got %s, %v", got, err)
	}
}
