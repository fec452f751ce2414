package policy

import "testing"

func TestCanon_is_the_same_for_the_same_meaning(t *testing.T) {
	t.Parallel()
	tests := map[string][2]string{
		"shape_order_case_and_doubles": {
			`{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect":"Allow","Action":["S3:GetObject","s3:getobject","s3:A"],"Resource":"*"}],"Version":"2012-10-17"}`,
			`{"Version":"2012-10-17","Statement":[{"Resource":["*"],"Action":["s3:A","s3:GetObject"],"Effect":"Allow"},{"Effect":"Deny","Resource":["*"],"Action":["*"]}]}`,
		},
		"missing_version": {one(`"Action":"*"`), `{"Version":"2008-10-17",` + one(`"Action":"*"`)[1:]},
		"principals": {
			one(`"Principal":{"Service":"b","AWS":["arn:aws:iam::111122223333:root","*"]}`),
			one(`"Principal":{"AWS":["*","111122223333","111122223333"],"Service":["b"]}`),
		},
		"everybody":         {one(`"Principal":"*"`), one(`"Principal":{"AWS":["*"],"Service":[]}`)},
		"condition_keys":    {one(`"Condition":{"Bool":{"aws:SecureTransport":"True"},"Null":{"A":[true]}}`), one(`"Condition":{"Null":{"a":"TRUE"},"Bool":{"AWS:securetransport":true}}`)},
		"empty_conditions":  {one(`"Condition":{"Bool":{}},"Action":"*"`), one(`"Action":"*"`)},
		"two_spellings":     {one(`"Condition":{"StringLike":{"a":"1","A":"2"}}`), one(`"Condition":{"StringLike":{"A":"2","a":["1"]}}`)},
		"null_in_a_list":    {one(`"Resource":["*",null]`), one(`"Resource":"*"`)},
		"bool_from_context": {one(`"Condition":{"Bool":{"a":"${aws:X}"}}`), one(`"Condition":{"Bool":{"A":["${aws:X}"]}}`)},
	}
	for name, pair := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := must(t, pair[0]), must(t, pair[1])
			if a.Canon() != b.Canon() {
				t.Errorf("got  %s\nand  %s", a.Canon(), b.Canon())
			}
			if again := must(t, a.Canon()); again.Canon() != a.Canon() {
				t.Errorf("not stable: %s, then %s", a.Canon(), again.Canon())
			}
		})
	}
}

func TestCanon_differs_for_another_meaning(t *testing.T) {
	t.Parallel()
	tests := map[string][2]string{
		"version":           {statement(`"Action":"*"`), one(`"Action":"*"`)},
		"id":                {one(`"Action":"*"`), `{"Id":"a",` + one(`"Action":"*"`)[1:]},
		"sid":               {one(`"Action":"*"`), one(`"Action":"*","Sid":"a"`)},
		"case_of_resource":  {one(`"Resource":"arn:aws:s3:::a"`), one(`"Resource":"arn:aws:s3:::A"`)},
		"absent_and_empty":  {one(`"Sid":"a"`), one(`"Sid":"a","Action":[]`)},
		"case_of_a_value":   {one(`"Condition":{"StringEquals":{"a":"x"}}`), one(`"Condition":{"StringEquals":{"a":"X"}}`)},
		"operator":          {one(`"Condition":{"StringEquals":{"a":"x"}}`), one(`"Condition":{"StringLike":{"a":"x"}}`)},
		"number_of_a_rule":  {one(`"Action":"*"`), `{"Statement":[{"Effect":"Allow","Action":"*"},{"Effect":"Allow","Action":"*"}]}`},
		"kind_of_principal": {one(`"Principal":{"AWS":"*"}`), one(`"Principal":{"Federated":"*"}`)},
	}
	for name, pair := range tests {
		if a, b := must(t, pair[0]).Canon(), must(t, pair[1]).Canon(); a == b {
			t.Errorf("%s: both are %s", name, a)
		}
	}
}

func TestRootAccount(t *testing.T) {
	t.Parallel()
	for principal, want := range map[string]string{
		"111122223333":                          "111122223333",
		"arn:aws:iam::111122223333:root":        "111122223333",
		"arn:aws-cn:iam::111122223333:root":     "111122223333",
		"arn:aws:iam::111122223333:user/root":   "",
		"arn:aws:iam::111122223333:role/x:root": "",
		"arn:aws:iam:::root":                    "",
		"AIDAEXAMPLE":                           "",
		"*":                                     "",
		"":                                      "",
		"arn:aws:sts::111122223333:root":        "",
		"arn:aws:iam::111122223333:root/elsewhere": "",
	} {
		got, ok := RootAccount(principal)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q %v, want %q", principal, got, ok, want)
		}
	}
}
