package policy

import (
	"errors"
	"strings"
	"testing"
)

// statement wraps members of a statement into a document of 2012.
func statement(members string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow",` + members + `}}`
}

func TestValidate_gives_the_reasons_of_aws(t *testing.T) {
	t.Parallel()
	const everything = `"Action":"*","Resource":"*"`
	resource := func(r string) string { return statement(`"Action":"s3:ListBucket","Resource":` + r) }
	action := func(a string) string { return statement(`"Action":` + a + `,"Resource":"*"`) }
	dated := func(op, d string) string {
		return statement(everything + `,"Condition":{"` + op + `":{"aws:CurrentTime":` + d + `}}`)
	}
	tests := map[string]struct {
		kind Kind
		text string
		want string
	}{
		"good":                         {Identity, statement(everything), ""},
		"boundary":                     {Boundary, statement(everything), ""},
		"session":                      {Session, statement(everything), ""},
		"no_version":                   {Identity, one(everything), ReasonVersion},
		"old_version":                  {Boundary, `{"Version":"2008-10-17",` + one(everything)[1:], ReasonVersion},
		"version_before_effect":        {Identity, strings.Replace(one(everything), "Allow", "allow", 1), ReasonVersion},
		"principal":                    {Identity, statement(everything + `,"Principal":"*"`), ReasonPrincipal},
		"not_principal_in_session":     {Session, statement(everything + `,"NotPrincipal":"*"`), ReasonPrincipal},
		"case_of_effect":               {Identity, strings.Replace(statement(everything), "Allow", "aLLow", 1), ReasonLegacy},
		"date":                         {Identity, dated("DateLessThan", `"2026-11-23T10:00:00Z"`), ""},
		"date_broken":                  {Identity, dated("DateLessThan", `["2026-01-01","soon"]`), ReasonLegacy},
		"date_if_exists_broken":        {Identity, dated("ForAnyValue:DateNotEqualsIfExists", `"2026-13-01"`), ReasonLegacy},
		"date_from_a_variable":         {Identity, dated("DateLessThan", `"${aws:TokenIssueTime}"`), ""},
		"no_date_needed":               {Identity, dated("StringEquals", `"soon"`), ""},
		"date_before_missing_action":   {Identity, statement(`"Condition":{"DateEquals":{"a":"x"}}`), ReasonLegacy},
		"same_sid":                     {Identity, `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow",` + everything + `},{"Sid":"a","Effect":"Allow"}]}`, ReasonSid},
		"empty_sids":                   {Identity, `{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow",` + everything + `},{"Sid":"","Effect":"Allow",` + everything + `}]}`, ""},
		"no_action":                    {Identity, statement(`"Resource":"*"`), ReasonNoActions},
		"empty_action":                 {Identity, statement(`"NotAction":[],"Resource":"*"`), ReasonNoActions},
		"no_resource":                  {Identity, statement(`"Action":"*"`), ReasonNoResources},
		"empty_resource":               {Identity, statement(`"Action":"*","Resource":[]`), ReasonNoResources},
		"action_without_vendor":        {Identity, action(`["s3:*","ListBucket"]`), ReasonVendor},
		"action_vendor_before_missing": {Identity, statement(`"Action":"invalid"`), ReasonVendor},
		"empty_not_action":             {Identity, statement(`"NotAction":"","Resource":"*"`), ReasonVendor},
		"two_colons":                   {Identity, action(`"s3:List:Bucket"`), ReasonColon},
		"vendor_with_blank":            {Identity, action(`"a a:ListBucket"`), "Vendor a a is not valid"},
		"vendor_with_star":             {Identity, action(`"s3*:ListBucket"`), "Vendor s3* is not valid"},
		"vendor_is_star":               {Identity, action(`"*:ListBucket"`), ""},
		"name_with_blanks":             {Identity, action(`"iam: Get User"`), ""},
		"not_an_arn":                   {Identity, resource(`["*","bucket"]`), `Resource bucket must be in ARN format or "*".`},
		"resource_before_action":       {Identity, statement(`"Action":"ListBucket","NotResource":"bucket"`), `Resource bucket must be in ARN format or "*".`},
		"partition_short":              {Identity, resource(`"a:b"`), `Partition "b" is not valid for resource "arn:b:*:*:*:*".`},
		"partition_long":               {Identity, resource(`"a:b:c:d:e:f:g:h"`), `Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".`},
		"partition_of_china":           {Identity, resource(`"arn:aws-cn:s3:::bucket"`), ""},
		"any_partition":                {Identity, resource(`"arn:*:s3:::bucket"`), ""},
		"no_vendor":                    {Identity, resource(`"arn:aws"`), "Resource vendor must be fully qualified and cannot contain regexes."},
		"short_arn":                    {Identity, resource(`"arn:aws:sqs"`), ""},
		"iam_region":                   {Identity, resource(`"arn:aws:iam:us-east-1::user/a"`), "IAM resource arn:aws:iam:us-east-1::user/a cannot contain region information."},
		"iam_path":                     {Identity, resource(`"arn:aws:iam:::alice"`), `IAM resource path must either be "*" or start with ` + iamPaths + "."},
		"iam_any":                      {Identity, resource(`["arn:aws:iam::111122223333:*","arn:aws:iam::*:role/x"]`), ""},
		"iam_short":                    {Identity, resource(`"arn:aws:iam"`), ""},
		"s3_region":                    {Identity, resource(`"arn:aws:s3:us-east-1::bucket"`), "Resource arn:aws:s3:us-east-1::bucket can not contain region information."},
		"s3_access_point":              {Identity, resource(`"arn:aws:s3:us-west-2:111122223333:accesspoint/ap"`), ""},
		"arn_breaks_off":               {Identity, resource(`"arn:aws:s3::bucket"`), ReasonLegacy},
		"arn_without_service":          {Identity, resource(`"arn:aws::::bucket"`), ReasonLegacy},
		"first_bad_resource_counts":    {Identity, resource(`["bucket","arn:aws:s3::bucket"]`), `Resource bucket must be in ARN format or "*".`},
		"second_statement_not_reached": {Identity, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"},{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3::b"}]}`, `Resource bucket must be in ARN format or "*".`},

		"trust":                       {Trust, statement(`"Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}`), ""},
		"trust_of_2008":               {Trust, one(`"Action":["STS:AssumeRole","sts:TagSession"],"Principal":"*","Condition":{}`), ""},
		"trust_with_resource":         {Trust, statement(`"Action":"sts:AssumeRole","Principal":"*","NotResource":"*"`), ReasonResource},
		"trust_without_principal":     {Trust, statement(`"Action":"sts:AssumeRole"`), ReasonNoPrincipal},
		"trust_with_other_action":     {Trust, statement(`"Action":["sts:AssumeRole","s3:GetObject"],"Principal":"*"`), ReasonAssume},
		"trust_with_not_action":       {Trust, statement(`"NotAction":"sts:AssumeRole","Principal":"*"`), ReasonAssume},
		"trust_without_action":        {Trust, statement(`"Principal":"*"`), ReasonNoActions},
		"resource_policy":             {Resource, one(everything + `,"Principal":"*"`), ""},
		"resource_policy_no_resource": {Resource, one(`"Action":"ecr:*","NotPrincipal":{"AWS":"111122223333"}`), ""},
		"resource_policy_no_caller":   {Resource, one(everything), ReasonNoPrincipal},
		"resource_policy_bare":        {Resource, one(everything + `,"Principal":"111122223333"`), ReasonSyntax},
		"trust_policy_bare":           {Trust, one(`"Action":"sts:AssumeRole","NotPrincipal":"111122223333"`), ReasonSyntax},
		"scp":                         {SCP, statement(`"NotAction":"iam:*","Resource":"arn:aws:s3:::b"`), ""},
		"scp_of_2008":                 {SCP, one(everything), ReasonRequirements},
		"scp_with_principal":          {SCP, statement(everything + `,"Principal":"*"`), ReasonRequirements},
		"scp_without_resource":        {SCP, statement(`"Action":"*"`), ReasonNoResources},
		"rcp":                         {RCP, strings.Replace(statement(`"Action":"s3:*","Resource":"*","Principal":"*"`), "Allow", "Deny", 1), ""},
		"rcp_that_allows":             {RCP, statement(everything + `,"Principal":"*"`), ReasonRequirements},
		"rcp_for_one":                 {RCP, strings.Replace(statement(everything+`,"Principal":{"AWS":"111122223333"}`), "Allow", "Deny", 1), ReasonRequirements},
		"rcp_with_not_action":         {RCP, strings.Replace(statement(`"NotAction":"s3:*","Resource":"*","Principal":"*"`), "Allow", "Deny", 1), ReasonRequirements},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := reason(tt.text, tt.kind); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestValidate_points_at_the_place(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"version":  {"{\n \"Version\": \"2008-10-17\", \"Statement\": {\"Effect\": \"Allow\"}}", `line 2, column 13: ` + ReasonVersion + ` (version is "2008-10-17")`},
		"absent":   {one(`"Action":"*"`), `line 1, column 1: ` + ReasonVersion + ` (version is "")`},
		"resource": {"{\"Version\":\"2012-10-17\",\"Statement\":\n{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":[\"*\",\n\"b\"]}}", `line 3, column 1: Resource b must be in ARN format or "*".`},
	}
	for name, tt := range tests {
		err := must(t, tt.text).Validate(Identity)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}

func TestValidate_checks_a_literal_by_its_text(t *testing.T) {
	t.Parallel()
	good := &Document{Version: Version2012, Statements: []Statement{{Effect: Deny, NotActions: []string{"iam:*"}, Resources: []string{"*"}}}}
	if err := good.Validate(SCP); err != nil {
		t.Errorf("got %v", err)
	}
	var e *Error
	bad := &Document{Version: Version2012, Statements: []Statement{{Actions: []string{"*"}}}}
	if err := bad.Validate(Identity); !errors.As(err, &e) || e.Detail != "a statement without Effect" {
		t.Errorf("got %v", err)
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	tests := map[Kind]struct {
		name  string
		limit int
	}{
		Identity: {"identity-based policy", 6144}, Boundary: {"permissions boundary", 6144}, Session: {"session policy", 2048},
		Trust: {"trust policy", 2048}, Resource: {"resource-based policy", 0}, SCP: {"service control policy", 5120},
		RCP: {"resource control policy", 5120}, Kind(99): {"unknown kind of policy", 0},
	}
	for kind, want := range tests {
		if kind.String() != want.name || kind.SizeLimit() != want.limit {
			t.Errorf("got %q %d, want %q %d", kind, kind.SizeLimit(), want.name, want.limit)
		}
	}
}

func TestValidate_refuses_an_unknown_kind(t *testing.T) {
	t.Parallel()
	if got := reason(statement(`"Action":"*","Resource":"*"`), Kind(99)); got != ReasonRequirements {
		t.Errorf("got %q, want %q", got, ReasonRequirements)
	}
}

func TestSize_counts_as_aws_does(t *testing.T) {
	t.Parallel()
	d := must(t, "{ \"Statement\" : {\n\t\"Sid\": \"a b\\\" é\", \"Effect\":\"Deny\" } }")
	for kind, want := range map[Kind]int{
		Identity: 47, // white space only within the string
		Trust:    47, Boundary: 47,
		SCP: 56, RCP: 56, Session: 56, // characters
		Resource: 57, // bytes
	} {
		if got := d.Size(kind); got != want {
			t.Errorf("%s: got %d, want %d", kind, got, want)
		}
	}
}

func TestSize_knows_where_a_string_ends(t *testing.T) {
	t.Parallel()
	const members = `"Sid":"\\\\"%s,"Effect":"Deny"`
	tight := must(t, `{"Statement":{`+strings.Replace(members, "%s", "", 1)+`}}`)
	loose := must(t, `{"Statement":{`+strings.Replace(members, "%s", "   ", 1)+`}}`)
	if a, b := tight.Size(Identity), loose.Size(Identity); a != b {
		t.Errorf("got %d and %d", a, b)
	}
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want Instant
		ok   bool
	}{
		"2016-12-13T21:20:37.593194+00:00":      {Instant{1481664037, 593194000}, true},
		"2016-12-13t21:20:37z":                  {Instant{1481664037, 0}, true},
		"2016-12-13T21:20:37":                   {Instant{1481664037, 0}, true},
		"2016-12-13T23:20+02:00":                {Instant{1481664000, 0}, true},
		"2016-12-13T16:20-05":                   {Instant{1481664000, 0}, true},
		"2016-12-13":                            {Instant{1481587200, 0}, true},
		"2016-12":                               {Instant{1480550400, 0}, true},
		"1970-01-01T00:00:00Z":                  {Instant{}, true},
		"1969-12-31T23:59:59Z":                  {Instant{-1, 0}, true},
		"2000-02-29T00:00:00Z":                  {Instant{951782400, 0}, true},
		"1600-03-01T00:00:00Z":                  {Instant{-11670912000, 0}, true},
		"01T":                                   {Instant{-62135596800, 0}, true},
		"-0001-01-01":                           {Instant{-62198755200, 0}, true},
		"1481664037":                            {Instant{1481664037, 0}, true},
		"1481664037.5":                          {Instant{1481664037, 500000000}, true},
		"1481664037593":                         {Instant{1481664037, 593000000}, true},
		"0":                                     {Instant{}, true},
		"":                                      {},
		".5":                                    {},
		"5.":                                    {},
		"+5":                                    {},
		"9223372036854775808":                   {},
		"100000000000.5":                        {},
		"soon":                                  {},
		"234-13":                                {},
		"2016-12-32":                            {},
		"2016-1-2-3":                            {},
		"292278994-01":                          {},
		"-292275055-01":                         {},
		"2016-12-13T24:00":                      {},
		"2016-12-13T10:60":                      {},
		"2016-12-13T10:00:60":                   {},
		"2016-12-13T10:00:00.1999999999":        {},
		"2016-12-13T10:00:00.":                  {},
		"2016-12-13T10:00:00+1":                 {},
		"2016-12-13T10:00:00+10:5":              {},
		"2016-12-13T10:00:00+24:00":             {},
		"2016-12-13T10:00:00+10:60":             {},
		"2016-12-13Tnoon":                       {},
		"not-a-date":                            {},
		"2016-12-13t2:00:00.593194+1":           {},
		"2016-12-13t2:00:00.1999999999+10:59":   {},
		"2016-12-13T10:00:00.593194+23":         {Instant{1481540400, 593194000}, true},
		"2017-12-31T23:59:59Z":                  {Instant{1514764799, 0}, true},
		"2024-02-29T12:00:00.000000001+00:00":   {Instant{1709208000, 1}, true},
		"2100-03-01T00:00:00Z":                  {Instant{4107542400, 0}, true},
		"9999-12-31T23:59:59.999999999Z":        {Instant{253402300799, 999999999}, true},
		"2016-12-13T21:20:37.593194+00:00:00":   {},
		"2016-12-13T21:20:37.59319400000+00:00": {},
	}
	for text, tt := range tests {
		got, ok := ParseDate(text)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: got %+v %v, want %+v %v", text, got, ok, tt.want, tt.ok)
		}
	}
	if at, ok := ParseDate("-292275054"); !ok || at.Compare(Instant{}) >= 0 {
		t.Errorf("the first year: got %+v %v", at, ok)
	}
}

func TestInstant_Compare(t *testing.T) {
	t.Parallel()
	ordered := []Instant{{-5, 0}, {-5, 1}, {0, 0}, {3, 7}, {3, 8}}
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := a.Compare(b), min(1, max(-1, i-j)); got != want {
				t.Errorf("%+v and %+v: got %d, want %d", a, b, got, want)
			}
		}
	}
}
