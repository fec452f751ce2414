package cloud_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

// TestDecodeAuthorization: what STS decodes is returned; a denied decoding, and an answer
// without a message, is an error that does not repeat the message.
func TestDecodeAuthorization(t *testing.T) {
	t.Parallel()
	const secret, decoded = "6h34GtpmGjJJUm946eDVBfzWQJk6z5GePbbGDs9Z2T8xZj9EZtEduSnTbmrR7pMqpJrVYJCew2m8YBZQf4HRWEtrpncANrZMsnzk", `{"allowed":false}`
	answer := func(text string) string {
		return `<DecodeAuthorizationMessageResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><DecodeAuthorizationMessageResult><DecodedMessage>` + html.EscapeString(text) +
			`</DecodedMessage></DecodeAuthorizationMessageResult></DecodeAuthorizationMessageResponse>`
	}
	tests := []struct {
		name   string
		status int
		body   string
		want   string
		is     func(error) bool
	}{
		{"decoded", 200, answer(decoded), decoded, nil},
		{"no_message", 200, answer(""), "", func(err error) bool { return err != nil }},
		{"denied", 403, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is not authorized to perform: sts:DecodeAuthorizationMessage</Message></Error></ErrorResponse>`, "",
			func(err error) bool { return cloud.Is(err, cloud.Denied) }},
		{"not_encoded", 400, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidAuthorizationMessageException</Code><Message>Message is not valid.</Message></Error></ErrorResponse>`, "",
			func(err error) bool { return err != nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(*cloud.Config) {})
			f.Wire.Answer = func(form url.Values) *http.Response {
				if form.Get("Action") != "DecodeAuthorizationMessage" || form.Get("EncodedMessage") != secret {
					return nil
				}
				return cloudtest.Answer(tt.status, tt.body)
			}
			got, err := f.DecodeAuthorization(t.Context(), secret)
			if got != tt.want || (tt.is == nil) != (err == nil) || tt.is != nil && !tt.is(err) {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error repeats the message: %v", err)
			}
		})
	}
}
