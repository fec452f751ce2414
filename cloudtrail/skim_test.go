package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// fieldsByJSON reads the fields as encoding/json sees them, exact names only.
func fieldsByJSON(raw []byte) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

func twice(raw []byte) bool {
	d := json.NewDecoder(bytes.NewReader(raw))
	var walk func(path string) bool
	walk = func(path string) bool {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		open, _ := tok.(json.Delim)
		found := false
		names := map[string]bool{}
		for d.More() && (open == '{' || open == '[') {
			name := "*"
			if open == '{' {
				tok, err := d.Token()
				if err != nil {
					return false
				}
				name, _ = tok.(string)
				read := map[string]bool{"": true, "/userIdentity": true}[path] ||
					map[string]bool{"/userIdentity/sessionContext": true, "/userIdentity/onBehalfOf": true,
						"/userIdentity/sessionContext/sessionIssuer": true, "/userIdentity/sessionContext/attributes": true}[path]
				found = found || read && names[name] && isRead(path, name)
				names[name] = true
			}
			found = walk(path+"/"+name) || found
		}
		if open != 0 {
			_, _ = d.Token()
		}
		return found
	}
	return walk("")
}

func isRead(path, name string) bool {
	var f Fields
	var bit uint32
	switch path {
	case "":
		_, bit = f.member([]byte(name))
	case "/userIdentity":
		_, bit = f.Identity.member(inIdentity, []byte(name))
	case "/userIdentity/sessionContext":
		_, bit = f.Identity.member(inSession, []byte(name))
	case "/userIdentity/onBehalfOf":
		_, bit = f.Identity.member(inBehalf, []byte(name))
	case "/userIdentity/sessionContext/sessionIssuer":
		_, bit = f.Identity.member(inIssuer, []byte(name))
	case "/userIdentity/sessionContext/attributes":
		_, bit = f.Identity.member(inAttributes, []byte(name))
	}
	return bit != 0
}

func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// FuzzSkim holds the one-pass reader against encoding/json: what is valid gives
// the same fields, whatever stands deeper.
func FuzzSkim(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"eventName":"A","eventSource":"s"}`, `{"requestParameters":{"eventName":"B"},"eventName":"A"}`,
		`{"requestParameters":{"x":"\"eventName\":\"B\"}"},"eventName":"A\u0041"}`, `{"event\u004eame":"A"}`,
		`{"eventName":"A","eventName":"B"}`, `{"userIdentity":{"arn":"a","sessionContext":{"sessionIssuer":{"arn":"i"},"arn":"x"}}}`,
		`{"userIdentity":{"sessionContext":{"attributes":{"creationDate":"c","sessionIssuer":{"arn":"x"}}}}}`,
		`{"userIdentity":null,"readOnly":true,"a":[1,{"eventName":"x"}],"b":-1.5e3}`, ` { "eventTime" : "t" } `, `{"eventName":"\\\\\""}`,
		`{"userIdentity":{"arn":"a","arn":"b"}}`, `{"userIdentity":{"onBehalfOf":{"userId":"u","identityStoreArn":"s"}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got Fields
		err := got.Skim(raw)
		if !json.Valid(raw) {
			return // gzip's checksum and the digest prove validity
		}
		want := fieldsByJSON(raw)
		if want == nil || bytes.TrimSpace(raw)[0] != '{' {
			if err == nil {
				t.Fatalf("got no error for %q", raw)
			}
			return
		}
		if again := twice(raw); again != errors.Is(err, ErrDuplicateName) || !again && err != nil {
			t.Fatalf("got %v for %q, member twice: %t", err, raw, again)
		}
		if err != nil {
			return
		}
		identity := fieldsByJSON(want["userIdentity"])
		session, behalf := fieldsByJSON(identity["sessionContext"]), fieldsByJSON(identity["onBehalfOf"])
		issuer, attributes := fieldsByJSON(session["sessionIssuer"]), fieldsByJSON(session["attributes"])
		for _, p := range []struct {
			name      string
			got, want []byte
		}{
			{"eventID", got.ID, want["eventID"]}, {"eventTime", got.Time, want["eventTime"]}, {"eventSource", got.Source, want["eventSource"]},
			{"eventName", got.Name, want["eventName"]}, {"awsRegion", got.Region, want["awsRegion"]}, {"account", got.Account, want["recipientAccountId"]},
			{"errorCode", got.ErrorCode, want["errorCode"]}, {"request", got.Request, want["requestParameters"]}, {"readOnly", got.ReadOnly, want["readOnly"]},
			{"arn", got.Identity.ARN, identity["arn"]}, {"type", got.Identity.Type, identity["type"]}, {"issuer", got.Identity.Issuer, issuer["arn"]},
			{"created", got.Identity.Created, attributes["creationDate"]}, {"user", got.Identity.BehalfUser, behalf["userId"]},
		} {
			if !bytes.Equal(p.got, p.want) || string(Text(p.got)) != text(p.want) {
				t.Fatalf("%s: got %q, want %q of %q", p.name, p.got, p.want, raw)
			}
		}
	})
}

