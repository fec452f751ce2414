// Package wire reads the root user: the account summary of IAM, which tells its
// credentials, and what is recorded of its use.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

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
			cloud.Ported(resource.PortLedger, []string{own.PartUse}, readUse),
			iamwire.Explained(root.Name, func(c any) **resource.Explained { return &c.(*root.User).Explained }),
		},
		Answers:     iamwire.Answers("GetAccountSummary"),
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
