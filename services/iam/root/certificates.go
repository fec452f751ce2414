package root

import (
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// Certificates finds accounts whose root user has signing certificates.
func Certificates() control.Control {
	return report{
		key: "signing-certificates", when: "the root user has a signing certificate", because: "who uses it is not known, and nobody but the root user can make it inactive",
		has: func(u *User) *bool { return u.Certificates }, why: "The account summary says that the root user has a signing certificate.",
		meta: control.Meta{
			ID:    "iam-root-certificates",
			Title: "Root user of the account has signing certificates",
			Why:   "A signing certificate (X.509) signs requests as an access key does: whoever has its private key can do what the root user can where a service still takes it.",
			Fix:   "The owner of the account makes the certificate inactive and deletes it; in an organization the management account can remove it.",
			Refs:  []control.Ref{{Standard: "IAM user guide", ID: "credentials of the root user", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html"}, iam.NIST("AC-2(1), AC-6(2), AC-6(10)")},
		},
	}.control()
}
