package s3

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

const (
	partnerOnly = `{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222233334444:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"}`
	everyone    = `{"Sid":"Public","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"}`
)

func written(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// TestAccessOfBeforeTheHouse: a body that an older dera wrote names no house. It
// claims what it claimed then, and no more.
func TestAccessOfBeforeTheHouse(t *testing.T) {
	t.Parallel()
	docs := func(text string) reason.Policies {
		doc, err := policy.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return reason.Policies{doc}
	}
	certify := func(old, fresh reason.Policies) string {
		text, err := proof.Prove(t.Context(), proof.Change{Old: old, New: fresh}, reason.Config{}).Certificate(proof.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	old, fresh := docs(written(partnerOnly, everyone)), docs(written(partnerOnly))
	rest := reason.Policies{{Version: old[0].Version, Statements: old[0].Statements[:1]}}
	a := Access{
		Bucket: "arn:aws:s3:::shop", Old: Side{Policy: old[0].Text()}, New: Side{Policy: fresh[0].Text()}, Goals: []string{PolicyRead}, Dropped: []int{1},
		NothingNew: certify(old, fresh), NothingLost: certify(fresh, rest),
	}
	ev, err := a.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	blob, _, err := ev.Blob()
	if err != nil {
		t.Fatal(err)
	}
	if err := evidence.Check(blob, evidence.NetworkEvidence(), AccessEvidence()); err != nil || !ev.Proved() {
		t.Errorf("got %v, claims %+v; want all of them proved", err, ev.Claims)
	}
	if says := ev.Claims[1].Says; says != "no access is lost other than what this plan removes" {
		t.Errorf("what is lost: says %q, want the words of then", says)
	}
	// With a house the same plan is a loss: its roles may have had access as everyone.
	a.House = &document.House{Account: "111122223333"}
	ev, err = a.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	if c := ev.Claims[1]; c.Verdict != dera.Unknown || !strings.Contains(c.Witness, "the account 111122223333") {
		t.Errorf("what the house loses: got %+v, want it unknown and the account named", c)
	}
}

// TestAccessBodiesThatNeverWere: whatever a body says, it is an answer.
func TestAccessBodiesThatNeverWere(t *testing.T) {
	t.Parallel()
	house := &document.House{Account: "111122223333"}
	for name, a := range map[string]Access{
		"nothing":                       {},
		"no_policy_before":              {New: Side{Policy: written(everyone)}, House: house, Goals: []string{PolicyRead}},
		"a_statement_that_is_not_there": {Old: Side{Policy: written(everyone)}, New: Side{Policy: written(partnerOnly)}, Dropped: []int{7}, Narrowed: []document.PublicCut{{Index: -1}, {Index: 9}}, House: house},
		"an_element_that_is_not_there":  {Old: Side{Policy: written(everyone)}, New: Side{Policy: written(partnerOnly)}, Narrowed: []document.PublicCut{{Operator: "StringLike", Key: "x", Values: []string{"y"}}}, House: house},
		"narrowed_without_a_house":      {Old: Side{Policy: written(everyone)}, New: Side{Policy: written(partnerOnly)}, Narrowed: []document.PublicCut{{}}},
		"a_house_of_a_wildcard":         {Old: Side{Policy: written(everyone)}, New: Side{Policy: written(everyone)}, Dropped: []int{0}, House: &document.House{Account: "*"}},
		"no_policy":                     {Old: Side{Policy: "{"}, New: Side{Policy: "{}"}, House: house},
	} {
		ev, err := a.Evidence()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if ev.Proved() {
			t.Errorf("%s: is proved", name)
		}
	}
}
