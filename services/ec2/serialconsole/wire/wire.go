// Package wire reads and writes access to the serial console of EC2 instances.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"dera.example/dera/cloud"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ec2/serialconsole"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how access is read and written: one call a region.
func Wire() cloud.Wire {
	k := serialconsole.Kind()
	w := shared.Regional(k, cloud.Reader{Parts: []string{regional.PartState}, Call: k.Reads[0], One: read})
	w.Do = map[string]func(context.Context, *cloud.Writing) error{serialconsole.Enable: enable, serialconsole.Disable: disable}
	return w
}

func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).GetSerialConsoleAccessStatus(ctx, &ec2.GetSerialConsoleAccessStatusInput{})
	if err == nil && out.SerialConsoleAccessEnabled == nil {
		err = cloud.Foreign("it says neither on nor off")
	}
	if err != nil {
		return err
	}
	state := serialconsole.Disabled
	if *out.SerialConsoleAccessEnabled {
		state = serialconsole.Enabled
	}
	return shared.SetState(x, state, string(out.ManagedBy))
}

func enable(ctx context.Context, w *cloud.Writing) error {
	_, err := ec2.NewFromConfig(w.Config).EnableSerialConsoleAccess(ctx, &ec2.EnableSerialConsoleAccessInput{DryRun: aws.Bool(w.Dry)})
	return err
}

func disable(ctx context.Context, w *cloud.Writing) error {
	_, err := ec2.NewFromConfig(w.Config).DisableSerialConsoleAccess(ctx, &ec2.DisableSerialConsoleAccessInput{DryRun: aws.Bool(w.Dry)})
	return err
}
