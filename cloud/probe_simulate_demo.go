//go:build demo

package cloud

import "context"

// simulate tests nothing: only the doctor asks for it, and the SDK of IAM would
// take longer to compile than the demo runs.
func (c *Client) simulate(_ context.Context, _, _, _ string, actions []string, _ ...string) []Permission {
	return untested(actions, "the simulation of IAM is not part of a dera that was built with the tag demo")
}
