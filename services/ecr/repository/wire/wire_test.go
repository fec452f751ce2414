package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/ecr/repository"
	"dera.example/dera/services/ecr/repository/wire"
	"dera.example/dera/services/policies/policytest"
)

func TestWire(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: repository.Type(), Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		ID: "team/app", List: "DescribeRepositories", Read: "GetRepositoryPolicy", Tags: "ListTagsForResource", Put: "SetRepositoryPolicy", Delete: "DeleteRepositoryPolicy",
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = `,"nextToken":"` + next + `"`
			}
			return `{"repositories":[{"repositoryName":"` + ids[0] + `"}]` + next + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `!RepositoryPolicyNotFoundException`
			}
			return `{"repositoryName":"team/app","policyText":` + policytest.JSON(policy) + `}`
		},
		Tagged: `{"tags":[{"Key":"team","Value":"a"}]}`,
		Written: func(body string, _ url.Values) string {
			var in map[string]any
			if json.Unmarshal([]byte(body), &in) != nil {
				return "no JSON: " + body
			}
			text, _ := in["policyText"].(string)
			return text
		},
		Gone: "RepositoryNotFoundException", Foreign: []string{`{}`, `{"repositoryName":"other","policyText":"{}"}`},
	}.Run(t)
}
