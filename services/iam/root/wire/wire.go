// Package wire reads the root user: the account summary and the virtual MFA devices of IAM,
// which tell its credentials, and what is recorded of its use.
package wire

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/root"
	iamwire "dera.example/dera/services/iam/wire"
)

// Wire returns how root users are read.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: root.Name, Parts: root.Type().Parts, Find: find,
		Readers: []cloud.Reader{
			{Parts: []string{root.PartSummary}, Call: "iam:GetAccountSummary", One: read},
			{Parts: []string{root.PartDevices}, Call: "iam:ListVirtualMFADevices", One: readDevices},
			cloud.Ported(resource.PortLedger, []string{own.PartUse}, readUse),
			iamwire.Explained(root.Name, func(c any) **resource.Explained { return &c.(*root.User).Explained }),
		},
		Answers:     iamwire.Answers("GetAccountSummary", "ListVirtualMFADevices"),
		ConfigRules: []string{"ROOT_ACCOUNT_*", "IAM_ROOT_ACCESS_KEY_CHECK"},
	}
}

// find: an account has one.
func find(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
	partition := cloud.PartitionOf(r.Scope)
	known, _ := dera.PartitionByID(partition)
	u := &root.User{Account: r.Scope.Account, NoConsole: known.NoRootConsole}
	return iamwire.Only(r, root.ID, root.ID, root.ARNOf(partition, r.Scope.Account), u), nil
}

// read takes the summary. Whether there is a password it says only where root access can
// be managed centrally.
func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := iamwire.IAM(r).GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
	if err == nil && len(out.SummaryMap) == 0 {
		err = cloud.Foreign("the summary is empty")
	}
	if err != nil {
		return err
	}
	said := func(name string) *bool {
		n, ok := out.SummaryMap[name]
		if !ok {
			return nil
		}
		yes := n != 0
		return &yes
	}
	u := x.Config.(*root.User)
	u.Password, u.MFA = said("AccountPasswordPresent"), said("AccountMFAEnabled")
	u.Keys, u.Certificates = said("AccountAccessKeysPresent"), said("AccountSigningCertificatesPresent")
	return nil
}

// readUse asks the usage ledger. What it does not answer for is unknown, and not unused.
func readUse(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item) error {
	for _, x := range items {
		uses, err := iamwire.Used(ctx, r, ledger, []string{string(x.ARN)})
		if err != nil {
			return err
		}
		if use, ok := uses[string(x.ARN)]; ok {
			x.Config.(*root.User).Use = &use
		} else {
			x.Lost(own.PartUse, nil)
		}
	}
	return nil
}

// readDevices looks whether one of the virtual MFA devices that are in use is the root
// user's. It has several at most, whose names anybody chooses: whose one is its user tells.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html
func readDevices(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	virtual := false
	in := &iam.ListVirtualMFADevicesInput{AssignmentStatus: types.AssignmentStatusTypeAssigned, MaxItems: aws.Int32(iamwire.Most)}
	err := cloud.List(r, cloud.Listing[*iam.ListVirtualMFADevicesOutput, types.VirtualMFADevice]{
		Call: "iam:ListVirtualMFADevices", Of: "virtual MFA devices",
		Page: func(token *string) (*iam.ListVirtualMFADevicesOutput, error) {
			in.Marker = token
			return iamwire.IAM(r).ListVirtualMFADevices(ctx, in)
		},
		On: func(p *iam.ListVirtualMFADevicesOutput) ([]types.VirtualMFADevice, *string) {
			return p.VirtualMFADevices, p.Marker
		},
	}, func(d types.VirtualMFADevice) error {
		serial := aws.ToString(d.SerialNumber)
		switch {
		case d.User != nil && dera.ARN(aws.ToString(d.User.Arn)) == x.ARN, strings.HasSuffix(serial, ":mfa/root-account-mfa-device"):
			virtual = true
		case d.User == nil || aws.ToString(d.User.Arn) == "":
			return cloud.Foreign("it does not say whose the device %.140q is", serial)
		}
		return nil
	})
	if err == nil {
		x.Config.(*root.User).VirtualMFA = &virtual
	}
	return err
}
