package engine

import (
	"testing"

	"dera.example/dera"
)

// TestRelated: what is not known of two names is not taken for two people, nor for one.
func TestRelated(t *testing.T) {
	t.Parallel()
	const sts, iam = "arn:aws:sts::111122223333:", "arn:aws:iam::111122223333:"
	person := func(subject, name string) string {
		return dera.Person{Issuer: "https://login.example.com", Subject: subject, Name: name}.String()
	}
	elsewhere := dera.Person{Issuer: "https://old.example.com", Subject: "1", Name: "bob@example.com"}.String()
	const center = sts + "assumed-role/AWSReservedSSO_dev_0123456789abcdef/ada@example.com"
	const center2 = "arn:aws:sts::444455556666:assumed-role/AWSReservedSSO_ops_fedcba9876543210/Ada@example.com"
	const other = sts + "assumed-role/AWSReservedSSO_dev_0123456789abcdef/bob@example.com"
	ada := person("1", "ada@example.com")
	for _, tt := range []struct {
		a, b   string
		center bool
		want   relation
	}{
		{ada, ada, false, same},
		{ada, person("1", "renamed@example.com"), false, same},
		{ada, person("2", "ADA@example.com"), false, same},
		{ada, person("2", "bob@example.com"), false, different},
		{person("1", ""), person("2", ""), false, different},
		{ada, elsewhere, false, unknown},
		{ada, center, false, same},
		{ada, center2, false, same},
		{ada, other, false, unknown},
		{ada, other, true, different},
		{person("1", ""), other, true, unknown},
		{ada, sts + "assumed-role/admin/ada@example.com", true, same},
		{ada, sts + "assumed-role/admin/bob@example.com", true, unknown},
		{ada, iam + "user/staff/ada@example.com", true, same},
		{ada, iam + "user/bob", true, unknown},
		{ada, iam + "role/app", true, unknown},
		{ada, iam + "role/ada@example.com", true, unknown},
		{ada, "", true, unknown},
		{center, center2, false, same}, // two permission sets of one person
		{center, other, false, different},
		{iam + "user/a", iam + "user/b", false, different},
	} {
		e := &Engine{cfg: Config{CenterNames: tt.center}}
		for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			if got := e.related(pair[0], pair[1]); got != tt.want {
				t.Errorf("%s and %s, names of Identity Center %t: got %d, want %d", pair[0], pair[1], tt.center, got, tt.want)
			}
		}
	}
}
