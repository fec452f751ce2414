package engine

import (
	"context"
	"strings"

	"dera.example/dera"
	"dera.example/dera/store"
)

// ContainOrder asks that a resource is contained.
type ContainOrder struct {
	// Resource is its ARN, or its ID where Account and Region say where it is.
	Resource        string
	Account, Region string
	How             string // as the control on such requests has it, for example stop
	Reason          string
	By              dera.Actor
}

// RequestContainment records that somebody asks for a resource to be contained. It does
// nothing: a look at the resource makes the plan, which another person grants, as of what
// RequestAccess records.
func (e *Engine) RequestContainment(ctx context.Context, o ContainOrder) (dera.Access, error) {
	arn, typ, err := e.containable(o)
	if err != nil {
		return dera.Access{}, err
	}
	if err := e.configured(arn.Account()); err != nil {
		return dera.Access{}, err
	}
	switch {
	case o.By.Name == "" || o.By.How == "":
		return dera.Access{}, refused("who asks is not established")
	case strings.TrimSpace(o.Reason) == "":
		return dera.Access{}, refused("no reason is given")
	case o.How == "":
		return dera.Access{}, refused("how it is to be contained is not said")
	}
	a := dera.Access{
		ID: "a-" + strings.TrimPrefix(e.cfg.NewID(), "r-"), Principal: arn, Partition: arn.Partition(), Account: arn.Account(), Region: arn.Region(),
		Type: typ, Name: arn.Name(), Actions: []string{o.How}, Took: []string{}, Reason: o.Reason, By: o.By, At: e.cfg.Now().UTC(),
	}
	if err := e.askedBefore(ctx, a); err != nil {
		return dera.Access{}, err
	}
	rec := e.accessRecord(a, o.By)
	rec.Why = "asked for " + a.Text() + ": " + a.Reason
	return a, e.commit(ctx, store.Batch{Accesses: []dera.Access{a}, Records: []dera.AuditRecord{rec}})
}

// containable is the ARN and type of what is to be contained: a resource of a region whose
// type has a control on such requests.
func (e *Engine) containable(o ContainOrder) (dera.ARN, string, error) {
	arn := dera.ARN(o.Resource)
	for _, c := range e.cfg.Controls {
		kind, err := e.cfg.Types.Lookup(c.Type)
		if err != nil {
			return "", "", err
		}
		if !c.Gives || kind.Global {
			continue
		}
		if !strings.HasPrefix(o.Resource, "arn:") {
			return kind.ARN(dera.PartitionOf(o.Region).ID, o.Account, o.Region, o.Resource), c.Type, nil
		}
		if arn.Region() != "" && arn.Name() != "" && arn == kind.ARN(arn.Partition(), arn.Account(), arn.Region(), arn.Name()) {
			return arn, c.Type, nil
		}
	}
	return "", "", refused("%s is nothing that dera can contain: name an instance, and see that the control on such requests of its type is switched on (controls)", o.Resource)
}
