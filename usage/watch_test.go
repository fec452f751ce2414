package usage_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/usage"
)

const watchedRole = "arn:aws:iam::111122223333:role/app"

// changed is a store in which a remediation took actions from a role, at start.
func changed(t *testing.T, state dera.State, actions ...string) *store.Store {
	t.Helper()
	s := newStore(t)
	r := storetest.Remediation("r-1", "sg", start)
	r.State, r.Covers, r.Findings, r.Principals = state, []dera.Extent{{Key: "unused", Permissions: actions}}, []string{"f-1"}, []string{watchedRole}
	b := store.Batch{Remediations: []dera.Remediation{r}, Watches: []dera.Watch{{Remediation: r.ID, Principal: "arn:aws:iam::111122223333:role/path/app", Since: start.Add(time.Second / 2)}}}
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return s
}

// refused is an event of a denied call of a role.
func refused(id, role, source, name, code, message string, at time.Time) string {
	text := record(id, role, name, at)
	return strings.Replace(strings.Replace(text, "s3.amazonaws.com", source, 1), `"awsRegion"`, fmt.Sprintf(`"errorCode":%q,"errorMessage":%q,"awsRegion"`, code, message), 1)
}

func envelope(detail string, trusted bool) usage.Message {
	return usage.Message{Authenticated: trusted, Body: fmt.Appendf(nil,
		`{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","account":"111122223333","region":"us-east-1","detail":%s}`, detail)}
}

// texts are the denials that are stored, one line each.
func texts(t *testing.T, s *store.Store) (out []string) {
	t.Helper()
	list, err := s.Denials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		out = append(out, fmt.Sprintf("%s %s %s %d %s", d.Call, strings.Join(d.Actions, ","), d.Cause, len(d.Events), d.Policy))
	}
	slices.Sort(out)
	return out
}

// TestWatch: what counts as a denial after a change, and as whose.
func TestWatch(t *testing.T) {
	t.Parallel()
	const by = "User: arn:aws:sts::111122223333:assumed-role/app/i is not authorized to perform: "
	missing := func(action string) string {
		return by + action + " on resource: x because no identity-based policy allows the " + action + " action"
	}
	removed := []string{"s3:ListBucket", "iam:PassRole", "athena:StartQueryExecution", "kms:Decrypt"}
	for _, tt := range []struct {
		name, role, source, event, code, message string
		after                                    time.Duration
		want                                     string
	}{
		{name: "by_its_message", event: "ListObjects", message: missing("s3:ListBucket"), want: "s3:ListObjects s3:ListBucket removed_permission 1 identity-based policy"},
		{name: "by_its_event", source: "athena.amazonaws.com", event: "StartQueryExecution", want: "athena:StartQueryExecution athena:StartQueryExecution unknown 1 "},
		{name: "mapped_event", event: "ListObjects", want: "s3:ListObjects s3:ListBucket unknown 1 "},
		{name: "without_an_event_of_its_own", source: "ec2.amazonaws.com", event: "RunInstances", code: "Client.UnauthorizedOperation", message: missing("iam:PassRole"), want: "ec2:RunInstances iam:PassRole removed_permission 1 identity-based policy"},
		{name: "scp", event: "ListObjects", message: by + "s3:ListBucket on resource: x with an explicit deny in a service control policy", want: "s3:ListObjects s3:ListBucket other_policy 1 service control policy"},
		{name: "boundary", event: "ListObjects", message: by + "s3:ListBucket because no permissions boundary allows the s3:ListBucket action", want: "s3:ListObjects s3:ListBucket other_policy 1 permissions boundary"},
		{name: "explicit_deny", event: "ListObjects", message: by + "s3:ListBucket with an explicit deny in an identity-based policy", want: "s3:ListObjects s3:ListBucket other_policy 1 identity-based policy"},
		{name: "event_that_is_not_known", source: "kms.amazonaws.com", event: "Unheard", want: "kms:Unheard kms:Decrypt unknown 1 "},
		{name: "source_that_is_not_known", source: "unheard.amazonaws.com", event: "Unheard", want: "unheard:Unheard athena:StartQueryExecution,iam:PassRole,kms:Decrypt,s3:ListBucket unknown 1 "},
		{name: "last_day", event: "ListObjects", after: 14 * 24 * time.Hour, want: "s3:ListObjects s3:ListBucket unknown 1 "},
		{name: "too_late", event: "ListObjects", after: 14*24*time.Hour + time.Second},
		{name: "before_the_change", event: "ListObjects", after: -time.Second},
		{name: "in_its_second", event: "ListObjects", after: time.Millisecond},
		{name: "another_action_by_its_message", event: "ListObjects", message: missing("s3:GetBucketAcl")},
		{name: "another_action", event: "GetBucketAcl"},
		{name: "another_role", role: "other", event: "ListObjects"},
		{name: "no_denial", event: "ListObjects", code: "NoSuchBucket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := changed(t, dera.Resolved, removed...)
			role, source, code := tt.role, tt.source, tt.code
			if role == "" {
				role = "app"
			}
			if source == "" {
				source = "s3.amazonaws.com"
			}
			if code == "" {
				code = "AccessDenied"
			}
			at := start.Add(tt.after)
			if tt.after == 0 {
				at = at.Add(time.Minute)
			}
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			o := usage.New(s, nil).Watching(usage.WatchConfig{Days: 14}).Observer(usage.ObserverConfig{})
			if _, err := o.Observe(t.Context(), []usage.Message{envelope(refused("e", role, source, tt.event, code, tt.message, at), true)}); err != nil {
				t.Fatal(err)
			}
			if got := texts(t, s); !slices.Equal(got, want) {
				t.Errorf("denials: got %q, want %q", got, want)
			}
		})
	}
}

