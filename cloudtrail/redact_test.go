package cloudtrail

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRedact_removes_secrets(t *testing.T) {
	t.Parallel()
	const key = "wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY"
	for name, tc := range map[string]struct {
		event        string
		gone, stands []string
	}{
		"access_key_of_caller":  {`{"eventName":"X","userIdentity":{"accessKeyId":"AKIDSTRANGE","arn":"arn:aws:iam::1:user/a"}}`, []string{"AKIDSTRANGE"}, []string{`"arn:aws:iam::1:user/a"`, `"X"`}},
		"credentials_of_answer": {`{"responseElements":{"credentials":{"accessKeyId":"A1","sessionToken":"tok","expiration":"soon"}}}`, []string{"A1", "tok", "soon"}, []string{"responseElements"}},
		"password":              {`{"requestParameters":{"masterUserPassword":"hunter2","userName":"admin"}}`, []string{"hunter2"}, []string{"admin"}},
		"password_as_number":    {`{"requestParameters":{"password":12345678}}`, []string{"12345678"}, nil},
		"policy_document":       {`{"requestParameters":{"policyDocument":"{\"Statement\":[]}","policyArn":"arn:p"}}`, []string{"Statement"}, []string{"arn:p"}},
		"policy_object":         {`{"requestParameters":{"bucketPolicy":{"Statement":[{"Sid":"hello"}]}}}`, []string{"hello"}, nil},
		"assume_role_policy":    {`{"requestParameters":{"assumeRolePolicyDocument":"x"}}`, []string{`"x"`}, nil},
		"user_data":             {`{"requestParameters":{"userData":"IyEvYmluL3No"}}`, []string{"IyEv"}, nil},
		"key_under_plain_name":  {`{"requestParameters":{"value":"` + key + `"}}`, []string{key}, []string{"value"}},
		"key_id_in_text":        {`{"requestParameters":{"description":"use AKIAIOSFODNN7EXAMPLE please"}}`, []string{"AKIA"}, nil},
		"token_in_text":         {`{"userAgent":"x eyJhbGciOiJI.eyJzdWIiOiIx.sig"}`, []string{"eyJ"}, nil},
		"password_in_url":       {`{"requestParameters":{"url":"postgres://u:pw123@db/x"}}`, []string{"pw123"}, nil},
		"password_in_text":      {`{"errorMessage":"login failed, password=abc1"}`, []string{"abc1"}, nil},
		"pem":                   {`{"requestParameters":{"body":"-----BEGIN RSA PRIVATE KEY-----"}}`, []string{"BEGIN"}, nil},
		"json_in_text":          {`{"Type":"Notification","Message":"{\"detail\":{\"secretString\":\"s3cr\",\"eventName\":\"PutX\"}}"}`, []string{"s3cr"}, []string{"PutX"}},
		"broken_json_in_text":   {`{"Message":"{\"detail\":s3cr"}`, []string{"s3cr"}, nil},
		"secret_as_name":        {`{"requestParameters":{"` + key + `":1}}`, []string{key}, nil},
		"nul":                   {`{"a":"x\u0000y"}`, []string{"\x00", `\u0000`}, []string{"x"}},
		"environment":           {`{"requestParameters":{"environment":{"variables":{"DB":"pw9"}}}}`, []string{"pw9"}, nil},
		"broken":                {`{"eventName":"PutX","userIdentity":{"userName":"bob","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"password":"hunter2"`, []string{"AKIA", "hunter2", "bob"}, []string{"PutX", `"unreadable":true`}},
		"broken_with_key_as_id": {`{"id":"AKIAIOSFODNN7EXAMPLE","account":"111122223333"`, []string{"AKIA"}, []string{"111122223333"}},
		"plain_text":            {"the password is hunter2", []string{"hunter2"}, []string{`"bytes":23`}},
		"flags_stay":            {`{"requestParameters":{"allowUsersToChangePassword":false,"secret":null}}`, nil, []string{"false", "null"}},
		"numbers_stay":          {`{"requestParameters":{"n":9007199254740993}}`, nil, []string{"9007199254740993"}},
		"markup_stays":          {`{"errorMessage":"a<b>&c"}`, nil, []string{"a<b>&c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Redact([]byte(tc.event), 2048)
			for _, s := range tc.gone {
				if strings.Contains(got, s) {
					t.Errorf("got %s, want it without %q", got, s)
				}
			}
			for _, s := range tc.stands {
				if !strings.Contains(got, s) {
					t.Errorf("got %s, want it with %q", got, s)
				}
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("got %s, want JSON", got)
			}
		})
	}
}

func TestRedact_is_bounded(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	wide := `{"requestParameters":{"list":[` + strings.Repeat(`"ä",`, 5000) + `"ä"],"text":"` + strings.Repeat("ä b ", 5000) + `"}}`
	for _, limit := range []int{0, 3, 9, 50, 51, 52, 2048} {
		for name, event := range map[string]string{"deep": deep, "wide": wide, "text": strings.Repeat("ö", 5000), "huge": strings.Repeat("x", MaxSize+1)} {
			got := Redact([]byte(event), limit)
			if len(got) > limit || !utf8.ValidString(got) {
				t.Errorf("%s, limit %d: got %d bytes, valid UTF-8 %t", name, limit, len(got), utf8.ValidString(got))
			}
		}
	}
	if got := Redact([]byte(wide), 2048); !strings.Contains(got, "…") || len(got) > 1000 {
		t.Errorf("got %d bytes, want lists and texts cut", len(got))
	}
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte(authorize), 100)
	f.Add([]byte(`{"a":"{\"password\":\"x\"}"`), 64)
	f.Fuzz(func(t *testing.T, raw []byte, limit int) {
		limit = max(0, limit%4096)
		got := Redact(raw, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Errorf("limit %d: got %q", limit, got)
		}
		planted := `{"eventName":"X","requestParameters":{"password":"hunter2-planted","note":` + string(raw) + `}}`
		if strings.Contains(Redact([]byte(planted), MaxSize), "hunter2-planted") && !strings.Contains(string(raw), "hunter2-planted") {
			t.Errorf("got the planted password back for %q", raw)
		}
	})
}