// slow gives a byte at a time.
type slow struct{ in io.Reader }

func (s slow) Read(p []byte) (int, error) { return s.in.Read(p[:1]) }

func TestLogReader(t *testing.T) {
	t.Parallel()
	long := `{"eventName":"long","x":"` + strings.Repeat("y", 3*minLogBuffer) + `"}`
	for _, tt := range []struct{ name, in, want, err string }{
		{"log_file", `{"Records":[{"eventName":"a"},{"eventName":"b"}]}`, "a b", ""},
		{"spaces", " {\n\"Records\" : [ {\"eventName\":\"a\"} , {\"eventName\":\"b\"} ] , \"x\":[1] }\n", "a b", ""},
		{"empty_list", `{"Records":[]}`, "", ""},
		{"empty_file", "", "", ""},
		{"array", `[{"eventName":"a"},{"eventName":"b"}]`, "a b", ""},
		{"lines", "{\"eventName\":\"a\"}\n{\"eventName\":\"b\"}", "a b", ""},
		{"two_log_files", `{"Records":[{"eventName":"a"}]}{"Records":[{"eventName":"b"}]}`, "a b", ""},
		{"records_within_a_record", `{"Records":[{"eventName":"a","requestParameters":{"Records":[{"eventName":"x"}],"eventName":"y"}}]}`, "a", ""},
		{"long_record", `{"Records":[` + long + `,{"eventName":"b"}]}`, "long b", ""},
		{"record_twice_named", `{"Records":[{"eventName":"a","eventName":"x"},{"eventName":"b"}]}`, "! b", ""},
		{"cut_off", `{"Records":[{"eventName":"a"},{"eventNa`, "a", "unexpected EOF"},
		{"cut_off_between", `{"Records":[{"eventName":"a"}`, "a", "unexpected EOF"},
		{"cut_off_behind_the_list", `{"Records":[{"eventName":"a"}]`, "a", "unexpected EOF"},
		{"not_json", `hello`, "", "neither JSON nor CSV"},
		{"broken_record", `{"Records":[{"eventName":"a"},{"eventName" "b"}]}`, "a", "not a JSON object"},
		{"number_in_the_list", `{"Records":[{"eventName":"a"},7]}`, "a", "not a JSON object"},
		{"too_large", `{"Records":[{"x":"` + strings.Repeat("y", maxLogRecord) + `"}]}`, "", "larger than"},
	} {
		for name, in := range map[string]io.Reader{"whole": strings.NewReader(tt.in), "by_bytes": slow{strings.NewReader(tt.in)}} {
			t.Run(tt.name+"_"+name, func(t *testing.T) {
				t.Parallel()
				var l LogReader
				l.Reset(in)
				var got []string
				var f Fields
				var err error
				for {
					if err = l.Next(&f); errors.Is(err, ErrDuplicateName) {
						got = append(got, "!")
						continue
					}
					if err != nil {
						break
					}
					got = append(got, string(Text(f.Name)))
				}
				if strings.Join(got, " ") != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if tt.err == "" != errors.Is(err, io.EOF) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %q", err, tt.err)
				}
			})
		}
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	const role = `"sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/path/to/deploy"}}`
	for _, tt := range []struct{ name, identity, key, kind, arn string }{
		{"root", `{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}`, "arn:aws:iam::111122223333:root", "root", "arn:aws:iam::111122223333:root"},
		{"root_without_arn", `{"type":"Root","accountId":"111122223333"}`, "arn:aws:iam::111122223333:root", "root", ""},
		{"root_by_a_service", `{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","invokedBy":"cloudformation.amazonaws.com"}`, "arn:aws:iam::111122223333:root/by-service", "root", ""},
		{"root_in_the_console", `{"type":"Root","arn":"arn:aws:iam::111122223333:root","invokedBy":"signin.amazonaws.com"}`, "arn:aws:iam::111122223333:root", "root", "arn:aws:iam::111122223333:root"},
		{"user", `{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ops/alice"}`, "arn:aws:iam::111122223333:user/alice", "user", "arn:aws:iam::111122223333:user/ops/alice"},
		{"user_with_session_token", `{"type":"IAMUser","arn":"arn:aws-cn:iam::111122223333:user/alice","sessionContext":{"sessionIssuer":{}}}`, "arn:aws-cn:iam::111122223333:user/alice", "user", "arn:aws-cn:iam::111122223333:user/alice"},
		{"role_session", `{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/i-1",` + role + `}`, "arn:aws:iam::111122223333:role/deploy", "role", "arn:aws:iam::111122223333:role/path/to/deploy"},
		{"role_session_without_issuer", `{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deploy/i-1"}`, "arn:aws:iam::111122223333:role/deploy", "role", ""},
		{"role_through_a_service", `{"type":"AssumedRole","invokedBy":"cloudformation.amazonaws.com",` + role + `}`, "arn:aws:iam::111122223333:role/deploy", "role", "arn:aws:iam::111122223333:role/path/to/deploy"},
		{"identity_center_role", `{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/alice@example.com","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"}}}`,
			"arn:aws:iam::1:role/AWSReservedSSO_Admin_0123456789abcdef", "role", "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"},
		{"federated_user", `{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/bob","sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":"arn:aws:iam::1:user/broker"}}}`, "arn:aws:iam::1:user/broker", "user", "arn:aws:iam::1:user/broker"},
		{"federated_by_root", `{"type":"FederatedUser","sessionContext":{"sessionIssuer":{"type":"Root","arn":"arn:aws:iam::1:root"}}}`, "arn:aws:iam::1:root", "root", "arn:aws:iam::1:root"},
		{"federated_alone", `{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/bob"}`, "arn:aws:sts::1:federated-user/bob", "federated", "arn:aws:sts::1:federated-user/bob"},
		{"saml", `{"type":"SAMLUser","principalId":"x:alice","userName":"alice","identityProvider":"arn:aws:iam::1:saml-provider/idp"}`, "arn:aws:iam::1:saml-provider/idp", "federated", ""},
		{"web_identity", `{"type":"WebIdentityUser","principalId":"accounts.google.com:app:user","identityProvider":"accounts.google.com"}`, "accounts.google.com", "federated", ""},
		{"web_identity_old", `{"type":"WebIdentityUser","principalId":"accounts.google.com:app:user"}`, "accounts.google.com", "federated", ""},
		{"identity_center_user", `{"type":"IdentityCenterUser","accountId":"1","onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:aws:identitystore::1:identitystore/d-1"}}`, "arn:aws:identitystore::1:identitystore/d-1/user/u-1", "identity-center", ""},
		{"service", `{"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"}`, "autoscaling.amazonaws.com", "service", ""},
		{"service_without_type", `{"invokedBy":"AWS Internal"}`, "AWS Internal", "service", ""},
		{"other_account", `{"type":"AWSAccount","principalId":"AROAEXAMPLE:session","accountId":"444455556666"}`, "account/444455556666/AROAEXAMPLE", "foreign-account", ""},
		{"anonymous", `{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}`, "anonymous", "anonymous", ""},
		{"without_type", `{"arn":"arn:aws:sts::1:assumed-role/deploy/i-1"}`, "arn:aws:iam::1:role/deploy", "role", ""},
		{"unknown_type", `{"type":"Directory","principalId":"d-1"}`, "d-1", "unknown", ""},
		{"login_with_a_wrong_name", `{"type":"IAMUser","accountId":"1","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, "", "", ""},
		{"other_account_without_any", `{"type":"AWSAccount"}`, "", "", ""},
		{"root_without_any", `{"type":"Root"}`, "", "", ""},
		{"role_without_any", `{"type":"AssumedRole"}`, "", "", ""},
		{"service_without_any", `{"type":"AWSService"}`, "", "", ""},
		{"unknown_without_any", `{"type":"Unknown","accountId":"111122223333"}`, "", "", ""},
		{"nothing", `{}`, "", "", ""},
		{"null", `null`, "", "", ""},
		{"issuer_at_a_wrong_place", `{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/deploy/i-1","sessionIssuer":{"arn":"arn:aws:iam::1:role/fake"}}`, "arn:aws:iam::1:role/deploy", "role", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var f Fields
			if err := f.Skim([]byte(`{"userIdentity":` + tt.identity + `}`)); err != nil {
				t.Fatal(err)
			}
			key, kind, arn, ok := f.Identity.Principal(nil)
			if !ok {
				if tt.key != "" {
					t.Errorf("got no principal, want %s", tt.key)
				}
				return
			}
			if string(key) != tt.key || kind.String() != tt.kind || string(arn) != tt.arn {
				t.Errorf("got %s %s %s, want %s %s %s", key, kind, arn, tt.key, tt.kind, tt.arn)
			}
			if Key(string(key)) != string(key) || len(arn) > 0 && Key(string(arn)) != string(key) {
				t.Errorf("key of %s and %s: got %s and %s", key, arn, Key(string(key)), Key(string(arn)))
			}
		})
	}
}
