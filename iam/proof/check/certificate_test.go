package check

import (
	"strings"
	"testing"
)

// TestEncode_finds_its_own_digest holds that the digest is that of the
// certificate without it, whatever the texts in it look like.
func TestEncode_finds_its_own_digest(t *testing.T) {
	t.Parallel()
	looks := `{"Version":"2012-10-17","Id":"\"digest\":\"\"","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"digest":""}}}]}`
	c := &Certificate{
		Format: Format, Purpose: Subset, Semantics: Semantics(), Claims: []Claim{{Claim: NothingNew, SMTLIB: `"digest":"`}},
		Old: []Document{NewDocument(looks)}, New: []Document{NewDocument(looks)}, Beside: []Document{NewDocument(looks)},
		Kept: []string{}, Removed: []string{}, Witness: &Request{Context: map[string][]string{"digest": {`"digest":"`}}},
	}
	data, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	bare := *got
	bare.Digest = ""
	text, err := bare.encode()
	if err != nil {
		t.Fatal(err)
	}
	if want := sum(text); got.Digest != want || c.Digest != want {
		t.Errorf("got %s in the file and %s in the certificate, want %s", got.Digest, c.Digest, want)
	}
	again, err := got.Encode()
	if err != nil || string(again) != string(data) {
		t.Errorf("got %s %v, want %s", again, err, data)
	}
	for _, forged := range []string{
		strings.Replace(string(data), got.Digest, strings.Repeat("0", 64), 1),
		strings.Replace(string(data), got.Digest, "", 1),
		strings.Replace(string(data), `\"s3:*\"`, `\"ec2:*\"`, 1),
	} {
		if _, err := Parse([]byte(forged)); err == nil {
			t.Errorf("accepted: %s", forged)
		}
	}
}

func TestRestates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, before, after string
		want                bool
	}{
		{"the_same", "Deny s3:Put*,s3:Get* a*", "Deny s3:Put*,s3:Get* a*", true},
		{"in_another_order", "Deny s3:Put*,s3:Get* a*", "Deny s3:Get*,s3:Put* a*", true},
		{"more", "Deny s3:PutObject a", "Deny s3:* a*", true},
		{"fewer_actions", "Deny s3:Put*,s3:Get* a", "Deny s3:Put* a", false},
		{"fewer_resources", "Deny s3:Put* a,b", "Deny s3:Put* a", false},
		{"not_action", "Deny !iam:* a", "Deny !iam:* a", true},
		{"not_action_fewer", "Deny !iam:* a", "Deny !iam:*,sts:* a", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// What the denial before took away must not come back: the new policy has
			// to restate it.
			err := func() error {
				_, err := Check(subset(t, statements("Allow * *", test.before), statements("Allow * *", test.after)))
				return err
			}()
			if (err == nil) != test.want {
				t.Errorf("got %v, want accepted %v", err, test.want)
			}
		})
	}
}

func TestLower(t *testing.T) {
	t.Parallel()
	for _, list := range [][]string{nil, {""}, {"S3:GetObject"}, {"a:B", "C:d"}, {"a:Bloc\u212a", "É"}, {"two\nLines", "X"}, {"[@`{Z", "", "aZ"}} {
		got := lower(list)
		if len(got) != len(list) {
			t.Errorf("%q: got %q", list, got)
			continue
		}
		for i := range list {
			if want := strings.ToLower(list[i]); got[i] != want {
				t.Errorf("%q: got %q, want %q", list[i], got[i], want)
			}
		}
	}
}
