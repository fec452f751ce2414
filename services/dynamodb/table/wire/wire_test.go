package wire_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/dynamodb/table"
	"dera.example/dera/services/dynamodb/table/wire"
	"dera.example/dera/services/policies/policytest"
)

func TestWire(t *testing.T) {
	t.Parallel()
	suite().Run(t)
}

func suite() policytest.Suite {
	return policytest.Suite{
		Wire: wire.Wire(), Type: table.Type(), Policy: func(c any) *resourcepolicy.Config { return &c.(*table.Table).Config },
		ID: "orders", List: "ListTables", Read: "GetResourcePolicy", Tags: "ListTagsOfResource", Put: "PutResourcePolicy", Delete: "DeleteResourcePolicy",
		Listed: func(ids []string, next string) string {
			if next != "" {
				next = `,"LastEvaluatedTableName":"` + next + `"`
			}
			return `{"TableNames":["` + ids[0] + `"]` + next + `}`
		},
		Tell: func(policy string) string {
			if policy == "" {
				return `!PolicyNotFoundException`
			}
			return `{"Policy":` + policytest.JSON(policy) + `}`
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
		Extra: map[string]string{"UpdateTable": "{}", "UpdateContinuousBackups": "{}",
			"DescribeTable":             `{"Table":{"TableArn":"arn:aws:dynamodb:us-east-1:111122223333:table/orders","TableStatus":"ACTIVE"}}`,
			"DescribeContinuousBackups": `{"ContinuousBackupsDescription":{"PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"DISABLED"}}}`,
		},
		Gone: "ResourceNotFoundException", Foreign: []string{`{}`, `{"Policy":""}`},
	}
}

// TestSet: a setting is sent alone, and so is its undo.
func TestSet(t *testing.T) {
	t.Parallel()
	off := &table.Table{Config: resourcepolicy.Config{ID: suite().ID}, DeletionProtection: new(bool), PointInTime: new(bool)}
	for path, want := range map[string]struct {
		value     any
		set, undo string
	}{
		"deletion_protection": {true, `UpdateTable {"DeletionProtectionEnabled":true,"TableName":"orders"}`, `UpdateTable {"DeletionProtectionEnabled":false,"TableName":"orders"}`},
		"point_in_time_recovery": {true, `UpdateContinuousBackups {"PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true},"TableName":"orders"}`,
			`UpdateContinuousBackups {"PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":false},"TableName":"orders"}`},
	} {
		if set, undo := suite().Set(t, off, path, want.value); set != want.set || undo != want.undo {
			t.Errorf("%s: sent %s and %s, want %s and %s", path, set, undo, want.set, want.undo)
		}
	}
}
