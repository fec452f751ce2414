package dera_test

import (
	"testing"

	"pgregory.net/rapid"

	"dera.example/dera"
)

// TestPerson: whatever a provider chooses, another person has another name, and reads back as the same.
func TestPerson(t *testing.T) {
	t.Parallel()
	const issuer = "https://login.example.com/realms/a"
	if got, want := (dera.Person{Issuer: issuer, Subject: "auth0|1", Name: "ada@example.com"}).String(), issuer+"|auth0%7C1|ada@example.com"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := dera.Person{Issuer: issuer, Subject: rapid.StringN(1, 20, -1).Draw(t, "subject"), Name: rapid.String().Draw(t, "name")}
		if got, ok := dera.ParsePerson(p.String()); !ok || got != p {
			t.Fatalf("got %+v %t, want %+v", got, ok, p)
		}
	})
	for _, name := range []string{"", "arn:aws:sts::111122223333:assumed-role/a/b", "dera", "a|b", "a||", "|a|", "a|b|c|d", "a|%zz|"} {
		if p, ok := dera.ParsePerson(name); ok {
			t.Errorf("%q: got %+v", name, p)
		}
	}
}
