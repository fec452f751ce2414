package resourcepolicy

import "testing"

func TestOverlap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"sqs:sendmessage", "sqs:sendmessage", true},
		{"*", "sqs:sendmessage", true},
		{"sqs:s?ndmessage", "sqs:sendmessage", true},
		{"sqs:sendmessage", "sqs:send", false},
		{"kms:*withoutplaintext", "kms:generatedatakey*", true},
		{"kms:generate*", "kms:*key", true},
		{"kms:g*x", "kms:*y", false},
		{"kms:get*", "kms:generatedatakey*", false},
		{"", "*", true},
		{"", "", true},
		{"a", "", false},
	} {
		if got := overlap(tt.a, tt.b); got != tt.want {
			t.Errorf("overlap(%q, %q) = %t", tt.a, tt.b, got)
		}
		if got := overlap(tt.b, tt.a); got != tt.want {
			t.Errorf("overlap(%q, %q) = %t", tt.b, tt.a, got)
		}
	}
}
