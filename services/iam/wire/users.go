package wire

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
)

// UsersAtOnce is how many users a page of a sweep over their credentials has: each costs
// calls of its own, so that a page takes seconds.
const UsersAtOnce = 50

// User is a user as a page of a sweep over credentials tells it.
type User struct {
	Name string
	ARN  dera.ARN
	Tags map[string]string
}

// Users reads one page of the users of the account, with their paths and tags.
func Users(ctx context.Context, r *cloud.Reading) (list []User, next string, err error) {
	in := &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(UsersAtOnce), Filter: []types.EntityType{types.EntityTypeUser}}
	if r.Scope.Page != "" {
		in.Marker = aws.String(r.Scope.Page)
	}
	out, err := IAM(r).GetAccountAuthorizationDetails(ctx, in)
	if err == nil && out.IsTruncated && aws.ToString(out.Marker) == "" {
		err = cloud.Foreign("there is more, and it does not say where")
	}
	if err != nil {
		return nil, "", r.Fail(own.Walk, err)
	}
	for _, u := range out.UserDetailList {
		x := User{aws.ToString(u.UserName), dera.ARN(aws.ToString(u.Arn)), Tags(u.Tags)}
		if !own.UserKind.ValidName(x.Name) || x.ARN != own.UserKind.ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, aws.ToString(u.Path), x.Name) {
			return nil, "", r.Fail(own.Walk, cloud.Foreign("it has a user %.140q with the ARN %.200q", x.Name, x.ARN))
		}
		list = append(list, x)
	}
	if out.IsTruncated {
		next = *out.Marker
	}
	return list, next, nil
}

// Days are the whole days since a time; none for one to come.
func Days(since, now time.Time) int { return max(0, int(now.Sub(since)/(24*time.Hour))) }
