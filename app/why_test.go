package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/services"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/store"
)

const (
	own     = "111122223333"
	appRole = "arn:aws:iam::111122223333:role/app"
	session = "arn:aws:sts::111122223333:assumed-role/app/i-0123"
	denied  = "User: " + session + ` is not authorized to perform: %s on resource: "%s" because no %s allows the %[1]s action`
)

// book is a record: the audit log and the database.
type book struct {
	leaves   [][]byte
	rems     map[string]dera.Remediation
	torn     map[string]error
	intents  map[string][]dera.Intent
	evidence map[string][]byte
}

func newBook() *book {
	return &book{rems: map[string]dera.Remediation{}, torn: map[string]error{}, intents: map[string][]dera.Intent{}, evidence: map[string][]byte{}}
}

func (b *book) LogSize(context.Context) (int64, error) { return int64(len(b.leaves)), nil }
func (b *book) Hashes(context.Context) tlog.HashReader { return nil }
func (b *book) Evidence(_ context.Context, hash string) ([]byte, error) {
	if blob, ok := b.evidence[hash]; ok {
		return blob, nil
	}
	return nil, store.ErrNotFound
}
func (b *book) Intents(_ context.Context, id string) ([]dera.Intent, error) {
	return b.intents[id], nil
}
func (b *book) Leaves(_ context.Context, from, n int64) ([][]byte, error) {
	return b.leaves[from:min(from+n, int64(len(b.leaves)))], nil
}
func (b *book) Remediation(_ context.Context, id string) (dera.Remediation, error) {
	if err := b.torn[id]; err != nil {
		return dera.Remediation{}, fmt.Errorf("read remediation %s: %w", id, err)
	}
	r, ok := b.rems[id]
	if !ok {
		return r, store.ErrNotFound
	}
	return r, nil
}

// write records a write of a remediation; done is nil for one whose end is not known.
func (b *book) write(t *testing.T, id string, step int, undo bool, at time.Time, state dera.IntentState) {
	t.Helper()
	done := at.Add(time.Second)
	in := dera.Intent{Remediation: id, Step: step, Undo: undo, State: state, At: at, DoneAt: &done}
	if state == dera.IntentOpen {
		in.DoneAt = nil
	}
	b.intents[id] = append(b.intents[id], in)
	leaf, err := json.Marshal(dera.AuditRecord{Version: 1, Kind: dera.RecordIntent, Time: at, Remediation: id, Digest: b.rems[id].Digest, Step: &step, Undo: undo})
	if err != nil {
		t.Fatal(err)
	}
	b.leaves = append(b.leaves, leaf)
}

// made is a remediation whose changes were all made at a time.
func (b *book) made(t *testing.T, r dera.Remediation, at time.Time) dera.Remediation {
	t.Helper()
	var err error
	if r.Digest, err = r.Plan.Digest(); err != nil {
		t.Fatal(err)
	}
	if r.State == "" {
		r.State = dera.Resolved
	}
	b.rems[r.ID] = r
	for i := range r.Plan.Changes {
		b.write(t, r.ID, i, false, at, dera.IntentApplied)
	}
	return r
}

