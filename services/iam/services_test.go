package iam_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/services/iam"
)

// TestServicesOf: who may act as a role by its trust policy, services of AWS or anybody.
func TestServicesOf(t *testing.T) {
	t.Parallel()
	for principal, want := range map[string]string{
		`"Principal":{"Service":["states.eu-west-1.amazonaws.com","lambda.amazonaws.com"]}`: "lambda.amazonaws.com states.eu-west-1.amazonaws.com",
		`"Principal":"*"`:         "*",
		`"Principal":{"AWS":"*"}`: "*",
		`"NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"}`: "*",
		`"Principal":{"AWS":"arn:aws:iam::111122223333:root"}`:    "",
	} {
		got := iam.ServicesOf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + principal + `,"Action":"sts:AssumeRole"}]}`)
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: got %q, want %q", principal, got, want)
		}
	}
}
