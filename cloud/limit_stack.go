package cloud

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// urgentKey marks the context of reads that a remediation makes: they have the turns of writes.
type urgentKey struct{}

// limit makes each attempt of a call wait for its turn, those that the SDK makes again too: right after the SDK
// decided on the attempt, so before the guard of a write is asked and the request is signed.
func (c *Client) limit(stack *middleware.Stack, account, region string, write bool) error {
	if c.cfg.Limits == nil {
		return nil
	}
	m := middleware.FinalizeMiddlewareFunc("dera:limit",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			key := bucketKey{account, region, strings.ToLower(middleware.GetServiceID(ctx))}
			if !unlimited(key, middleware.GetOperationName(ctx)) {
				if err := c.cfg.Limits.turn(ctx, key, write || ctx.Value(urgentKey{}) != nil); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
			}
			out, md, err := next.HandleFinalize(ctx, in)
			var api smithy.APIError
			if errors.As(err, &api) {
				if p, _ := passing(api.ErrorCode()); p == Throttled {
					c.cfg.Limits.refused(key)
				}
			}
			return out, md, err
		})
	if _, ok := stack.Finalize.Get("Retry"); ok {
		return stack.Finalize.Insert(m, "Retry", middleware.After)
	}
	return stack.Finalize.Add(m, middleware.Before)
}

// unlimited reports whether AWS takes a call as often as it comes: those on messages of dera's own queue.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
func unlimited(key bucketKey, operation string) bool {
	return key.account == "" && key.service == "sqs" && (strings.Contains(operation, "Message") || strings.Contains(operation, "Visibility"))
}
