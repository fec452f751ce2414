package cloud

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// DecodeAuthorization returns what an encoded authorization message says, as JSON, with the
// credentials of dera itself. It needs sts:DecodeAuthorizationMessage.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
func (c *Client) DecodeAuthorization(ctx context.Context, message string) (string, error) {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	out, err := sts.NewFromConfig(c.base, func(o *sts.Options) {
		o.APIOptions = append(o.APIOptions, c.observe("", c.base.Region, false))
	}).DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String(message)})
	if err == nil && aws.ToString(out.DecodedMessage) == "" {
		err = errors.New("the answer has no decoded message")
	}
	if err != nil {
		return "", wrap("", c.base.Region, "sts:DecodeAuthorizationMessage", err)
	}
	return aws.ToString(out.DecodedMessage), nil
}
