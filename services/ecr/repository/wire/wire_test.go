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
	suite().Run(t)
}

func suite() policytest.Suite {
	return policytest.Suite{
		Wire: wire.Wire(), Type: repository.Type(), Policy: func(c any) *resourcepolicy.Config { return &c.(*repository.Repository).Config },
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
		Named: `{"repositories":[{"repositoryName":"team/app","imageScanningConfiguration":{"scanOnPush":true},"imageTagMutability":"MUTABLE"}]}`,
		Extra: map[string]string{"PutImageScanningConfiguration": "{}", "PutImageTagMutability": "{}", "GetRegistryScanningConfiguration": `{"scanningConfiguration":{"scanType":"BASIC","rules":[]}}`},
		Gone:  "RepositoryNotFoundException", Foreign: []string{`{}`, `{"repositoryName":"other","policyText":"{}"}`},
	}
}

// TestSet: a setting is sent alone, and so is its undo.
func TestSet(t *testing.T) {
	t.Parallel()
	off := &repository.Repository{Config: resourcepolicy.Config{ID: suite().ID}, ScanOnPush: new(bool), TagMutability: "MUTABLE"}
	for path, want := range map[string]struct {
		value     any
		set, undo string
	}{
		"scan_on_push": {true, `PutImageScanningConfiguration {"imageScanningConfiguration":{"scanOnPush":true},"registryId":"111122223333","repositoryName":"team/app"}`,
			`PutImageScanningConfiguration {"imageScanningConfiguration":{},"registryId":"111122223333","repositoryName":"team/app"}`},
		"tag_mutability": {"IMMUTABLE", `PutImageTagMutability {"imageTagMutability":"IMMUTABLE","registryId":"111122223333","repositoryName":"team/app"}`,
			`PutImageTagMutability {"imageTagMutability":"MUTABLE","registryId":"111122223333","repositoryName":"team/app"}`},
	} {
		if set, undo := suite().Set(t, off, path, want.value); set != want.set || undo != want.undo {
			t.Errorf("%s: sent %s and %s, want %s and %s", path, set, undo, want.set, want.undo)
		}
	}
}
