package eval

import (
	"testing"

	"dera.example/dera/iam/policy"
)

// ask puts a question of a fuzzer.
func ask(action, resource, principal, key, value string) Request {
	context := Context{"aws:username": {"alice"}}
	if key != "" {
		context[key] = []string{value}
	}
	return Request{Principal: Principal{ARN: principal, ID: value}, Action: action, Resource: resource, Context: context}
}

// FuzzDecide: no document and no request makes an evaluator panic; the index
// finds what a look at every statement finds; another Deny never turns a denial
// into an allowance, another Allow never the other way round; and the layers
// together never allow what one of them denies.
func FuzzDecide(f *testing.F) {
	f.Add(typical, "s3:GetObject", "arn:aws:s3:::app-data/k", alice, "aws:RequestedRegion", "eu-west-1")
	f.Add(denyS3, "s3:GetObject", bucketKey, session, "", "")
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":["111122223333","AROA"],"Service":"a.amazonaws.com"},"NotAction":["*:x","s3:*?"],"NotResource":["arn:aws:s3","arn:*:${k, 'x'}:?:${*}"],
		"Condition":{"ForAnyValue:ArnNotLikeIfExists":{"k":["arn:aws:iam::*:user/${aws:username}","*"]},"Null":{"k":true},"NotIpAddress":{"k":"10.0.0.0/8"},"DateLessThan":{"k":"2026-11-23"},
		"NumericNotEquals":{"k":[1,"2.5"]},"BinaryEquals":{"k":"Zm9v"},"ForAllValues:BoolIfExists":{"k":"false"},"StringNotEqualsIgnoreCase":{"k":"${a}x"},"StringLike":{"k":"*a?${K}"}}}]}`,
		"kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k", "a.amazonaws.com", "k", "10.1.2.3")
	f.Fuzz(func(t *testing.T, text, action, resource, principal, key, value string) {
		d, err := policy.Parse(text)
		if err != nil {
			return
		}
		set := Compile(d)
		r := ask(action, resource, principal, key, value)
		for _, reading := range append(Readings(), Reading{LooseBool: true}) {
			decision := set.Decide(r, reading)
			if slow, _ := set.Explain(r, reading); slow != decision {
				t.Fatalf("%+v: by index %v, by statement %v", reading, decision, slow)
			}
			if one := CompileFor(action, d).Decide(r, reading); one != decision {
				t.Fatalf("%+v: %v, compiled for the action %v", reading, decision, one)
			}
			for i := range d.Statements {
				monotone(t, d, i, r, reading, decision)
			}
		}
		layered(t, set, r.WithDerived())
	})
}

// monotone compares a decision with that of the document without one statement.
func monotone(t *testing.T, d *policy.Document, drop int, r Request, reading Reading, with Outcome) {
	t.Helper()
	less := policy.Document{Version: d.Version}
	less.Statements = append(append(less.Statements, d.Statements[:drop]...), d.Statements[drop+1:]...)
	without := Compile(&less).Decide(r, reading)
	switch effect := d.Statements[drop].Effect; {
	case effect == policy.Deny && with == Allowed && without != Allowed:
		t.Fatalf("%+v: Deny statement %d turns %v into %v", reading, drop, without, with)
	case effect == policy.Allow && without == Allowed && with != Allowed:
		t.Fatalf("%+v: Allow statement %d turns %v into %v", reading, drop, without, with)
	case effect == policy.Deny && without == ExplicitDeny && with != ExplicitDeny:
		t.Fatalf("%+v: Deny statement %d takes back a denial", reading, drop)
	}
}

// layered uses the set in every layer.
func layered(t *testing.T, set *Set, r Request) {
	t.Helper()
	in := Input{Request: r, Identity: set, Boundary: set, Session: set, Resource: set, SCPs: []*Set{set}, RCPs: []*Set{set, nil}}
	got := Evaluate(in)
	if got.Decision != in.Decide() {
		t.Fatalf("Evaluate says %v, Decide %v", got.Decision, in.Decide())
	}
	if got.Decision == ImplicitDeny && len(got.Missing) == 0 || got.Decision == ExplicitDeny && len(got.Because) == 0 {
		t.Fatalf("no reason in %+v", got)
	}
	if set.Decide(r, Reading{}) == ExplicitDeny && set.Decide(r, Reading{LiteralARNs: true}) == ExplicitDeny && got.Decision != ExplicitDeny {
		t.Fatalf("every layer denies, all together: %v", got.Decision)
	}
}
