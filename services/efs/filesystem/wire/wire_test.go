package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/efs/filesystem"
	"dera.example/dera/services/efs/filesystem/wire"
	"dera.example/dera/services/policies/policytest"
)

func TestWire(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: filesystem.Type(), Policy: func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) },
		ID: "fs-1", List: "DescribeFileSystems", Read: "DescribeFileSystemPolicy", Tags: "ListTagsForResource", Put: "PutFileSystemPolicy",
		Routes: map[string]string{
			"DescribeFileSystems": "GET /2015-02-01/file-systems/?", "DescribeFileSystemPolicy": "GET /2015-02-01/file-systems/[^/]+/policy", "ListTagsForResource": "GET /2015-02-01/resource-tags/.*",
			"PutFileSystemPolicy": "PUT /2015-02-01/file-systems/[^/]+/policy",
		},
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = `,"NextMarker":"` + next + `"`
			}
			return `{"FileSystems":[{"FileSystemId":"` + ids[0] + `"}]` + next + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `!PolicyNotFound`
			}
			return `{"FileSystemId":"fs-1","Policy":` + policytest.JSON(policy) + `}`
		},
		Tagged: `{"Tags":[{"Key":"team","Value":"a"}]}`,
		Written: func(body string, _ url.Values) string {
			var in map[string]any
			if json.Unmarshal([]byte(body), &in) != nil {
				return "no JSON: " + body
			}
			text, _ := in["Policy"].(string)
			return text
		},
		Gone: "FileSystemNotFound", Foreign: []string{`{}`, `{"FileSystemId":"fs-2","Policy":"{}"}`},
	}.Run(t)
}
