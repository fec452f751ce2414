//go:build demo

package cloud

import (
	"context"
	"errors"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// errNoCustom: the SDK of Systems Manager would take longer to compile than the demo runs.
var errNoCustom = errors.New("custom fixes are not part of a dera that was built with the tag demo")

// BindCustom binds nothing.
func (c *Client) BindCustom(_ context.Context, _ dera.Resource, in dera.CustomInput, _ bool) (dera.CustomInput, error) {
	return in, errNoCustom
}

// StartCustom starts nothing.
func (c *Client) StartCustom(context.Context, dera.Plan, resource.Operation, string, func(context.Context) error) (run dera.CustomRun, requestID string, err error) {
	return run, "", errNoCustom
}

// CustomRun knows of no execution.
func (c *Client) CustomRun(context.Context, dera.Plan, string) (dera.CustomRun, error) {
	return dera.CustomRun{}, errNoCustom
}
