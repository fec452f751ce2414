package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// doc builds a policy from "Effect Action,Action Resource [Operator Key Value]"
// lines.
func doc(t testing.TB, lines ...string) *policy.Document {
	t.Helper()
	var statements []string
	for _, line := range lines {
		w := strings.Fields(line)
		element := "Action"
		if after, ok := strings.CutPrefix(w[1], "!"); ok {
			element, w[1] = "NotAction", after
		}
		st := fmt.Sprintf(`{"Effect":%q,%q:["%s"],"Resource":["%s"]`, w[0], element,
			strings.Join(strings.Split(w[1], ","), `","`), strings.Join(strings.Split(w[2], ","), `","`))
		if len(w) == 6 {
			st += fmt.Sprintf(`,"Condition":{%q:{%q:[%q]}}`, w[3], w[4], w[5])
		}
		statements = append(statements, st+"}")
	}
	return parse(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`)
}

// example is a change with a neighbour, denials and conditions.
func example(t testing.TB) Change {
	t.Helper()
	const bucket = "arn:aws:s3:::b/*"
	return Change{
		Old:    reason.Policies{doc(t, "Allow s3:*,ec2:Run* "+bucket+" StringLike aws:PrincipalTag/team a*", "Deny s3:DeleteObject *", "Allow sqs:* *")},
		New:    reason.Policies{doc(t, "Allow s3:GetObject,s3:DeleteObject,ec2:RunInstances "+bucket+" StringLike aws:PrincipalTag/team a*", "Deny s3:DeleteObject *")},
		Beside: reason.Policies{doc(t, "Allow iam:ListUsers *")}, Kept: []string{"s3:GetObject", "s3:DeleteObject", "ec2:RunInstances"},
		Removed: []string{"s3:PutObject", "ec2:RunScheduled*", "sqs:*"},
	}
}

func TestProve(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*Change)
		want   reason.Conclusion
		auto   bool
		fails  string // the claim
	}{
		{name: "as_it_should_be", change: func(*Change) {}, want: reason.Proved, auto: true},
		{name: "something_new", want: reason.Refuted, fails: check.NothingNew, change: func(c *Change) { c.New = reason.Policies{doc(t, "Allow ecs:ListTasks *")} }},
		{name: "new_but_beside", want: reason.Refuted, fails: check.NothingNewAlone, change: func(c *Change) {
			c.New = append(c.New, doc(t, "Allow iam:ListUsers *"))
		}},
		{name: "something_lost", want: reason.Refuted, fails: check.NothingLost, change: func(c *Change) { c.Kept = append(c.Kept, "s3:ListBucket") }},
		{name: "something_left", want: reason.Refuted, fails: check.Gone, change: func(c *Change) { c.Removed = append(c.Removed, "s3:Get*") }},
		{name: "left_by_another_policy", want: reason.Refuted, fails: check.Gone, change: func(c *Change) { c.Removed = append(c.Removed, "iam:ListUsers") }},
		{name: "denied_is_gone", want: reason.Proved, auto: true, change: func(c *Change) { c.Removed = append(c.Removed, "s3:DeleteObject") }},
		{name: "nothing_changes", want: reason.Proved, change: func(c *Change) { c.New, c.Removed = c.Old, nil }},
		{name: "not_action", want: reason.Proved, auto: true, change: func(c *Change) {
			c.Old, c.New = reason.Policies{doc(t, "Allow !iam:*,s3:P* *")}, reason.Policies{doc(t, "Allow !iam:*,s3:P*,sqs:*,s3:PutObject,ec2:RunS* *")}
		}},
		{name: "detached", want: reason.Proved, auto: true, change: func(c *Change) { c.New, c.Kept = nil, nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := example(t)
			test.change(&c)
			e := Prove(t.Context(), c, reason.Config{})
			if e.Verdict() != test.want || e.Automatic() != test.auto {
				t.Fatalf("got %v, automatic %v: %+v", e.Verdict(), e.Automatic(), e)
			}
			if test.fails != "" && e.answers()[test.fails].Verdict != reason.Refuted {
				t.Errorf("claim %s: got %v", test.fails, e.answers()[test.fails].Verdict)
			}
			data, err := e.Certificate(Origin{})
			if (err == nil) != test.auto {
				t.Errorf("certificate: %v", err)
			}
			if err != nil && !errors.Is(err, ErrUnproved) {
				t.Errorf("got %v", err)
			}
			if err != nil {
				return
			}
			if _, err := Check(data); err != nil {
				t.Error(err)
			}
		})
	}
	limited := Prove(t.Context(), Change{
		Old: reason.Policies{doc(t, "Allow s3:G*t*b*c* arn:aws:s3:::a*b*c*")}, New: reason.Policies{doc(t, "Allow s3:Ge*b*c* arn:aws:s3:::a*bb*c* StringLike k:x y*")},
	}, reason.Config{MaxStates: 1, MaxNodes: 1})
	if v := limited.Verdict(); v != reason.Unknown {
		t.Errorf("with no room to think: got %v", v)
	}
}

// TestProve_shows_an_action_that_people_know holds that a request is about an
// action that was removed by name, if there is one, and spelled like it.
func TestProve_shows_an_action_that_people_know(t *testing.T) {
	t.Parallel()
	many := make([]string, 20)
	for i := range many {
		many[i] = fmt.Sprintf("svc:Op%02d*", i)
	}
	for _, test := range []struct {
		name, want string
		removed    []string
	}{
		{"behind_patterns", "ec2:RunInstances", append(slices.Clone(many), "ec2:RunInstances")},
		{"before_patterns", "ec2:RunInstances", append([]string{"ec2:RunInstances"}, many...)},
		{"patterns_only", "svc:Op00", many},
		{"of_many", "a:Op0", []string{"a:Op0", "a:Op1", "a:Op2", "a:Op3", "a:Op4", "a:Op5", "a:Op6", "a:Op7", "a:Op8", "a:Op9"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := Prove(t.Context(), Change{
				Old: reason.Policies{doc(t, "Allow * *")}, New: reason.Policies{doc(t, "Allow s3:GetObject *")},
				Kept: []string{"s3:GetObject"}, Removed: test.removed,
			}, reason.Config{})
			if !e.Automatic() {
				t.Fatalf("got %v: %+v", e.Verdict(), e)
			}
			if got := e.Less.Witness.Request.Action; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestCertificate_subset(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		old, new *policy.Document
		witness  bool
		claims   bool // there is SMT-LIB
	}{
		{"less", doc(t, "Allow s3:* *"), doc(t, "Allow s3:Get* *"), true, true},
		{"the_same", doc(t, "Allow s3:* *"), doc(t, "Allow s3:* *"), false, true},
		{"not_for_solvers", doc(t, "Allow s3:* arn:aws:s3:::*/${aws:username}/*"), doc(t, "Allow s3:Get* arn:aws:s3:::*/${aws:username}/*"), true, false},
		{"principals", parse(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`),
			parse(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}]}`), false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := Prove(t.Context(), Change{Old: reason.Policies{test.old}, New: reason.Policies{test.new}}, reason.Config{})
			data, err := e.Certificate(Origin{Catalogue: "c", Events: "e", From: "f", To: "t"})
			if err != nil {
				t.Fatal(err)
			}
			c, err := Check(data)
			if err != nil {
				t.Fatal(err)
			}
			script, ok := Script(c, check.NothingNew)
			if (c.Witness != nil) != test.witness || ok != test.claims || (c.Unwritten == "") != test.claims || ok && !strings.HasSuffix(script, "(check-sat)\n") {
				t.Errorf("witness %v, script %q, unwritten %q", c.Witness, script, c.Unwritten)
			}
			if _, ok := Script(c, check.Gone); ok {
				t.Error("a script for a claim that was not made")
			}
		})
	}
}

// TestMutations flips every field of a certificate. As it stands each is
// rejected by the digest; with the digest made right again, by the claims,
// unless what remains is true.
func TestMutations(t *testing.T) {
	t.Parallel()
	data, err := Prove(t.Context(), example(t), reason.Config{}).Certificate(Origin{Catalogue: "one", Events: "ff", From: "2026-01-01T00:00:00Z", To: "2026-04-01T00:00:00Z"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		for _, flip := range []byte{1, 0x20} {
			forged := slices.Clone(data)
			if forged[i] ^= flip; slices.Equal(forged, data) {
				continue
			}
			if _, err := check.Check(forged); err == nil {
				t.Fatalf("byte %d flipped, and accepted: %s", i, forged[max(0, i-30):min(len(forged), i+30)])
			}
		}
	}
	rejectsMutants(t, data, "/catalogue", "/events", "/window", "/digest")
}

// TestMutations_of_what_was_not_used holds that the reasons, the table, the
// window and all that they rely on cannot be changed.
func TestMutations_of_what_was_not_used(t *testing.T) {
	t.Parallel()
	rejectsMutants(t, scoped(t), "/digest")
}

// rejectsMutants changes every field of a certificate but those about which
// nothing is claimed.
func rejectsMutants(t *testing.T, data []byte, free ...string) {
	t.Helper()
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	count := 0
	mutate(tree, "", func(path string) {
		count++
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		var c check.Certificate
		if json.Unmarshal(text, &c) != nil {
			return
		}
		forged, err := c.Encode() // with the right digest
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(forged, data) {
			return // nothing reads as what was there
		}
		for _, list := range [][]check.Document{c.Old, c.New, c.Beside} {
			for i := range list {
				list[i] = check.NewDocument(list[i].Text)
			}
		}
		whole, err := c.Encode() // and the right digests of the documents
		if err != nil {
			t.Fatal(err)
		}
		harmless := slices.ContainsFunc(free, func(p string) bool { return strings.HasPrefix(path, p) })
		// The case of actions does not matter, and there are other requests.
		for _, list := range [][]string{c.Kept, c.Removed} {
			harmless = harmless || slices.ContainsFunc(list, func(a string) bool { return a != "" && a == strings.ToUpper(a) })
		}
		harmless = harmless || strings.HasPrefix(path, "/witness/") && shows(t, &c)
		if _, err := Check(forged); err == nil && !harmless {
			t.Errorf("%s: accepted with a new digest", path)
		}
		if _, err := Check(whole); err == nil && !harmless && !strings.HasSuffix(path, "/sha256") {
			t.Errorf("%s: accepted with all digests new", path)
		}
	})
	if count < 40 {
		t.Errorf("only %d fields were changed", count)
	}
}

// shows asks the evaluator whether the request of a certificate was allowed and
// is not any more.
func shows(t *testing.T, c *check.Certificate) bool {
	t.Helper()
	if c.Witness == nil {
		return false
	}
	r := eval.Request{Action: c.Witness.Action, Resource: c.Witness.Resource, Context: c.Witness.Context}
	change, err := changeOf(c)
	return err == nil && eval.Compile(slices.Concat(change.Old, change.Beside)...).Decide(r, eval.Reading{}) == eval.Allowed &&
		eval.Compile(slices.Concat(change.New, change.Beside)...).Decide(r, eval.Reading{}) != eval.Allowed
}

// mutate changes every leaf of a tree in turn, drops every entry and calls try.
func mutate(node any, path string, try func(path string)) {
	change := func(at string, old any, set func(any)) {
		switch v := old.(type) {
		case string:
			for _, other := range []string{v + "x", "", strings.ToUpper(v)} {
				if other != v {
					set(other)
					try(at)
				}
			}
		case nil:
			set("x")
			try(at)
		default:
			mutate(v, at, try)
			set(nil)
			try(at)
		}
		set(old)
	}
	switch v := node.(type) {
	case map[string]any:
		for key, old := range v {
			change(path+"/"+key, old, func(x any) { v[key] = x })
		}
	case []any:
		for i, old := range v {
			change(fmt.Sprint(path, "/", i), old, func(x any) { v[i] = x })
		}
	}
}

func TestCheck_rejects_damaged_scripts(t *testing.T) {
	t.Parallel()
	data, err := Prove(t.Context(), example(t), reason.Config{}).Certificate(Origin{})
	if err != nil {
		t.Fatal(err)
	}
	for name, prelude := range map[string][]byte{
		"nothing": nil, "no_gzip": []byte("text"), "cut": compress("text")[:12], "other": compress("(check-sat)\n"),
	} {
		c, err := check.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		c.Prelude = prelude
		forged, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := check.Check(forged); err != nil {
			t.Errorf("%s: the checker looks at the claims alone, got %v", name, err)
		}
		if _, err := Check(forged); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if text, ok := Script(c, check.Gone); ok && name != "other" {
			t.Errorf("%s: got %q", name, text)
		}
	}
}
