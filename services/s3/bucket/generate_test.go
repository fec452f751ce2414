package bucket_test

import (
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/services/s3"
	"dera.example/dera/services/s3/bucket"
	"pgregory.net/rapid"
)

// request is one request of an external principal, as far as the phrases below know it.
type request struct {
	account        string // "" is without credentials
	org            string // "" is none
	action, object string
	from           netip.Addr // invalid is by the endpoint of a VPC
	tls            bool
	referer        string // "" is none
}

// phrase is one part of a policy statement: its text, and which requests of
// public requests it matches. Phrases that the oracle does not know have no fits.
type phrase struct {
	text string
	fits func(request) bool
}

func always(request) bool { return true }
func never(request) bool  { return false }

func whoPhrases() []phrase {
	return []phrase{
		{`"Principal":"*"`, always},
		{`"Principal": {"AWS": "*"}`, always},
		{`"Principal":{"AWS":["arn:aws:iam::222233334444:root","*"]}`, always},
		{`"Principal":{"AWS":"arn:aws:iam::222233334444:root"}`, never},
		{`"Principal":{"Service":"cloudtrail.amazonaws.com"}`, never},
		{`"Principal":{"AWS":["arn:aws:iam::111122223333:role/app","arn:aws:iam::222233334444:user/etl"]}`, never},
		{`"NotPrincipal":{"AWS":"arn:aws:iam::222233334444:root"}`, always},
		{`"NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/app","arn:aws:iam::111122223333:root"]}`, always},
		{`"Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`, nil},
		{`"Principal":{"AWS":"AROAEXAMPLEID12345678"}`, nil},
	}
}

func whatPhrases() []phrase {
	one := func(names ...string) func(request) bool {
		return func(r request) bool {
			return slices.ContainsFunc(names, func(n string) bool {
				prefix, wild := strings.CutSuffix(n, "*")
				return r.action == n || wild && strings.HasPrefix(r.action, prefix)
			})
		}
	}
	return []phrase{
		{`"Action":"s3:GetObject"`, one("s3:GetObject")},
		{`"Action": [ "s3:GetObject", "s3:ListBucket" ]`, one("s3:GetObject", "s3:ListBucket")},
		{`"Action":"s3:PutObject"`, one("s3:PutObject")},
		{`"Action":["s3:PutObject","s3:GetObject"]`, one("s3:PutObject", "s3:GetObject")},
		{`"Action":"s3:Get*"`, one("s3:Get*")},
		{`"Action":"s3:*"`, always},
		{`"Action":"*"`, always},
		{`"NotAction":"s3:GetObject"`, func(r request) bool { return r.action != "s3:GetObject" }},
		{`"NotAction":["s3:Get*","s3:ListBucket"]`, func(r request) bool { return !one("s3:Get*", "s3:ListBucket")(r) }},
		{`"Action":"S3:GETOBJECT*"`, nil},
	}
}

func onPhrases() []phrase {
	return []phrase{
		{`"Resource":["arn:aws:s3:::shop","arn:aws:s3:::shop/*"]`, always},
		{`"Resource":[ "arn:aws:s3:::shop/*",  "arn:aws:s3:::shop" ]`, always},
		{`"Resource":["arn:aws:s3:::shop","arn:aws:s3:::shop/private/*"]`, func(r request) bool { return !strings.HasSuffix(r.object, "/a") }},
		{`"NotResource":"arn:aws:s3:::shop/private/*"`, func(r request) bool { return !strings.Contains(r.object, "/private/") }},
		{`"Resource":["arn:aws:s3:::shop","arn:aws:s3:::shop/${aws:username}/*"]`, nil},
	}
}

