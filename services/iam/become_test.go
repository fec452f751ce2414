package iam_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// TestCopyName: two policies of AWS never have one name for their copies, whatever their
// paths, and each is a name that IAM takes.
func TestCopyName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("L", 126)
	of := map[string]string{}
	for _, path := range []string{"X", "service-role/X", "job-function/X", "a/b/X", long + "1", long + "2", "service-role/" + long, "job-function/" + long, strings.Repeat("p/", 200) + "X", strings.Repeat("p/", 201) + "X"} {
		arn := "arn:aws:iam::aws:policy/" + path
		name := iam.CopyName(arn, "v4")
		if other, ok := of[name]; ok {
			t.Errorf("%s and %s: both are %s", other, arn, name)
		}
		of[name] = arn
		if len(name) > 128 || !strings.HasSuffix(name, "-v4-narrowed") || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-") != "" {
			t.Errorf("%s: got %q, want a name that IAM takes", arn, name)
		}
	}
	for path, want := range map[string]string{"X": "X-v4-narrowed", "service-role/X": "service-role.X-v4-narrowed"} {
		arn := "arn:aws:iam::aws:policy/" + path
		if got := iam.CopyName(arn, "v4"); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
		if of, version, ok := iam.CopyOf("aws", want); !ok || of != arn || version != "v4" {
			t.Errorf("%s: is a copy of %s %s, %t", want, of, version, ok)
		}
	}
}

// TestCopiesOverwriteNothing: an inline policy that has the name of a copy, in whatever
// case, is somebody's own.
func TestCopiesOverwriteNothing(t *testing.T) {
	t.Parallel()
	const aws = "arn:aws:iam::aws:policy/service-role/X"
	text := granting(allow("*", "sqs:DeleteQueue", "sqs:PurgeQueue"))
	for _, name := range []string{"service-role.X-narrowed", "Service-Role.x-Narrowed"} {
		i := &iam.Identity{Name: "app", Inline: []iam.Inline{{Name: name, Document: text}}, Attached: []iam.Attached{{ARN: aws, Document: text}}}
		s := &iam.Subject{Policies: []iam.Text{{Name: name, Document: text}, {Name: aws, Document: text, Whole: iam.UnusedAWSKey + "service-role/X", AWS: true}}}
		_, refusal := i.Become(iam.RoleKind, s, []string{text, granting(allow("*", "sqs:DeleteQueue"))})
		if refusal == nil || refusal.Code != "name-taken" {
			t.Errorf("%s: got %+v, want name-taken", name, refusal)
		}
	}
}

// TestNeverLonger: on no way between two sets of inline policies are they longer than the
// longer one of both: IAM stores only so much of an identity, and refuses what is more.
func TestNeverLonger(t *testing.T) {
	t.Parallel()
	of := func(n int) string {
		var actions []string
		for i := range n {
			actions = append(actions, fmt.Sprintf("sqs:Action%03d", i))
		}
		if n == 0 {
			return ""
		}
		return granting(allow("*", actions...))
	}
	const aws = "arn:aws:iam::aws:policy/X"
	for name, sizes := range map[string]struct{ before, after []int }{
		"grows_first":     {[]int{1, 9}, []int{5, 2}},
		"grows_last":      {[]int{9, 1}, []int{2, 5}},
		"goes":            {[]int{1, 9, 4}, []int{6, 0, 5}},
		"many":            {[]int{2, 9, 3, 8, 4, 7}, []int{5, 1, 6, 0, 7, 2}},
		"only_shrinks":    {[]int{3, 9}, []int{2, 8}},
		"only_by_spaces":  {[]int{5, 5}, []int{4, 5}},
		"grows_by_so_far": {[]int{1, 1, 20}, []int{10, 10, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &role.Role{Identity: iam.Identity{Name: "app", Attached: []iam.Attached{{ARN: aws, Document: of(6)}}}}
			s, after := &iam.Subject{}, []string{of(3)}
			s.Policies = append(s.Policies, iam.Text{Name: aws, Document: of(6), Whole: iam.UnusedAWSKey + "X", AWS: true})
			for n, size := range sizes.before {
				p := fmt.Sprintf("p%d", n)
				r.Inline = append(r.Inline, iam.Inline{Name: p, Document: of(size)})
				s.Policies, after = append(s.Policies, iam.Text{Name: p, Document: of(size)}), append(after, of(sizes.after[n]))
			}
			changes, refusal := r.Become(iam.RoleKind, s, after)
			if refusal != nil {
				t.Fatalf("got %+v", refusal)
			}
			walk(t, r, changes)
		})
	}
}

// walk makes the changes and then undoes them, the last one first.
func walk(t *testing.T, r *role.Role, changes []dera.Change) {
	t.Helper()
	typ, at := role.Type(), any(r)
	sizes := []int{stored(t, at)}
	do := func(op resource.Operation) {
		t.Helper()
		next, err := typ.Apply(at, op)
		if err != nil {
			t.Fatal(err)
		}
		at = next
		sizes = append(sizes, stored(t, at))
	}
	for _, c := range changes {
		do(resource.Of(c))
	}
	done := len(sizes) - 1
	for _, c := range slices.Backward(changes) {
		undo, err := resource.OfUndo(*c.Undo, nil)
		if err != nil {
			t.Fatal(err)
		}
		do(undo)
	}
	if most := max(sizes[0], sizes[done]); slices.Max(sizes) > most {
		t.Errorf("got %v characters on the way and back, want at most %d", sizes, most)
	}
}

// stored is how many characters IAM counts of the inline policies.
func stored(t *testing.T, config any) (n int) {
	t.Helper()
	for _, p := range config.(*role.Role).Inline {
		doc, err := policy.Parse(p.Document)
		if err != nil {
			t.Fatal(err)
		}
		n += doc.Size(policy.Identity)
	}
	return n
}
