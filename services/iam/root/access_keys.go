package root

import (
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// AccessKeys finds accounts whose root user has access keys.
func AccessKeys() control.Control {
	return report{
		key: "access-keys", when: "the root user has an access key", because: "who uses it is not known, and nobody but the root user can make it inactive",
		has: func(u *User) *bool { return u.Keys }, why: "The account summary says that the root user has an access key.",
		meta: control.Meta{
			ID:    "iam-root-access-keys",
			Title: "Root user of the account has access keys",
			Why:   "Whoever finds the key can do everything in the account, from anywhere, without a second factor, and no policy of the account limits it.",
			Fix:   "The owner of the account finds out what uses the key, gives that a role, makes the key inactive and deletes it; in an organization the management account can remove it.",
			Refs:  []control.Ref{iam.CIS("1.3"), iam.CIS7("2.4"), iam.SecurityHub("IAM.4"), iam.ConfigRule("IAM_ROOT_ACCESS_KEY_CHECK"), iam.NIST("AC-2(1), AC-3(7), AC-3(15), AC-6, AC-6(2), AC-6(10)")},
		},
	}.control()
}
