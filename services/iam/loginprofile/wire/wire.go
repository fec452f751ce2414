// Package wire reads the passwords of users for the console from IAM.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/loginprofile"
	iamwire "dera.example/dera/services/iam/wire"
)

const getProfile = "iam:GetLoginProfile"

// Wire returns how passwords are read.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: loginprofile.Name, Parts: loginprofile.Type().Parts, Find: find, Sample: sample, Unread: unread, AtOnce: 4, Times: 5,
		// Only the answer about the password says that there is none.
		Gone: func(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
			return iamwire.NoSuchEntity(err, getProfile)
		},
		Readers: []cloud.Reader{
			{Parts: []string{loginprofile.PartProfile}, Call: getProfile, One: readProfile},
			{Parts: []string{loginprofile.PartUse}, Call: "iam:GetUser", One: readUse},
			{Parts: []string{loginprofile.PartMFA}, Call: "iam:ListMFADevices", One: readMFA},
		},
		Answers:     iamwire.Answers("GetAccountAuthorizationDetails", "GetLoginProfile", "GetUser", "ListMFADevices"),
		ConfigRules: []string{"MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS", "IAM_USER_MFA_ENABLED"},
	}
}

// find returns the users on one page of the account's, or those that are named. Each costs
// a call, and each that has a password two more: 5,000 users are 100 pages of at most 151
// calls.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	if r.Scope.Sweep() {
		users, next, err := iamwire.Users(ctx, r)
		if err != nil {
			return found, err
		}
		for _, u := range users {
			found.Items = append(found.Items, item(r, u.Name, u.ARN, u.Tags))
		}
		found.Next = next
		return found, nil
	}
	for _, id := range r.Scope.IDs {
		name, ok := loginprofile.UserOf(id)
		if !ok {
			found.Missing = append(found.Missing, id)
			continue
		}
		e, err := iamwire.Get(ctx, r, own.UserKind, name)
		if iamwire.NoSuchEntity(err, "iam:GetUser") {
			found.Missing = append(found.Missing, id)
			continue
		}
		if err != nil {
			return cloud.Found{}, err
		}
		found.Items = append(found.Items, item(r, name, e.ARN, e.Tags))
	}
	return found, nil
}

func item(r *cloud.Reading, user string, arn dera.ARN, tags map[string]string) *cloud.Item {
	x := cloud.NewItem(r, loginprofile.IDOf(user), user, loginprofile.ARNOf(arn), &loginprofile.Login{User: user, Tags: tags})
	x.Tags = tags
	return x
}

// readProfile asks whether the user has a password, and since when.
func readProfile(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	l := x.Config.(*loginprofile.Login)
	out, err := iamwire.IAM(r).GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: aws.String(l.User)})
	if err == nil && (out.LoginProfile == nil || aws.ToString(out.LoginProfile.UserName) != l.User || out.LoginProfile.CreateDate == nil) {
		err = cloud.Foreign("it is not about the password of the user %.70q", l.User)
	}
	if err != nil {
		return err
	}
	days := iamwire.Days(*out.LoginProfile.CreateDate, r.At)
	l.Idle = &days
	return nil
}

// readUse takes the last use, which IAM tells of the user: of an earlier password too.
func readUse(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	l := x.Config.(*loginprofile.Login)
	e, err := iamwire.Get(ctx, r, own.UserKind, l.User)
	if err != nil || e.PasswordUsed.IsZero() || l.Idle == nil {
		return err
	}
	if days := iamwire.Days(e.PasswordUsed, r.At); days <= *l.Idle {
		l.Idle, l.Used = &days, true
	}
	return nil
}

// readMFA counts the MFA devices of the user.
func readMFA(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	l, n := x.Config.(*loginprofile.Login), 0
	err := cloud.List(r, cloud.Listing[*iam.ListMFADevicesOutput, types.MFADevice]{
		Call: "iam:ListMFADevices", Of: "MFA devices",
		Page: func(token *string) (*iam.ListMFADevicesOutput, error) {
			return iamwire.IAM(r).ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: aws.String(l.User), Marker: token})
		},
		On: func(p *iam.ListMFADevicesOutput) ([]types.MFADevice, *string) { return p.MFADevices, p.Marker },
	}, func(d types.MFADevice) error {
		if aws.ToString(d.SerialNumber) == "" || aws.ToString(d.UserName) != l.User {
			return cloud.Foreign("it has an MFA device of the user %.70q", aws.ToString(d.UserName))
		}
		n++
		return nil
	})
	if err != nil {
		return err
	}
	l.MFA = &n
	return nil
}

// unread: of a user of whom it is not known whether there is a password, nothing counts.
func unread(config any, part string) {
	l := config.(*loginprofile.Login)
	if part != loginprofile.PartMFA {
		l.Idle, l.Used = nil, false
	}
	if part != loginprofile.PartUse {
		l.MFA = nil
	}
}

// sample returns one of the first users.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	users, _, err := iamwire.Users(ctx, r)
	if err != nil || len(users) == 0 {
		return "", err
	}
	return loginprofile.IDOf(users[0].Name), nil
}
