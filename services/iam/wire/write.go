package wire

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource/document"
	own "dera.example/dera/services/iam"
)

// Writer is the client that writes.
func Writer(w *cloud.Writing) *iam.Client { return iam.NewFromConfig(w.Config) }

// writes are how the operations on the policies of an identity are sent.
func (s Identities) writes() map[string]func(context.Context, *cloud.Writing) error {
	k := s.Kind
	return map[string]func(context.Context, *cloud.Writing) error{
		k.PutInline(): func(ctx context.Context, w *cloud.Writing) error {
			in, err := inlineNow(ctx, w, k)
			if err != nil {
				return err
			}
			return callsOf(k, Writer(w)).put(ctx, aws.String(in.Name), aws.String(in.Policy), aws.String(in.Document))
		},
		k.DeleteInline(): func(ctx context.Context, w *cloud.Writing) error {
			in, err := inlineNow(ctx, w, k)
			if err != nil {
				return err
			}
			return callsOf(k, Writer(w)).remove(ctx, aws.String(in.Name), aws.String(in.Policy))
		},
		k.Attach(): func(ctx context.Context, w *cloud.Writing) error {
			in, err := attachedAgain(ctx, w)
			if err != nil {
				return err
			}
			return callsOf(k, Writer(w)).attach(ctx, aws.String(in.Name), aws.String(in.Policy))
		},
		k.Detach(): func(ctx context.Context, w *cloud.Writing) error {
			in, err := attachedNow(ctx, w)
			if err != nil {
				return err
			}
			return callsOf(k, Writer(w)).detach(ctx, aws.String(in.Name), aws.String(in.Policy))
		},
	}
}

// inlineNow reads the inline policy right before it is replaced or deleted: it must be
// the one that the plan was made from.
func inlineNow(ctx context.Context, w *cloud.Writing, k own.Kind) (own.InlineInput, error) {
	in, err := cloud.Input[own.InlineInput](w.Operation)
	if err != nil {
		return in, err
	}
	now, err := InlineDocument(ctx, w.Reading, k, in.Name, in.Policy)
	if err != nil && !NoSuchEntity(err, k.Call("Get", "Policy")) {
		return in, err
	}
	if !document.SamePolicy(now, in.Expect) {
		return in, cloud.ErrMoved
	}
	return in, nil
}

// attachedAgain is attachedNow, but for a policy of AWS: what AWS has changed in it since,
// everybody who has it has got, and nobody can put back.
func attachedAgain(ctx context.Context, w *cloud.Writing) (own.AttachInput, error) {
	in, err := cloud.Input[own.AttachInput](w.Operation)
	if err == nil && dera.ARN(in.Policy).Account() != "aws" {
		return attachedNow(ctx, w)
	}
	return in, err
}

// attachedNow reads the managed policy right before it is attached or detached: it must
// say what it said when the plan was made. Else a detachment takes what someone has just
// granted, and its undo gives more than there was. The undo attaches one of AWS's as it is:
// AWS changes these for everybody who has them.
func attachedNow(ctx context.Context, w *cloud.Writing) (own.AttachInput, error) {
	in, err := cloud.Input[own.AttachInput](w.Operation)
	if err != nil {
		return in, err
	}
	now, err := managed(ctx, w.Reading, in.Policy)
	if err != nil {
		return in, err
	}
	if !document.SamePolicy(now.Document, in.Document) {
		return in, fmt.Errorf("policy %s says something else by now: %w", in.Policy, cloud.ErrMoved)
	}
	return in, nil
}
