package cloud

import (
	"context"
	"encoding/json"
	"slices"

	"dera.example/dera"
)

// Port reads what no service of AWS tells, for example a usage ledger: the answer
// for each of the resources of a scope, by ARN, in the JSON that the reader's type
// takes. One that it does not return is not known. It is safe for concurrent use.
type Port func(ctx context.Context, scope dera.Scope, of []dera.ARN) (map[dera.ARN]json.RawMessage, error)

// port reads the parts of all resources from a port. What a port that is not there,
// or that fails, would have told is unread; it hides nothing else.
func (r *Reading) port(ctx context.Context, x Reader, items []*Item) error {
	items = slices.DeleteFunc(slices.Clone(items), func(i *Item) bool { return i.missing })
	var of []dera.ARN
	for _, i := range items {
		of = append(of, i.ARN)
	}
	var answers map[dera.ARN]json.RawMessage
	var failed error
	if ask := r.client.cfg.Ports[x.Port]; ask != nil && len(of) > 0 {
		answers, failed = ask(ctx, r.Scope, of)
	}
	for _, i := range items {
		err := failed
		answer, ok := answers[i.ARN]
		if err == nil && ok {
			err = x.Take(i, answer)
		}
		if err == nil && ok {
			continue
		}
		for _, p := range x.Parts {
			i.Lost(p, err)
		}
	}
	return ctx.Err()
}
