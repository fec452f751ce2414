package cloudtrail_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// TestNamed: a resource is found by its ID, URL or ARN; where a call does not tell it, all
// are looked at.
func TestNamed(t *testing.T) {
	t.Parallel()
	by := cloudtrail.Named{Source: "ecr.amazonaws.com", Calls: []string{"SetRepositoryPolicy"}, Members: []string{"repositoryName", "resourceArn"}, InARN: "repository/"}
	arns := by
	arns.ARNOnly = true
	parts := by
	parts.Qualifier = "qualifier"
	for name, tc := range map[string]struct {
		named             cloudtrail.Named
		request, response string
		want              []string
	}{
		"by_name":          {by, `{"repositoryName":"a/b"}`, "null", []string{"a/b"}},
		"by_arn":           {by, `{"resourceArn":"arn:aws:ecr:eu-west-1:111122223333:repository/a/b"}`, "null", []string{"a/b"}},
		"by_both":          {by, `{"repositoryName":"a/b"}`, `{"resourceArn":"arn:aws:ecr:eu-west-1:111122223333:repository/a/b"}`, []string{"a/b"}},
		"by_url":           {by, `{"repositoryName":"https://x/111122223333/q"}`, "null", []string{"q"}},
		"by_a_part_of_arn": {by, `{"repositoryName":"111122223333:repository/a/b"}`, "null", []string{"a/b"}},
		"in_the_answer":    {by, "null", `{"repositoryName":"c"}`, []string{"c"}},
		"of_another_kind":  {by, `{"resourceArn":"arn:aws:ecr:eu-west-1:111122223333:public/a"}`, "null", nil},
		"of_other_service": {by, `{"resourceArn":"arn:aws:sqs:eu-west-1:111122223333:repository/a"}`, "null", nil},
		"no_name":          {by, `{"repositoryName":"two words"}`, "null", nil},
		"not_told":         {by, `{}`, "null", nil},
		"a_part_of_it":     {parts, `{"repositoryName":"a","qualifier":"live"}`, "null", []string{"a", "a:live"}},
		"arn_alone":        {arns, `{"repositoryName":"a"}`, `{"resourceArn":"arn:aws:ecr:eu-west-1:111122223333:repository/b"}`, []string{"b"}},
	} {
		r := cloudtrail.Record{Source: by.Source, Name: "SetRepositoryPolicy", Account: "111122223333", Region: "eu-west-1", Partition: "aws", Request: []byte(tc.request), Response: []byte(tc.response)}
		want := []dera.Scope{{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Type: "T"}}
		for i, id := range tc.want {
			if i > 0 {
				want = append(want, want[0])
			}
			want[i].IDs = []string{id}
		}
		if d := cmp.Diff(want, cloudtrail.NewWatch(tc.named.Events("T")).Hints(r)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
