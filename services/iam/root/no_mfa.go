package root

import (
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// NoMFA finds accounts whose root user can sign in without a second factor.
func NoMFA() control.Control {
	return report{
		key: "mfa", when: "the root user has no MFA device, and has, or may have, a password, an access key or a signing certificate; in AWS GovCloud (US), whose console takes no root user, a password that AWS says nothing of is none", because: "nobody but the root user can add the device",
		has: func(u *User) *bool {
			if u.MFA == nil {
				return nil
			}
			missing := !*u.MFA
			return &missing
		},
		applies: func(u *User) bool { return !u.bare() },
		why:     "The account summary says that the root user has no MFA device.",
		meta: control.Meta{
			ID:    "iam-root-no-mfa",
			Title: "Root user of the account has no MFA",
			Why:   "The root user can do everything, and no policy of the account limits it. Without a second factor its password, or whoever can read its mailbox, is enough.",
			Fix:   "The owner of the account signs in as the root user and adds an MFA device, or, in an organization, removes the credentials of the root user.",
			Refs:  []control.Ref{iam.CIS("1.4"), iam.CIS7("2.5"), iam.SecurityHub("IAM.9"), iam.ConfigRule("ROOT_ACCOUNT_MFA_ENABLED"), iam.NIST("AC-2(1), AC-3(15), IA-2(1), IA-2(2), IA-2(6), IA-2(8)"), iam.PCI("8.4.2")},
		},
	}.control()
}