// whenPhrases are conditions. The addresses of a request stand for the regions
// that the wide networks cut the internet into; of the narrow ones an external principal
// has none.
func whenPhrases() []phrase {
	in := func(list ...string) func(request) bool {
		return func(r request) bool {
			return r.from.IsValid() && slices.ContainsFunc(list, func(p string) bool { return netip.MustParsePrefix(p).Contains(r.from) })
		}
	}
	addresses := func(list ...string) phrase {
		return phrase{`{"IpAddress":{"aws:SourceIp":["` + strings.Join(list, `","`) + `"]}}`, in(list...)}
	}
	return []phrase{
		{"", always},
		{"", always},
		addresses("0.0.0.0/0"),
		addresses("0.0.0.0/1"),
		addresses("0.0.0.0/1", "128.0.0.0/1"),
		addresses("54.0.0.0/7"),
		addresses("203.0.113.0/24", "10.0.0.0/8"),
		addresses("203.0.113.0/24", "::/0"),
		{`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, always},
		{`{"NotIpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}`, func(r request) bool { return !r.from.IsValid() }},
		{`{"IpAddressIfExists":{"aws:SourceIp":"203.0.113.7"}}`, func(r request) bool { return !r.from.IsValid() }},
		{`{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`, never},
		{`{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`, always},
		{`{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`, func(r request) bool { return r.org == "" }},
		{`{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`, func(r request) bool { return r.org != "" }},
		{`{"Null":{"aws:PrincipalOrgID":"true"}}`, func(r request) bool { return r.org == "" }},
		{`{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`, never},
		{`{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`, always},
		{`{"Bool":{"aws:SecureTransport":"false"}}`, func(r request) bool { return !r.tls }},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, func(r request) bool { return r.tls }},
		{`{"StringEquals":{"aws:Referer":"hunter2"}}`, func(r request) bool { return r.referer == "hunter2" }},
		{`{"StringNotLike":{"aws:Referer":"hunter*"}}`, func(r request) bool { return !strings.HasPrefix(r.referer, "hunter") }},
		{`{"StringLike":{"aws:Referer":"*"},"Bool":{"aws:SecureTransport":"true"}}`, func(r request) bool { return r.referer != "" && r.tls }},
		{`{"StringEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}`, never},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}`, never},
		{`{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}`, nil},
		{`{"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:eu-central-1:111122223333:key/1"}}`, nil},
		{`{"StringEquals":{"s3:ExistingObjectTag/public":"yes"}}`, nil},
		{`{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:*:111122223333:accesspoint/*"}}`, nil},
		{`{"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}`, nil},
		{`{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/r-ab12/*"}}`, nil},
	}
}

// statement is drawn of phrases.
type statement struct {
	deny                bool
	who, what, on, when phrase
}

func (s statement) fits(r request) bool {
	return s.who.fits(r) && s.what.fits(r) && s.on.fits(r) && s.when.fits(r)
}

func (s statement) text() string {
	parts := []string{`"Effect":"Allow"`, s.who.text, s.what.text, s.on.text}
	if s.deny {
		parts[0] = `"Effect":"Deny"`
	}
	if s.when.text != "" {
		parts = append(parts, `"Condition": `+s.when.text)
	}
	return "{" + strings.Join(parts, ",\n   ") + "}"
}

// drawStatements draws statements; known leaves out what the oracle cannot judge.
func drawStatements(t *rapid.T, known bool, most int) []statement {
	pick := func(label string, list []phrase) phrase {
		if known {
			list = slices.DeleteFunc(list, func(p phrase) bool { return p.fits == nil })
		}
		return rapid.SampledFrom(list).Draw(t, label)
	}
	out := make([]statement, rapid.IntRange(1, most).Draw(t, "statements"))
	for i := range out {
		out[i] = statement{
			deny: rapid.IntRange(0, 3).Draw(t, "deny") == 0,
			who:  pick("who", whoPhrases()), what: pick("what", whatPhrases()), on: pick("on", onPhrases()), when: pick("when", whenPhrases()),
		}
	}
	return out
}

func policyOf(list []statement) string {
	var texts []string
	for _, s := range list {
		texts = append(texts, s.text())
	}
	return "{\"Version\": \"2012-10-17\",\n \"Statement\": [\n  " + strings.Join(texts, ",\n  ") + "\n ]\n}"
}

// drawPolicy draws a policy in one of the forms that S3 takes: an older version or
// none, one statement without a list, letters as escapes.
func drawPolicy(t *rapid.T, most int) string {
	list := drawStatements(t, false, most)
	text := policyOf(list)
	if len(list) == 1 && rapid.Bool().Draw(t, "without a list") {
		text = strings.NewReplacer("\"Statement\": [", "\"Statement\": ", "\n ]\n}", "\n}").Replace(text)
	}
	version := rapid.SampledFrom([]string{`"Version": "2012-10-17",`, `"Version": "2012-10-17",`, `"Version":"2008-10-17", "Id": "site",`, ``}).Draw(t, "version")
	text = strings.Replace(text, `"Version": "2012-10-17",`, version, 1)
	if rapid.IntRange(0, 3).Draw(t, "escaped") == 0 {
		text = strings.NewReplacer(`"*"`, `"\u002a"`, `"Effect":"Allow"`, `"Eff\u0065ct":"Allow"`, `s3:Get`, `s3:\u0047et`).Replace(text)
	}
	doc, err := policy.Parse(text)
	if err == nil {
		err = doc.Validate(policy.Resource)
	}
	if err != nil {
		t.Fatalf("S3 would refuse the drawn policy: %v\n%s", err, text)
	}
	return text
}

func drawBlock(t *rapid.T, label string) *s3.Block {
	if rapid.Bool().Draw(t, label+" is none") {
		return nil
	}
	on := func(name string) bool { return rapid.IntRange(0, 2).Draw(t, label+" "+name) > 0 }
	return &s3.Block{PublicACLs: on("BlockPublicAcls"), IgnorePublicACLs: on("IgnorePublicAcls"), PublicPolicy: on("BlockPublicPolicy"), RestrictedBuckets: on("RestrictPublicBuckets")}
}

// drawBucket draws a bucket as S3 could hold it and a reader could read it: a
// part that was not read is empty.
func drawBucket(t *rapid.T) *bucket.Bucket {
	some := func(label string, one int) bool { return rapid.IntRange(1, one).Draw(t, label) == 1 }
	b := &bucket.Bucket{
		Name: "shop", Owner: "111122223333", Region: "eu-central-1", OwnerID: "owner", Tags: map[string]string{"env": "prod"},
		Ownership: rapid.SampledFrom([]string{"", "BucketOwnerEnforced", "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"}).Draw(t, "ownership"),
		Block:     drawBlock(t, "block"), AccountBlock: drawBlock(t, "account block"),
		Website: some("website", 5),
		Grants:  []s3.Grant{{ID: "owner", Permission: "FULL_CONTROL"}},
	}
	permissions := []string{"READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"}
	for range rapid.IntRange(0, 3).Draw(t, "grants") {
		g := s3.Grant{Permission: rapid.SampledFrom(permissions).Draw(t, "permission")}
		switch rapid.IntRange(0, 3).Draw(t, "grantee") {
		case 0:
			g.URI = s3.AuthenticatedUsers
		case 1:
			g.ID = "partner"
		case 2:
			g.URI = "http://acs.amazonaws.com/groups/s3/LogDelivery"
		default:
			g.URI = s3.AllUsers
		}
		if !slices.Contains(b.Grants, g) {
			b.Grants = append(b.Grants, g)
		}
	}
	switch rapid.IntRange(0, 9).Draw(t, "policy") {
	case 0:
	case 1:
		b.Policy = rapid.SampledFrom([]string{`{"Version":`, "not a policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}`}).Draw(t, "broken policy")
	default:
		b.Policy = drawPolicy(t, 4)
	}
	if some("distribution", 6) {
		b.Origins = []string{"E1EXAMPLE"}
	}
	for _, name := range []string{"ap-a", "ap-b"} {
		if some(name, 4) {
			p := bucket.AccessPoint{Name: name, VPC: rapid.SampledFrom([]string{"", "", "vpc-1"}).Draw(t, "vpc"), Block: drawBlock(t, "access point's block")}
			if some("policy of "+name, 2) {
				p.Policy = drawPolicy(t, 2)
			}
			b.AccessPoints = append(b.AccessPoints, p)
		}
	}
	if some("denied", 6) {
		unread(b, rapid.SampledFrom(bucketParts()).Draw(t, "unread part"))
	}
	return b
}

func bucketParts() []string {
	return []string{
		bucket.PartPolicy, bucket.PartACL, bucket.PartOwnership, bucket.PartBlock, bucket.PartAccountBlock, bucket.PartTags, bucket.PartWebsite,
		bucket.PartOrigins, bucket.PartAccessPoints, bucket.PartMultiRegion,
	}
}

// unread makes the part one that dera lacks permission to read.
func unread(b *bucket.Bucket, part string) {
	b.Unread = append(b.Unread, part)
	switch part {
	case bucket.PartPolicy:
		b.Policy = ""
	case bucket.PartACL:
		b.Grants, b.OwnerID = nil, ""
	case bucket.PartOwnership:
		b.Ownership = ""
	case bucket.PartBlock:
		b.Block = nil
	case bucket.PartAccountBlock:
		b.AccountBlock = nil
	case bucket.PartTags:
		b.Tags = nil
	case bucket.PartWebsite:
		b.Website = false
	case bucket.PartOrigins:
		b.Origins = nil
	case bucket.PartAccessPoints:
		b.AccessPoints = nil
	}
}

func bucketResource(b *bucket.Bucket) dera.Resource {
	return laws().Resource(b)
}
