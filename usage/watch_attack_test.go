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

// undone is a store with a remediation that was rolled back ten minutes after it began.
func undone(t *testing.T) *store.Store {
	t.Helper()
	s := changed(t, dera.Resolved, "s3:ListBucket")
	r, err := s.Remediation(t.Context(), "r-1")
	if err != nil {
		t.Fatal(err)
	}
	r.State = dera.RolledBack
	for i, state := range []dera.State{dera.Applying, dera.Resolved, dera.Undoing, dera.RolledBack} {
		r.Steps = append(r.Steps, dera.Step{State: state, At: start.Add([]time.Duration{0, 1, 9, 10}[i] * time.Minute)})
	}
	if err := s.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWatch_told_late: CloudTrail tells of a denial minutes later. What a change denied before
// it was rolled back is its doing, whenever it is told; what comes after is not, and neither
// is said to be something that a rollback undoes.
func TestWatch_told_late(t *testing.T) {
	t.Parallel()
	s := undone(t)
	var said []string
	o := usage.New(s, nil).Watching(usage.WatchConfig{Days: 14, Found: func(_ context.Context, d dera.Denial) { said = append(said, d.Text()) }}).Observer(usage.ObserverConfig{})
	for _, after := range []time.Duration{11 * time.Minute, 5 * time.Minute, 12 * time.Minute} {
		event := refused(fmt.Sprint(after), "app", "s3.amazonaws.com", "ListObjects", "AccessDenied", "", start.Add(after))
		if _, err := o.Observe(t.Context(), []usage.Message{envelope(event, true)}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := texts(t, s), []string{"s3:ListObjects s3:ListBucket unknown 1 "}; !slices.Equal(got, want) {
		t.Errorf("denials: got %q, want %q", got, want)
	}
	if len(said) > 0 {
		t.Errorf("said: got %q, want nothing of what was rolled back", said)
	}
}

// TestWatch_of_somebody_else: where AWS says that somebody else was denied, such as the role
// that a service takes on, it is not the caller's denial.
func TestWatch_of_somebody_else(t *testing.T) {
	t.Parallel()
	for who, want := range map[string]int{
		"arn:aws:sts::111122223333:assumed-role/pipeline/i": 0, "arn:aws:iam::111122223333:user/path/app": 0, "arn:aws:iam::111122223333:role/other": 0,
		"arn:aws:sts::111122223333:assumed-role/app/i": 1, "arn:aws:iam::111122223333:role/path/app": 1, "arn:aws:sts::111122223333:federated-user/bob": 1, "somebody": 1,
	} {
		s := changed(t, dera.Resolved, "s3:ListBucket")
		message := "User: " + who + " is not authorized to perform: s3:ListBucket on resource: x because no identity-based policy allows the s3:ListBucket action"
		o := usage.New(s, nil).Watching(usage.WatchConfig{Days: 14}).Observer(usage.ObserverConfig{})
		if _, err := o.Observe(t.Context(), []usage.Message{envelope(refused("1", "app", "s3.amazonaws.com", "ListObjects", "AccessDenied", message, start.Add(time.Minute)), true)}); err != nil {
			t.Fatal(err)
		}
		if got := texts(t, s); len(got) != want {
			t.Errorf("%s: got %q, want %d", who, got, want)
		}
	}
}

// TestWatch_goes_on: a remediation that cannot be read, or that has more findings than a record
// can hold, does not stop the ledger from being fed.
func TestWatch_goes_on(t *testing.T) {
	t.Parallel()
	s := changed(t, dera.Resolved, "s3:ListBucket")
	r := storetest.Remediation("r-2", "sg-2", start)
	r.State, r.Covers = dera.Resolved, []dera.Extent{{Permissions: []string{"s3:ListBucket"}}}
	for i := range 5000 {
		r.Findings = append(r.Findings, fmt.Sprintf("f-%020d", i))
	}
	if err := s.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}, Watches: []dera.Watch{{Remediation: r.ID, Principal: watchedRole, Since: start}}}); err != nil {
		t.Fatal(err)
	}
	o := usage.New(torn{s}, nil).Watching(usage.WatchConfig{Days: 14}).Observer(usage.ObserverConfig{})
	if _, err := o.Observe(t.Context(), []usage.Message{envelope(refused("1", "app", "s3.amazonaws.com", "ListObjects", "AccessDenied", "", start.Add(time.Minute)), true)}); err != nil {
		t.Fatal(err)
	}
	list, err := s.Denials(t.Context())
	if err != nil || len(list) != 1 || list[0].Remediation != "r-2" {
		t.Errorf("denials: got %+v, %v; want that of the one that can be read", list, err)
	}
}