func policyText(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const (
	getPut = `{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::b/*"}`
	putOne = `{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}`
)

// plan is a plan of the changes.
func plan(t *testing.T, typ string, arn dera.ARN, changes ...func() (dera.Change, error)) dera.Plan {
	t.Helper()
	p := dera.Plan{Partition: "aws", Account: own, Region: dera.GlobalRegion, Type: typ, Resource: arn, Control: "c"}
	for _, f := range changes {
		c, err := f()
		if err != nil {
			t.Fatal(err)
		}
		p.Changes = append(p.Changes, c)
	}
	return p
}

// narrowed is a remediation that puts another inline policy.
func narrowed(t *testing.T, id, name, before, after string) dera.Remediation {
	t.Helper()
	i := iam.Identity{Name: name, Inline: []iam.Inline{{Name: "p", Document: before}}}
	return dera.Remediation{ID: id, Control: "c", Plan: plan(t, role.Name, iam.RoleKind.ARN("aws", own, "/", name), func() (dera.Change, error) { return i.SetInline(iam.RoleKind, "p", after) })}
}

func (b *book) ask(t *testing.T, q app.Question) app.Why {
	t.Helper()
	if err := q.Validate(); err != nil {
		t.Fatal(err)
	}
	w, err := app.Whyer{Store: b, Types: services.Types(), Now: noon(), Flags: " --data d", Size: int64(len(b.leaves))}.Ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func at(when time.Time) *time.Time { return &when }

func asked(t *testing.T, action, of, policy string) app.Question {
	t.Helper()
	c, err := app.ReadDenial(fmt.Sprintf(denied, action, of, policy))
	if err != nil {
		t.Fatal(err)
	}
	return app.Question{Call: &c, At: at(noon())}
}

// TestWhyCall: a change that took the call did it, one that took something else did not, and
// in doubt it is neither.
func TestWhyCall(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:s3:::b/k"
	took := func(t *testing.T) *book {
		b := newBook()
		b.made(t, narrowed(t, "r-took", "app", policyText(getPut), policyText(putOne)), ago(3))
		return b
	}
	tests := []struct {
		name    string
		book    func(t *testing.T) *book
		ask     func(t *testing.T) app.Question
		want    app.Blame
		missing string // among what is missing, or why it may have been
	}{
		{"took_it", took, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameYes, ""},
		{"took_another_action", took, func(t *testing.T) app.Question { return asked(t, "s3:PutObject", key, "identity-based policy") }, app.BlameNo, ""},
		{"never_allowed_it", took, func(t *testing.T) app.Question { return asked(t, "s3:DeleteObject", key, "identity-based policy") }, app.BlameNo, ""},
		{"another_resource", took, func(t *testing.T) app.Question {
			return asked(t, "s3:GetObject", "arn:aws:s3:::c/k", "identity-based policy")
		}, app.BlameNo, ""},
		{"nothing_was_ever_changed", func(*testing.T) *book { return newBook() }, func(t *testing.T) app.Question {
			return asked(t, "s3:GetObject", key, "identity-based policy")
		}, app.BlameNo, ""},
		{"scp_denied_it", took, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "service control policy") }, app.BlameUnknown, "may not help"},
		{"aws_does_not_say_which_policy", took, func(t *testing.T) app.Question {
			q := asked(t, "s3:GetObject", key, "identity-based policy")
			q.Call.Policy = ""
			return q
		}, app.BlameUnknown, "which type of policy denied it"},
		{"resource_is_not_known", took, func(t *testing.T) app.Question {
			q := asked(t, "s3:GetObject", key, "identity-based policy")
			q.Call.Resource = ""
			return q
		}, app.BlameUnknown, "give --resource"},
		{"before_the_change", took, func(t *testing.T) app.Question {
			q := asked(t, "s3:GetObject", key, "identity-based policy")
			q.At = at(ago(4))
			return q
		}, app.BlameNo, ""},
		{"within_minutes_of_the_change", took, func(t *testing.T) app.Question {
			q := asked(t, "s3:GetObject", key, "identity-based policy")
			q.At = at(ago(3).Add(-4 * time.Minute))
			return q
		}, app.BlameUnknown, "within minutes"},
		{"no_time_of_a_change_in_effect", took, func(t *testing.T) app.Question {
			q := asked(t, "s3:GetObject", key, "identity-based policy")
			q.At = nil
			return q
		}, app.BlameYes, ""},
		{"in_the_future", took, func(t *testing.T) app.Question {
			q := asked(t, "s3:PutObject", key, "identity-based policy")
			q.At = at(noon().Add(time.Hour))
			return q
		}, app.BlameUnknown, "in the future"},
		{"another_principal", func(t *testing.T) *book {
			b := newBook()
			b.made(t, narrowed(t, "r-other", "another", policyText(getPut), policyText(putOne)), ago(3))
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameNo, ""},
		{"rolled_back_before", func(t *testing.T) *book {
			b := took(t)
			b.write(t, "r-took", 0, true, ago(1), dera.IntentApplied)
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameNo, ""},
		{"rolled_back_after", func(t *testing.T) *book {
			b := took(t)
			b.write(t, "r-took", 0, true, ago(1), dera.IntentApplied)
			return b
		}, func(t *testing.T) app.Question {
			q := asked(t, "s3:GetObject", key, "identity-based policy")
			q.At = at(ago(2))
			return q
		}, app.BlameYes, ""},
		{"rolled_back_today_and_no_time", func(t *testing.T) *book {
			b := took(t)
			b.write(t, "r-took", 0, true, noon().Add(-time.Hour), dera.IntentApplied)
			return b
		}, func(t *testing.T) app.Question {
			q := asked(t, "s3:GetObject", key, "identity-based policy")
			q.At = nil
			return q
		}, app.BlameUnknown, "give --at"},
		{"undo_half_done", func(t *testing.T) *book {
			b := took(t)
			b.write(t, "r-took", 0, true, ago(1), dera.IntentOpen)
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameUnknown, "whether its undo took effect"},
		{"write_half_done", func(t *testing.T) *book {
			b := took(t)
			b.intents["r-took"][0].State, b.intents["r-took"][0].DoneAt = dera.IntentOpen, nil
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameUnknown, "whether the write took effect"},
		{"half_done_and_of_another_action", func(t *testing.T) *book {
			b := took(t)
			b.intents["r-took"][0].State, b.intents["r-took"][0].DoneAt = dera.IntentOpen, nil
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:PutObject", key, "identity-based policy") }, app.BlameNo, ""},
		{"write_not_made", func(t *testing.T) *book {
			b := took(t)
			b.intents["r-took"][0].State = dera.IntentNotApplied
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameNo, ""},
		{"write_not_answered", func(t *testing.T) *book {
			b := took(t)
			b.intents["r-took"][0].State, b.intents["r-took"][0].Unanswered = dera.IntentNotApplied, true
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameUnknown, "whether the write took effect"},
		{"damaged", func(t *testing.T) *book {
			b := took(t)
			b.torn["r-took"] = store.ErrTorn
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:PutObject", key, "identity-based policy") }, app.BlameUnknown, "r-took changed (record 0) cannot be read: it is damaged"},
		{"lost", func(t *testing.T) *book {
			b := took(t)
			delete(b.rems, "r-took")
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:PutObject", key, "identity-based policy") }, app.BlameUnknown, "does not have it any more"},
		{"another_plan", func(t *testing.T) *book {
			b := took(t)
			r := narrowed(t, "r-took", "app", policyText(putOne), policyText(putOne))
			r.Digest = b.rems["r-took"].Digest
			b.rems["r-took"] = r
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameUnknown, "not the one that the record names"},
		{"end_of_a_write_lost", func(t *testing.T) *book {
			b := took(t)
			b.intents["r-took"] = nil
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:GetObject", key, "identity-based policy") }, app.BlameUnknown, "how the write of change 1 ended"},
		{"write_of_no_declared_kind", func(t *testing.T) *book {
			b := newBook()
			r := narrowed(t, "r-odd", "app", policyText(getPut), policyText(putOne))
			r.Plan.Changes[0].Version = 9
			b.made(t, r, ago(3))
			return b
		}, func(t *testing.T) app.Question { return asked(t, "s3:PutObject", key, "identity-based policy") }, app.BlameUnknown, "what it took away is not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := tt.book(t).ask(t, tt.ask(t))
			text := strings.Join(w.Missing, "\n")
			for _, c := range w.Perhaps {
				text += "\n" + c.Why
			}
			if w.Answer != tt.want || !strings.Contains(text, tt.missing) {
				t.Errorf("got %s, did %+v, perhaps and missing %q; want %s with %q", w.Answer, w.Did, text, tt.want, tt.missing)
			}
			if (w.Answer == app.BlameYes) != (len(w.Did) > 0) || (w.Answer == app.BlameNo) != (len(w.Did)+len(w.Perhaps)+len(w.Missing) == 0) {
				t.Errorf("the answer %s does not fit what it rests on: %+v", w.Answer, w)
			}
		})
	}
}

// TestWhyNames: the answer names the record, the change and the command that undoes it.
func TestWhyNames(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.made(t, narrowed(t, "r-other", "another", policyText(getPut), policyText(putOne)), ago(5))
	took := narrowed(t, "r-took", "app", policyText(getPut), policyText(putOne))
	took.Principals, took.Covers = []string{string(took.Plan.Resource)}, []dera.Extent{{Permissions: []string{"s3:GetObject"}}}
	b.made(t, took, ago(3))
	w := b.ask(t, asked(t, "s3:GetObject", "arn:aws:s3:::b/k", "identity-based policy"))
	if len(w.Did) != 1 || w.Did[0].Record != 1 || w.Did[0].Undo != `dera rollback r-took --reason "it denied what is in use" --data d` || !w.Did[0].At.Equal(ago(3)) {
		t.Fatalf("got %+v, want r-took by record 1", w.Did)
	}
	if want := "dera access request --principal " + string(took.Plan.Resource) + ` --action s3:GetObject --for 8h --reason "it was denied after r-took" --data d`; w.Did[0].Grant != want {
		t.Errorf("got %q, want %q", w.Did[0].Grant, want)
	}
	if took := strings.Join(w.Did[0].Took, "\n"); !strings.Contains(took, "s3:GetObject") {
		t.Errorf("took: got %q, want the action", took)
	}
	if len(w.RuledOut) != 1 || w.RuledOut[0].Remediation != "r-other" || w.Records != 2 || w.AWS != "no identity-based policy allows s3:GetObject" {
		t.Errorf("got %+v, want r-other ruled out", w)
	}
	if got := w.Grounds(); len(got) != 2 || !strings.Contains(got[0], "over all 2 remediations") {
		t.Errorf("grounds: got %q", got)
	}
}

// TestWhySeveral: two changes that took the same both did it, the latest first; a log that is
// not valid decides nothing.
func TestWhySeveral(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.made(t, narrowed(t, "r-first", "app", policyText(getPut), policyText(putOne)), ago(5))
	b.made(t, narrowed(t, "r-second", "app", policyText(getPut), policyText(putOne)), ago(3))
	q := asked(t, "s3:GetObject", "arn:aws:s3:::b/k", "identity-based policy")
	if w := b.ask(t, q); w.Answer != app.BlameYes || len(w.Did) != 2 || w.Did[0].Remediation != "r-second" {
		t.Errorf("got %+v, want both, the latest first", w)
	}
	b.torn["r-second"] = store.ErrTorn
	if w := b.ask(t, q); w.Answer != app.BlameYes || len(w.Did) != 1 || len(w.Missing) != 1 {
		t.Errorf("with a damaged one: got %+v, want the other, and that one missing", w)
	}
	if w := app.Unverified(q, "record 7 is not the one that was signed"); w.Answer != app.BlameUnknown || !strings.Contains(w.Missing[0], "record 7") || w.Grounds() != nil {
		t.Errorf("not valid: got %+v", w)
	}
}

// TestQuestionIsValidated: what cannot be asked is refused, and says what to write.
func TestQuestionIsValidated(t *testing.T) {
	t.Parallel()
	icmp := connection("203.0.113.7", "sg-1", 8)
	icmp.Connection.Protocol = "icmp"
	tests := []struct {
		name string
		ask  app.Question
		want string
	}{
		{"nothing", app.Question{}, "ask about one denied request"},
		{"both", app.Question{Call: &app.DeniedCall{}, Connection: &app.RefusedConnection{}}, "ask about one denied request"},
		{"wildcard", app.Question{Call: &app.DeniedCall{Principal: appRole, Action: "s3:*"}}, "without wildcards"},
		{"no_service", app.Question{Call: &app.DeniedCall{Principal: appRole, Action: "GetObject"}}, "service:Name"},
		{"no_principal", app.Question{Call: &app.DeniedCall{Principal: "app", Action: "s3:GetObject"}}, "no ARN of a principal"},
		{"no_resource", app.Question{Call: &app.DeniedCall{Principal: appRole, Action: "s3:GetObject", Resource: "b"}}, "no ARN"},
		{"no_source", connection("somewhere", "sg-1", 22), "--from"},
		{"no_destination", connection("203.0.113.7", "host.example", 22), "--to"},
		{"no_port", connection("203.0.113.7", "sg-1", 0), "--port is required"},
		{"port_of_icmp", icmp, "tcp and udp"},
	}
	for _, tt := range tests {
		if err := tt.ask.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
