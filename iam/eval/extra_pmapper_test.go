package eval

import (
	"encoding/json"
	"testing"
)

// pmapperNode is a principal as PMapper records it.
type pmapperNode struct {
	ARN      string
	Policies []struct{ Doc json.RawMessage } `json:"attached_policies"`
	Groups   []struct {
		Policies []struct{ Doc json.RawMessage } `json:"attached_policies"`
	}
	Boundary *struct{ Doc json.RawMessage } `json:"permissions_boundary"`
}

// pmapperReading: its authors write an absent key as one with an empty value,
// and follow the policy simulator.
var pmapperReading = Reading{EmptyIsNull: true, LooseBool: true}

func TestExtra_decisions_pmapper(t *testing.T) {
	t.Parallel()
	var file struct {
		Cases []struct {
			ID, Fn string
			Args   []json.RawMessage
			Result json.RawMessage
		}
	}
	extraFile(t, "decisions_pmapper.json", &file)
	var cases []extraCase
	for _, c := range file.Cases {
		var want string
		switch string(c.Result) {
		case "true", `"NODE_MATCH"`:
			want = "yes"
		case "false", `"NO_MATCH"`:
			want = "no"
		default: // [allowed, needs MFA]
			var pair [2]bool
			if err := json.Unmarshal(c.Result, &pair); err != nil {
				t.Fatal(err)
			}
			want = words(pair[0])
		}
		cases = append(cases, extraCase{c.ID, words(pmapperAsk(t, c.Fn, c.Args, c.Result)), want})
	}
	report(t, "decisions_pmapper.json", cases, nil)
}

// pmapperAsk puts the question of one recorded call.
func pmapperAsk(t *testing.T, fn string, args []json.RawMessage, result json.RawMessage) bool {
	t.Helper()
	switch fn {
	case "_statement_matches_action":
		return pmapperStatement(t, args[0]).matchesAction(ptr(newAction(text(t, args[1]))))
	case "_statement_matches_resource":
		r := Request{Resource: text(t, args[1]), Context: pmapperContext(t, args[2:])}
		e := newEvaluation(&r, pmapperReading)
		return pmapperStatement(t, args[0]).matchesResource(&e)
	case "_matches_after_expansion":
		p := newResourcePattern(text(t, args[1]), true)
		return p.match(text(t, args[0]), pmapperContext(t, args[2:]), pmapperReading)
	case "_get_condition_match":
		condition := `{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + string(args[0]) + `}`
		st := pmapperStatement(t, json.RawMessage(condition))
		r := Request{Action: "a:b", Resource: "*", Context: pmapperContext(t, args[1:])}
		e := newEvaluation(&r, pmapperReading)
		return st.match(&e) != noGrant
	case "local_check_authorization", "local_check_authorization_handling_mfa":
		in := pmapperInput(t, args[0], args[1], args[2], args[3:4])
		if fn == "local_check_authorization_handling_mfa" {
			in.Request.Context = withMFA(in.Request.Context, result)
		}
		return in.Decide() == Allowed
	case "local_check_authorization_full":
		in := pmapperInput(t, args[0], args[1], args[2], args[3:4])
		in.Resource = Compile(parseAll(t, args[4])...)
		in.ResourceAccount = text(t, args[5])
		return in.Decide() == Allowed
	case "resource_policy_authorization":
		in := pmapperInput(t, args[0], args[3], args[4], args[5:6])
		return Compile(parseAll(t, args[2])...).Decide(in.Request, pmapperReading) == Allowed
	case "has_matching_statement":
		in := pmapperInput(t, args[0], args[2], args[3], args[4:5])
		return in.Identity.Decide(in.Request, pmapperReading) == Allowed
	default:
		t.Fatalf("no adapter for %s", fn)
		return false
	}
}

// withMFA adds what PMapper tries automatically: it asks again as if with MFA, and
// its second answer tells that only that was allowed.
func withMFA(context Context, result json.RawMessage) Context {
	if string(result) != "[true,true]" && string(result) != "[\n    true,\n    true\n   ]" {
		return context
	}
	all := Context{"aws:multifactorauthpresent": {"true"}}
	for k, v := range context {
		all[k] = v
	}
	return all
}

func pmapperInput(t *testing.T, node, action, resource json.RawMessage, context []json.RawMessage) *Input {
	t.Helper()
	var n pmapperNode
	if err := json.Unmarshal(node, &n); err != nil {
		t.Fatal(err)
	}
	request := Request{
		Principal: Principal{ARN: n.ARN},
		Action:    text(t, action),
		Resource:  text(t, resource),
		Context:   pmapperContext(t, context),
	}
	in := &Input{Reading: pmapperReading, Request: request.WithDerived()}
	var docs []json.RawMessage
	for _, p := range n.Policies {
		docs = append(docs, p.Doc)
	}
	for _, g := range n.Groups {
		for _, p := range g.Policies {
			docs = append(docs, p.Doc)
		}
	}
	in.Identity = Compile(parseAll(t, docs...)...)
	if n.Boundary != nil {
		in.Boundary = Compile(parseAll(t, n.Boundary.Doc)...)
	}
	return in
}

func pmapperStatement(t *testing.T, raw json.RawMessage) *statement {
	t.Helper()
	document := `{"Version":"2012-10-17","Statement":` + string(raw) + `}`
	return &Compile(parseAll(t, json.RawMessage(document))...).statements[0]
}

func pmapperContext(t *testing.T, args []json.RawMessage) Context {
	t.Helper()
	if len(args) == 0 {
		return nil
	}
	var loose map[string]looseList
	if err := json.Unmarshal(args[0], &loose); err != nil {
		t.Fatal(err)
	}
	context := Context{}
	for k, v := range loose {
		context[k] = v
	}
	return context
}

func text(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func ptr[T any](v T) *T { return &v }