// TestWatch_twice: an event counts once, from several replicas, from the queue and from
// verified files; of a forged one, of files without a digest, and of a change that was
// rolled back nothing counts. What was denied is no use.
func TestWatch_twice(t *testing.T) {
	t.Parallel()
	event := func(id string) string {
		return refused(id, "app", "s3.amazonaws.com", "ListObjects", "AccessDenied", "", start.Add(time.Minute))
	}
	s := changed(t, dera.Resolved, "s3:ListBucket")
	var said []string
	l := usage.New(s, func() time.Time { return start.Add(time.Hour) }).Watching(usage.WatchConfig{
		Days: 14, Actor: dera.Actor{Name: "dera"}, Found: func(_ context.Context, d dera.Denial) { said = append(said, d.Text()) },
	})
	for range 2 { // replicas
		o := l.Observer(usage.ObserverConfig{})
		for range 2 {
			if _, err := o.Observe(t.Context(), []usage.Message{envelope(event("1"), true), envelope(event("1"), true), envelope(event("forged"), false), envelope(event("2"), true)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := newTrail(t)
	r.hour(t, start, event("2"), event("3"))
	r.hour(t, start.Add(time.Hour), event("3"))
	if _, err := l.Import(t.Context(), usage.ImportConfig{Keys: r.keys()}, r.dir); err != nil {
		t.Fatal(err)
	}
	forged := write(t, t.TempDir(), "a.json", logFile(event("in a file")))
	if _, err := l.Import(t.Context(), usage.ImportConfig{}, forged); err != nil {
		t.Fatal(err)
	}
	want := []string{"s3:ListObjects s3:ListBucket unknown 3 "}
	if got := texts(t, s); !slices.Equal(got, want) {
		t.Errorf("denials: got %q, want %q", got, want)
	}
	const text = "role/app was denied s3:ListBucket (call s3:ListObjects) once, at 2026-03-01T00:01:00Z, with AccessDenied: AWS does not say which policy; it may be this change"
	if len(said) != 1 || said[0] != strings.Replace(text, "once,", "2 times,", 1) {
		t.Errorf("said: got %q, want it once: %s", said, text)
	}
	act, err := l.Principal(t.Context(), watchedRole)
	if err != nil || len(act.Uses) != 2 || act.Uses[0].Count+act.Uses[1].Count != 0 || act.Uses[1].Denied == 0 {
		t.Errorf("use: got %+v, %v; want denied attempts, and no use", act, err)
	}

	undone := changed(t, dera.RolledBack, "s3:ListBucket")
	o := usage.New(undone, nil).Watching(usage.WatchConfig{Days: 14}).Observer(usage.ObserverConfig{})
	if _, err := o.Observe(t.Context(), []usage.Message{envelope(event("1"), true)}); err != nil {
		t.Fatal(err)
	}
	off := changed(t, dera.Resolved, "s3:ListBucket")
	if _, err := usage.New(off, nil).Observer(usage.ObserverConfig{}).Observe(t.Context(), []usage.Message{envelope(event("1"), true)}); err != nil {
		t.Fatal(err)
	}
	if got := append(texts(t, undone), texts(t, off)...); len(got) > 0 {
		t.Errorf("rolled back, and switched off: got %q, want nothing", got)
	}
}

// TestWatch_lost_commit: what could not be committed comes again, and counts then.
func TestWatch_lost_commit(t *testing.T) {
	t.Parallel()
	s := changed(t, dera.Applying, "s3:ListBucket")
	f := &faulty{Store: s, in: 1}
	o := usage.New(f, nil).Watching(usage.WatchConfig{Days: 14}).Observer(usage.ObserverConfig{})
	list := []usage.Message{envelope(refused("1", "app", "s3.amazonaws.com", "ListObjects", "AccessDenied", "", start.Add(time.Minute)), true)}
	if _, err := o.Observe(t.Context(), list); err == nil {
		t.Fatal("observe: got no error")
	}
	for range 2 {
		if _, err := o.Observe(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	if got := texts(t, s); len(got) != 1 || !strings.HasSuffix(got[0], " 1 ") {
		t.Errorf("denials: got %q, want one event", got)
	}
}
