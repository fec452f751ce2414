package services

import (
	"testing"

	"dera.example/dera"
)

// TestIDOf: of the ARN that a type makes of an ID the type tells the ID, and no other type
// another resource.
func TestIDOf(t *testing.T) {
	t.Parallel()
	told := 0
	for _, typ := range Types().Types() {
		for _, id := range typ.SampleIDs {
			arn := typ.ARN("aws", "111122223333", "eu-west-1", id)
			got, ok := typ.IDOf(arn)
			if ok && got != id && typ.ARN("aws", "111122223333", "eu-west-1", got) != arn { // a region has one of some types, whatever the ID
				t.Errorf("%s: got %q of %s, want %q", typ.Name, got, arn, id)
			}
			if ok {
				told++
			}
		}
		for _, arn := range []dera.ARN{"", "arn:aws:ec2", "arn:aws:kinesis:eu-west-1:111122223333:stream/s", "arn:aws:ec2:eu-west-1:111122223333:security-group/*", "x"} {
			if id, ok := typ.IDOf(arn); ok {
				t.Errorf("%s: got %q of %q", typ.Name, id, arn)
			}
		}
	}
	if told < 40 {
		t.Errorf("%d IDs were told: the test asks nothing", told)
	}
}
