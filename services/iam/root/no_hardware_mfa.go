package root

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// NoHardwareMFA finds accounts whose root user can sign in with a virtual MFA device.
func NoHardwareMFA() control.Control {
	return report{
		key: "virtual-mfa", when: "the root user has MFA, and one of its devices is a virtual one", because: "nobody but the root user can change its devices", severity: dera.High,
		has: func(u *User) *bool {
			switch {
			case !u.protected():
				return new(bool)
			case u.MFA == nil && (u.VirtualMFA == nil || no(u.VirtualMFA)):
				return nil
			}
			return u.VirtualMFA
		},
		applies: (*User).protected,
		unknown: "the account summary does not have it, or the virtual MFA devices could not be read",
		why:     "A virtual MFA device is registered for the root user.",
		meta: control.Meta{
			ID:    "iam-root-no-hardware-mfa",
			Title: "Root user of the account has a virtual MFA device",
			Why:   "A virtual device is a secret on a phone or in a password manager: it is copied with a backup, and its codes can be given away on a false page. A hardware device or a passkey cannot.",
			Fix: "The owner of the account signs in as the root user, adds a hardware device or a passkey, and removes the virtual devices; in an organization the credentials of the root user can be " +
				"removed instead. AWS lists no hardware device of the root user: where there is one beside a virtual one, that is found too, as the virtual one is enough to sign in.",
			Refs: []control.Ref{iam.CIS("1.5"), iam.CIS7("2.6"), iam.SecurityHub("IAM.6"), iam.ConfigRule("ROOT_ACCOUNT_HARDWARE_MFA_ENABLED"), iam.NIST("AC-2(1), AC-3(15), IA-2(1), IA-2(2), IA-2(6), IA-2(8)"), iam.PCI("8.4.2")},
		},
	}.control()
}

// protected reports whether the user can sign in, as far as is known, and has MFA, or
// nobody says that it has not.
func (u *User) protected() bool { return !u.bare() && !no(u.MFA) }
