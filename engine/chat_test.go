package engine_test

import (
	"errors"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/engine"
)

// TestApprovalByChat: a click is bound to the digest and recorded with how it was
// established; who caused the finding cannot approve it, and two clicks are one approval.
func TestApprovalByChat(t *testing.T) {
	t.Parallel()
	const alice, bob, oidcBob = "arn:aws:iam::111122223333:user/alice", "arn:aws:sts::111122223333:assumed-role/Admin/bob", "https://login.example.com|1|bob"
	tests := []struct {
		name, causedBy, clickedBy string
		reject                    bool
		why                       string // "" is approved
	}{
		{"nobody_known_caused_it", "", alice, false, ""},
		{"somebody_else_caused_it", bob, alice, false, ""},
		{"they_caused_it", alice, alice, false, "caused it"},
		{"they_caused_it_in_another_session", bob, "arn:aws:sts::111122223333:assumed-role/Admin/other", false, "caused it"},
		{"they_caused_it_by_their_role", bob, "arn:aws:iam::111122223333:role/team/Admin", false, "caused it"},
		{"they_caused_it_and_signed_in", bob, oidcBob, false, "caused it"},
		{"somebody_else_caused_it_and_they_signed_in", alice, oidcBob, false, ""},
		{"they_caused_it_and_reject_it", alice, alice, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			if tt.causedBy != "" {
				ev := w.event(id)
				ev.Actor, ev.Authenticated = tt.causedBy, true
				w.ingest(ev)
				w.drain()
			}
			r := w.waiting(id)
			by := dera.Actor{Name: tt.clickedBy, How: engine.HowSlack}
			if tt.clickedBy == oidcBob {
				by.How = engine.HowOIDC
			}
			got, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: !tt.reject, Digest: r.Digest, Reason: "in Slack", By: by})
			if tt.why != "" {
				var refused *engine.RefusedError
				if !errors.As(err, &refused) || !strings.Contains(refused.Why, tt.why) {
					t.Errorf("got %v, want a refusal with %q", err, tt.why)
				}
				wantState(t, w.last(id), dera.Waiting)
				if _, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: dera.Actor{Name: tt.clickedBy, How: "sts"}}); err != nil {
					t.Errorf("with credentials of AWS: got %v", err)
				}
				return
			}
			if err != nil || got.Approval == nil || got.Approval.HowEstablished != by.How || got.Approval.Approver != tt.clickedBy {
				t.Fatalf("got %v, %+v", err, got.Approval)
			}
			if tt.reject {
				wantState(t, w.last(id), dera.Rejected)
				return
			}
			again, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: by})
			if err != nil || again.Revision != got.Revision {
				t.Errorf("the second click: got revision %d, %v, want %d", again.Revision, err, got.Revision)
			}
		})
	}
}
