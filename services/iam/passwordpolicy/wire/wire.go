// Package wire reads and writes the password policy of an account on IAM.
package wire

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera/cloud"
	"dera.example/dera/services/iam/passwordpolicy"
	iamwire "dera.example/dera/services/iam/wire"
)

const get = "iam:GetAccountPasswordPolicy"

// Wire returns how the policy of an account is read and written.
func Wire() cloud.Wire {
	t := passwordpolicy.Type()
	return cloud.Wire{
		Type: passwordpolicy.Name, Parts: t.Parts, Operations: t.Operations, Find: find,
		Readers:     []cloud.Reader{{Parts: []string{passwordpolicy.PartPolicy}, Call: get, One: read}},
		Do:          map[string]func(context.Context, *cloud.Writing) error{passwordpolicy.Put: put, passwordpolicy.Delete: remove},
		Answers:     iamwire.Answers("GetAccountPasswordPolicy"),
		ConfigRules: []string{"IAM_PASSWORD_POLICY"},
	}
}

// find: an account has one, under its own ID.
func find(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
	return iamwire.Only(r, r.Scope.Account, "IAM", passwordpolicy.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account), &passwordpolicy.Policy{Account: r.Scope.Account}), nil
}

func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) (err error) {
	x.Config.(*passwordpolicy.Policy).Rules, err = rules(ctx, r)
	return err
}

// rules are those that hold: AWS's where the account has no policy of its own.
func rules(ctx context.Context, r *cloud.Reading) (passwordpolicy.Rules, error) {
	out, err := iamwire.IAM(r).GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	if err != nil {
		if err = r.Fail(get, err); iamwire.NoSuchEntity(err, get) {
			return passwordpolicy.Default(), nil
		}
		return passwordpolicy.Rules{}, err
	}
	p := out.PasswordPolicy
	if p == nil || p.MinimumPasswordLength == nil {
		return passwordpolicy.Rules{}, r.Fail(get, cloud.Foreign("it says no minimum length"))
	}
	return passwordpolicy.Rules{
		Own: true, Length: int(*p.MinimumPasswordLength), Reuse: int(aws.ToInt32(p.PasswordReusePrevention)),
		Uppercase: p.RequireUppercaseCharacters, Lowercase: p.RequireLowercaseCharacters, Numbers: p.RequireNumbers, Symbols: p.RequireSymbols,
		MaxAge: int(aws.ToInt32(p.MaxPasswordAge)), HardExpiry: aws.ToBool(p.HardExpiry), ChangeOwn: p.AllowUsersToChangePassword,
	}, nil
}

// now reads the rules right before they are replaced: they must be those that the plan
// was made from.
func now(ctx context.Context, w *cloud.Writing) (passwordpolicy.Rules, error) {
	in, err := cloud.Input[passwordpolicy.Input](w.Operation)
	if err != nil {
		return in.Rules, err
	}
	if in.Account != w.Scope.Account {
		return in.Rules, w.Fail(w.Operation.Name, fmt.Errorf("it is for the account %.20q", in.Account))
	}
	have, err := rules(ctx, w.Reading)
	if err == nil && have != in.Expect {
		err = cloud.ErrMoved
	}
	return in.Rules, err
}

// put sends all of the policy: IAM resets what it is not sent, and takes no 0 for what
// does not expire and for no earlier passwords.
func put(ctx context.Context, w *cloud.Writing) error {
	to, err := now(ctx, w)
	if err != nil {
		return err
	}
	_, err = iamwire.Writer(w).UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{
		MinimumPasswordLength: aws.Int32(int32(to.Length)), PasswordReusePrevention: positive(to.Reuse), MaxPasswordAge: positive(to.MaxAge),
		RequireUppercaseCharacters: to.Uppercase, RequireLowercaseCharacters: to.Lowercase, RequireNumbers: to.Numbers, RequireSymbols: to.Symbols,
		HardExpiry: aws.Bool(to.HardExpiry), AllowUsersToChangePassword: to.ChangeOwn,
	})
	return err
}

func positive(n int) *int32 {
	if n <= 0 {
		return nil
	}
	return aws.Int32(int32(n))
}

func remove(ctx context.Context, w *cloud.Writing) error {
	if _, err := now(ctx, w); err != nil {
		return err
	}
	_, err := iamwire.Writer(w).DeleteAccountPasswordPolicy(ctx, &iam.DeleteAccountPasswordPolicyInput{})
	return err
}
