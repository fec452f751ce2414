// Package wire is what the wires of RDS's snapshots share.
package wire

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/sharing"
)

// PageSize is how many snapshots stand on a page: the list of each is one call more.
const PageSize = 100

// Manual is the type of the snapshots that can be shared: RDS shares no automated ones and
// none of AWS Backup.
const Manual = "manual"

// Restore is the attribute that says who may restore a snapshot.
const Restore = "restore"

// RDS returns the reading client of the scope's account and region.
func RDS(r *cloud.Reading) *rds.Client {
	return cloud.Service(r, "rds", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *rds.Client { return rds.NewFromConfig(cfg) })
}

// Answers are the shapes of RDS's answers.
func Answers() map[string]cloud.Shape {
	return map[string]cloud.Shape{"RDS": {Root: "*Response", Space: "http://rds.amazonaws.com/doc/"}}
}

// Snapshot is a snapshot as a listing tells it; it is its owner's by its ARN.
func Snapshot(id, arn, engine *string, encrypted *bool, list []types.Tag) (cloud.Owned, error) {
	parts := strings.SplitN(aws.ToString(arn), ":", 7)
	if len(parts) < 7 || encrypted == nil {
		return cloud.Owned{}, cloud.Foreign("it leaves out whose a snapshot is, or whether it is encrypted")
	}
	var tags map[string]string
	for _, t := range list {
		if tags == nil {
			tags = map[string]string{}
		}
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return cloud.Owned{ID: aws.ToString(id), Owner: parts[4], Tags: tags, Config: &sharing.Shared{ID: aws.ToString(id), Of: aws.ToString(engine), Encrypted: *encrypted, Tags: tags}}, nil
}

// Attribute is one attribute of a snapshot.
type Attribute struct {
	Name   *string
	Values []string
}

// SetList takes the list from the attributes that an answer tells of a snapshot. One without
// the attribute restore is no answer.
func SetList(x *cloud.Item, of *string, attributes []Attribute) (err error) {
	for _, a := range attributes {
		if aws.ToString(of) == x.ID && aws.ToString(a.Name) == Restore {
			x.Config.(*sharing.Shared).With, err = sharing.Sorted(a.Values)
			return err
		}
	}
	return cloud.Foreign("it does not say with whom %.80q is shared", x.ID)
}
