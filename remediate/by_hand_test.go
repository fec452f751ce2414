package remediate

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

const (
	twoText       = `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"},{"Sid":"B","Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}]}`
	twoNarrowText = `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"*"},{"Sid":"B","Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}]}`
	trustText     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},"Action":"sts:AssumeRole"}]}`
	trustNarrow   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`
)

// fixed is a run on a fix of a role that narrowed an inline policy and the trust policy.
func fixed(t *testing.T) (*run, role.Role) {
	t.Helper()
	r := &role.Role{Identity: iam.Identity{Name: "app", Path: "/", Inline: []iam.Inline{{Name: "own", Document: twoText}}}, Account: "111122223333", Trust: trustText}
	kind := role.Type()
	inline, err := r.SetInline(iam.RoleKind, "own", twoNarrowText)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := r.SetTrust(trustNarrow)
	if err != nil {
		t.Fatal(err)
	}
	changes := []dera.Change{inline, trust}
	out := &run{kind: kind, rem: dera.Remediation{ID: "r-0123456789abcdef0123", State: dera.Resolved, Plan: dera.Plan{Type: kind.Name, Changes: changes}}}
	var config any = r
	for i := 0; ; i++ {
		canon, err := kind.Canon(config)
		if err != nil {
			t.Fatal(err)
		}
		out.rem.Way = append(out.rem.Way, canon)
		if i == len(changes) {
			return out, *config.(*role.Role)
		}
		out.intents = append(out.intents, dera.Intent{Step: i, State: dera.IntentApplied})
		if config, err = kind.Apply(config, resource.Of(changes[i])); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefusalSaysWhatToPutBackByHand: where somebody edited a document since, a rollback
// is refused before anything begins, and says which elements it would have put back, and
// where the document of before stands.
func TestRefusalSaysWhatToPutBackByHand(t *testing.T) {
	t.Parallel()
	const action, account = `+ inline policy "own" statement 1 "A": s3:PutObject`, "+ trust statement 1: principal AWS arn:aws:iam::444455556666:root"
	for _, tt := range []struct {
		name          string
		inline, trust string // what somebody put since, "" for nothing
		hand, partial []string
	}{
		{name: "untouched"},
		{name: "the_same_statement", inline: strings.Replace(twoNarrowText, `"s3:GetObject"`, `["s3:GetObject","s3:ListBucket"]`, 1), hand: []string{action}, partial: []string{account}},
		{name: "another_statement", inline: strings.Replace(twoNarrowText, "sqs:ListQueues", "sns:ListTopics", 1), hand: []string{action}, partial: []string{account}},
		{name: "a_statement_more", trust: strings.Replace(trustNarrow, `"Statement":[`, `"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},`, 1), hand: []string{account}, partial: []string{action}},
		{name: "put_back_by_hand", inline: twoText},
		{name: "both", inline: strings.Replace(twoNarrowText, "sqs:ListQueues", "sns:ListTopics", 1), trust: strings.Replace(trustNarrow, "111122223333", "777788889999", 1), hand: []string{action, account}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, now := fixed(t)
			if tt.inline != "" {
				now.Inline = []iam.Inline{{Name: "own", Document: tt.inline}}
			}
			if tt.trust != "" {
				now.Trust = tt.trust
			}
			canon, err := r.kind.Canon(&now)
			if err != nil {
				t.Fatal(err)
			}
			err = r.partial(&now, canon, false)
			var no *RefusedError
			if errors.As(err, &no) != (tt.hand != nil) {
				t.Fatalf("got %v, want a refusal: %t", err, tt.hand != nil)
			}
			if no == nil {
				return
			}
			if !slices.Equal(no.ByHand, tt.hand) || !slices.Equal(no.Partial, tt.partial) {
				t.Errorf("by hand %q, with --partial %q; want %q and %q", no.ByHand, no.Partial, tt.hand, tt.partial)
			}
			for _, want := range append(slices.Clone(tt.hand), "by hand", "dera show r-0123456789abcdef0123") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			if err := r.partial(&now, canon, true); (err == nil) != (tt.partial != nil) {
				t.Errorf("with --partial: got %v", err)
			}
		})
	}
}
