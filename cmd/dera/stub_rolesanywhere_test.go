package main

import (
	"slices"
	"testing"

	"dera.example/dera/awssim/moto"
)

// TestStubRolesAnywhere: a trust anchor and a profile that are enabled are found, wait for a
// person, are disabled when that approves, verified, and enabled again; all other calls go to
// moto.
func TestStubRolesAnywhere(t *testing.T) {
	type members = map[string]any
	server := moto.Start(t, moto.Config{})
	stub := moto.StartStub(t)
	const id = "0b9b8cf9-1c21-4b45-93c0-1f9c9e0e7f5d"
	for name, tc := range map[string]struct{ control, noun, member, slug string }{
		"trust_anchor": {"rolesanywhere-trustanchor-enabled", "TrustAnchor", "trustAnchor", "trust-anchor"},
		"profile":      {"rolesanywhere-profile-enabled", "Profile", "profile", "profile"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSettingWorld(t, server, tc.control)
			s := stub.Before(t, w.creds, server.URL())
			t.Setenv("AWS_ENDPOINT_URL", s.URL())
			entry := func(enabled bool) members {
				return members{tc.member + "Id": id, "name": "door", "enabled": enabled, tc.member + "Arn": "arn:aws:rolesanywhere:us-east-1:" + w.creds.Account + ":" + tc.slug + "/" + id}
			}
			one := func(enabled bool) members { return members{tc.member: entry(enabled)} }
			becomes := func(enabled bool) moto.Answer {
				return moto.Answer{Output: one(enabled), Sets: map[string]members{"Get" + tc.noun: one(enabled), "List" + tc.noun + "s": {tc.member + "s": []members{entry(enabled)}}}}
			}
			s.On("rolesanywhere", "List"+tc.noun+"s", moto.Answer{Output: members{tc.member + "s": []members{entry(true)}}})
			s.On("rolesanywhere", "Get"+tc.noun, moto.Answer{Output: one(true)})
			s.On("rolesanywhere", "ListTagsForResource", moto.Answer{Output: members{"tags": []members{}}})
			s.On("rolesanywhere", "Disable"+tc.noun, becomes(false))
			s.On("rolesanywhere", "Enable"+tc.noun, becomes(true))

			writes := func(verb string) int { return len(s.Calls(verb + tc.noun)) }
			r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
			if got, want := findingsOf(r, id), (finding{"enabled", tc.control, "review", "open"}); !slices.Equal(got, []finding{want}) || writes("Disable") != 0 {
				t.Fatalf("got %v and %d writes, want %v and none", got, writes("Disable"), want)
			}
			for _, f := range r.Findings {
				if _, errOut, code := w.dera("approve", f.Plan.Remediation, "--digest", f.Plan.Digest); code != exitGood {
					t.Errorf("approve: got exit code %d\n%s", code, errOut)
				}
			}
			if writes("Disable") != 1 {
				t.Errorf("after the approval: got %d writes, want one", writes("Disable"))
			}
			if again := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(again) != 0 {
				t.Errorf("the next look finds %+v, want nothing open", again.Findings)
			}
			w.rollBackAll()
			if again := w.scan(exitNo, "--mode", "observe", "--no-exemptions"); openOf(again) != 1 || writes("Enable") != 1 {
				t.Errorf("after the rollback: got %+v and %d writes, want the finding again", again.Findings, writes("Enable"))
			}
			if out, _, code := w.dera("audit", "verify"); code != exitGood {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}
