package wire

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam/policy"
	iamwire "dera.example/dera/services/iam/wire"
)

// versionError means that the versions of a policy do not allow the operation.
type versionError struct{ why string }

// Error implements error.
func (e versionError) Error() string { return e.why }

// NothingDone tells package cloud that nothing was sent.
func (versionError) NothingDone() bool { return true }

// readNow reads the versions of a policy right before a write.
func readNow(ctx context.Context, w *cloud.Writing, id string) (*cloud.Item, error) {
	x := &cloud.Item{}
	x.ARN, x.Config = arnOf(w, id), &policy.Policy{}
	if err := readPolicy(ctx, w.Reading, x); err != nil {
		return nil, err
	}
	if err := readVersions(ctx, w.Reading, x); err != nil {
		return nil, w.Fail("iam:ListPolicyVersions", err)
	}
	return x, nil
}

// createVersion makes a version that is not in force.
func createVersion(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[policy.VersionInput](w.Operation)
	if err != nil {
		return err
	}
	return create(ctx, w, in.Policy, in.Document, false)
}

func arnOf(w *cloud.Writing, id string) dera.ARN {
	return policy.ARNOf(w.Plan.Partition, w.Plan.Account, id)
}

func create(ctx context.Context, w *cloud.Writing, id, text string, inForce bool) error {
	_, err := iamwire.Writer(w).CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
		PolicyArn: aws.String(string(arnOf(w, id))), PolicyDocument: aws.String(text), SetAsDefault: inForce,
	})
	return err
}

// deleteVersion deletes the version that says what the input says, and is not in force.
func deleteVersion(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[policy.VersionInput](w.Operation)
	if err != nil {
		return err
	}
	x, err := readNow(ctx, w, in.Policy)
	if err != nil {
		return err
	}
	v, ok := config(x).Other(in.Document, in.Version)
	if !ok {
		why := "the policy has no version that says so"
		if document.SamePolicy(config(x).Default.Document, in.Document) {
			why = "the version is in force, and IAM deletes only others"
		}
		return versionError{why}
	}
	_, err = iamwire.Writer(w).DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: aws.String(string(x.ARN)), VersionId: aws.String(v.ID)})
	return err
}

// setDefault puts the version in force that says what the input says. What is in force
// right before must be what the plan was made from. A version that someone has deleted
// is made again, which is what an undo needs.
func setDefault(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[policy.DefaultInput](w.Operation)
	if err != nil {
		return err
	}
	x, err := readNow(ctx, w, in.Policy)
	if err != nil {
		return err
	}
	c := config(x)
	if !document.SamePolicy(c.Default.Document, in.Expect) {
		return cloud.ErrMoved
	}
	if v, ok := c.Other(in.Document, ""); ok {
		_, err = iamwire.Writer(w).SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: aws.String(string(x.ARN)), VersionId: aws.String(v.ID)})
		return err
	}
	if !in.Make {
		return versionError{"the policy has no version that says so, or IAM does not show it yet"}
	}
	if n := 1 + len(c.Others); n >= policy.MostVersions {
		return versionError{fmt.Sprintf("no version of the policy says so any more, and it has %d already, which is as many as IAM keeps: delete one that is not in force", n)}
	}
	return create(ctx, w, in.Policy, in.Document, true)
}
