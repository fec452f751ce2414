// Package s3test is for the tests of the types of S3.
package s3test

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// Bodies are forgeries of a proof about public access.
func Bodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	var a s3.Access
	if err := controltest.Strict(ev.Body, &a); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	same := a
	same.New = a.Old
	wider := a
	for _, permission := range []string{"FULL_CONTROL", "WRITE_ACP", "WRITE", "READ_ACP", "READ"} {
		g := s3.Grant{URI: s3.AllUsers, Permission: permission}
		if !slices.Contains(a.Old.Grants, g) {
			wider.New.Grants = append(slices.Clone(a.New.Grants), g)
			break
		}
	}
	aimless := a
	aimless.Goals = nil
	out := []controltest.Forgery{{How: "the new state is the old one", Body: same}, {How: "a grant to all users is new", Body: wider}, {How: "no finding is named", Body: aimless}}
	if a.Old.Block != a.New.Block {
		off := a
		off.New.Block.PublicPolicy = false
		out = append(out, controltest.Forgery{How: "a setting of the new block is off", Body: off})
	}
	if a.Old.Policy == a.New.Policy {
		return out
	}
	kept := a
	kept.Dropped, kept.Narrowed = nil, nil
	homeless := a
	homeless.House = nil
	foreign := a
	foreign.House = &document.House{Account: "999988887777"}
	uncertified := a
	uncertified.NothingLost = a.NothingNew
	open := a
	open.New.Policy = strings.ReplaceAll(a.Old.Policy, "s3:Get", "s3:Put")
	return append(out, controltest.Forgery{How: "nothing goes", Body: kept}, controltest.Forgery{How: "the house is another account", Body: foreign}, controltest.Forgery{How: "there is no house", Body: homeless}, controltest.Forgery{How: "a certificate is another", Body: uncertified}, controltest.Forgery{How: "the new policy is another", Body: open})
}