// torn is a store in which r-1 cannot be read.
type torn struct{ *store.Store }

func (s torn) Remediation(ctx context.Context, id string) (dera.Remediation, error) {
	if id == "r-1" {
		return dera.Remediation{}, fmt.Errorf("read remediations: %w", usage.ErrTorn)
	}
	return s.Store.Remediation(ctx, id)
}

// asked counts what is read.
type asked struct {
	*store.Store
	denials int
}

func (s *asked) DenialsOf(ctx context.Context, remediation string) ([]dera.Denial, error) {
	s.denials++
	return s.Store.DenialsOf(ctx, remediation)
}

// TestWatch_reads_once: what a change denied before is read once for a batch, and not for
// each of its denials.
func TestWatch_reads_once(t *testing.T) {
	t.Parallel()
	a := &asked{Store: changed(t, dera.Resolved, "s3:ListBucket")}
	o := usage.New(a, nil).Watching(usage.WatchConfig{Days: 14}).Observer(usage.ObserverConfig{})
	var list []usage.Message
	for i, code := range []string{"AccessDenied", "AccessDeniedException", "Forbidden", "NotAuthorized"} {
		list = append(list, envelope(refused(fmt.Sprint(i), "app", "s3.amazonaws.com", "ListObjects", code, "", start.Add(time.Minute)), true))
	}
	if _, err := o.Observe(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, a.Store); len(got) != 4 || a.denials != 1 {
		t.Errorf("got %q after %d reads, want 4 denials after 1", got, a.denials)
	}
}

// TestWatch_boundary: where the policy that was narrowed is the boundary of a principal too,
// the boundary that does not allow a call may be the change.
func TestWatch_boundary(t *testing.T) {
	t.Parallel()
	s := changed(t, dera.Resolved, "s3:ListBucket")
	r, err := s.Remediation(t.Context(), "r-1")
	if err != nil {
		t.Fatal(err)
	}
	r.Plan.Account = "111122223333"
	for bound, want := range map[string]string{
		"role/path/app":   "s3:ListObjects s3:ListBucket unknown 1 permissions boundary",
		"role/path/other": "s3:ListObjects s3:ListBucket other_policy 1 permissions boundary",
	} {
		s := changed(t, dera.Resolved, "s3:ListBucket")
		r.Interfaces = []string{"role/path/app", bound + dera.AsBoundary}
		if err := s.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
			t.Fatal(err)
		}
		o := usage.New(s, nil).Watching(usage.WatchConfig{Days: 14}).Observer(usage.ObserverConfig{})
		message := "User: " + watchedRole + " is not authorized to perform: s3:ListBucket because no permissions boundary allows the s3:ListBucket action"
		if _, err := o.Observe(t.Context(), []usage.Message{envelope(refused("1", "app", "s3.amazonaws.com", "ListObjects", "AccessDenied", message, start.Add(time.Minute)), true)}); err != nil {
			t.Fatal(err)
		}
		if got := texts(t, s); !slices.Equal(got, []string{want}) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestWatch_denied_before: what a principal was denied before the change too, as on a resource
// that no policy ever allowed, is not certainly the change's doing, however often it comes.
func TestWatch_denied_before(t *testing.T) {
	t.Parallel()
	const message = "User: " + watchedRole + " is not authorized to perform: s3:ListBucket on resource: x because no identity-based policy allows the s3:ListBucket action"
	s := changed(t, dera.Resolved, "s3:ListBucket")
	l := usage.New(s, nil).Watching(usage.WatchConfig{Days: 14})
	for range 2 { // replicas
		o := l.Observer(usage.ObserverConfig{})
		for _, after := range []time.Duration{-time.Hour, time.Minute, time.Hour} {
			event := refused(fmt.Sprint(after), "app", "s3.amazonaws.com", "ListObjects", "AccessDenied", message, start.Add(after))
			other := refused(fmt.Sprint(after, "v2"), "app", "s3.amazonaws.com", "ListObjectsV2", "AccessDenied", message, start.Add(after.Abs()))
			if _, err := o.Observe(t.Context(), []usage.Message{envelope(event, true), envelope(other, true)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []string{"s3:ListObjects s3:ListBucket unknown 2 identity-based policy", "s3:ListObjectsV2 s3:ListBucket removed_permission 3 identity-based policy"}
	if got := texts(t, s); !slices.Equal(got, want) {
		t.Errorf("denials: got %q, want %q", got, want)
	}
	list, err := s.Denials(t.Context())
	if err != nil || !slices.ContainsFunc(list, func(d dera.Denial) bool { return strings.HasSuffix(d.Text(), "it was denied before this change too") }) {
		t.Errorf("texts: got %v, %v", list, err)
	}
}
