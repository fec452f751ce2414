package cloudtrail

import "testing"

func TestDocument(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, source, call, request, code, want string }{
		{"object", "s3.amazonaws.com", "PutBucketPolicy", `{"bucketName":"b","bucketPolicy":{"Statement":[]}}`, "", `{"Statement":[]}`},
		{"text", "s3.amazonaws.com", "PutBucketPolicy", `{"bucketPolicy":"{\"Statement\":[]}"}`, "", `{"Statement":[]}`},
		{"none", "s3.amazonaws.com", "PutBucketPolicy", `{"bucketName":"b"}`, "", ""},
		{"failed", "s3.amazonaws.com", "PutBucketPolicy", `{"bucketPolicy":{"Statement":[]}}`, "AccessDenied", ""},
		{"another_call", "s3.amazonaws.com", "PutBucketAcl", `{"bucketPolicy":{}}`, "", ""},
		{"another_service", "sqs.amazonaws.com", "PutBucketPolicy", `{"bucketPolicy":{}}`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Record{Source: tt.source, Name: tt.call, Request: []byte(tt.request), ErrorCode: tt.code}
			if got := r.Document(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
