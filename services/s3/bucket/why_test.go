package bucket_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/s3/bucket"
)

// TestBucketReviewSaysWhy: what goes to a person names who would be cut off, or what
// is to be decided.
func TestBucketReviewSaysWhy(t *testing.T) {
	t.Parallel()
	statement := func(principal, condition string) string {
		text := `{"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"`
		if condition != "" {
			text += `,"Condition":{` + condition + `}`
		}
		return text + "}"
	}
	const policyControl, block = "s3-bucket-public-policy", "s3-bucket-access-block"
	point := bucket.AccessPoint{Name: "etl", Policy: `{"Version":"2012-10-17","Statement":[` + statement(`{"AWS":"222233334444"}`, "") + `]}`}
	tests := []struct {
		name, control string
		statements    []string
		points        []bucket.AccessPoint
		want          []string
		not           string
	}{
		{"delegation_names_the_access_points", policyControl, []string{statement(`"*"`, `"StringLike":{"s3:DataAccessPointAccount":"*"}`)},
			[]bucket.AccessPoint{point, {Name: "bi", Account: "333344445555"}, {Name: "all", MultiRegion: true}}, []string{"all (multi-region), bi of account 333344445555, etl"}, ""},
		{"delegation_to_access_points_of_others", policyControl, []string{statement(`"*"`, `"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:*:*:accesspoint/*"}`)}, nil, []string{"which other accounts can have too"}, ""},
		{"access_point_with_a_policy", policyControl, []string{statement(`"*"`, "")}, []bucket.AccessPoint{point, {Name: "bare"}}, []string{"access points depends on it: etl."}, "bare"},
		{"referer", policyControl, []string{statement(`"*"`, `"StringLike":{"aws:Referer":"https://www.example.com/s3cr3t/*"}`)}, nil, []string{"aws:Referer, which the caller sends", "often means a site"}, "s3cr3t"},
		{"user_agent", policyControl, []string{statement(`"*"`, `"StringEquals":{"aws:UserAgent":"s3cr3t"}`)}, nil, []string{"aws:UserAgent, which the caller sends"}, "s3cr3t"},
		{"two_ways", policyControl, []string{statement(`{"AWS":["*","222233334444"]}`, `"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}`)}, nil, []string{"statement 1 can be narrowed in 2 ways"}, ""},
		{"named_if_it_exists", policyControl, []string{statement(`"*"`, `"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-b1b2c3d4e5"}`)}, nil, []string{"also names StringEqualsIfExists aws:PrincipalOrgID o-b1b2c3d4e5"}, ""},
		{"one_public_statement_cuts_all", block, []string{statement(`"*"`, ""), statement(`{"AWS":"arn:aws:iam::222233334444:root"}`, "")}, nil,
			[]string{"RestrictPublicBuckets would cut off anybody (statement 1); arn:aws:iam::222233334444:root (statement 2)"}, ""},
		{"readers_by_a_key_that_is_not_on_the_list", block, []string{statement(`"*"`, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222233334444:role/*"}`)}, nil,
			[]string{"cut off whoever meets ArnLike aws:PrincipalArn arn:aws:iam::222233334444:role/*"}, ""},
		{"own_account_by_condition", block, []string{statement(`"*"`, `"StringEquals":{"aws:PrincipalAccount":"111122223333"}`)}, nil, []string{"aws:PrincipalAccount is not on S3's list"}, "cut off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := &bucket.Bucket{
				Name: "shop", Owner: "111122223333", OwnerID: "owner", Region: "eu-central-1", Ownership: "BucketOwnerEnforced", AccessPoints: tt.points,
				Policy: `{"Version":"2012-10-17","Statement":[` + strings.Join(tt.statements, ",") + `]}`,
			}
			res, err := find(t, tt.control).Check(bucketResource(b), control.Settings{})
			if err != nil || len(res.Failures) != 1 {
				t.Fatalf("got %+v, %v, want one failure", res, err)
			}
			f := res.Failures[0]
			if f.Start != dera.Review {
				t.Errorf("starts at %s, want review", f.Start)
			}
			for _, text := range tt.want {
				if !strings.Contains(f.Why, text) {
					t.Errorf("why: got %q, want %q in it", f.Why, text)
				}
			}
			if tt.not != "" && strings.Contains(f.Why, tt.not) {
				t.Errorf("why: got %q, want no %q in it", f.Why, tt.not)
			}
		})
	}
}
