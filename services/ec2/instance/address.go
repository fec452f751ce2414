package instance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// The writes of Elastic IP addresses, by their IAM actions.
const (
	Associate    = "ec2:AssociateAddress"
	Disassociate = "ec2:DisassociateAddress"
)

// addressNote is what people must know of a plan that takes an Elastic IP address off.
//
// EC2 user guide, "Elastic IP addresses" and "Public IPv4 addresses".
const addressNote = "The address stays allocated, and is billed while it is on nothing. Connections to it break at once, and so does the way out to the internet where there is no NAT gateway. " +
	"AWS assigns another public address to an instance with one interface that was launched with one: then it is found again, for a person. " +
	"Whether a name of DNS, an allowlist elsewhere, a load balancer or another network uses the address is not read."

// AddressInput is version 1 of the input of Disassociate and, without an association, of
// Associate.
type AddressInput struct {
	Resource    string  `json:"resource"` // the ID of the instance
	Address     Address `json:"address"`
	Association string  `json:"association,omitempty"`
}

func addressOperations() []resource.Operator[Instance] {
	of := func(in AddressInput) (string, error) {
		if in.Address.Allocation == "" || in.Address.Interface == "" {
			return "", errors.New("the operation names no allocation or no interface")
		}
		return in.Resource, nil
	}
	same := func(in AddressInput) func(Address) bool {
		return func(a Address) bool { return a.Line() == in.Address.Line() }
	}
	return []resource.Operator[Instance]{
		resource.Op(resource.OpSpec[Instance, AddressInput]{
			OperationType: resource.OperationType{Name: Disassociate, DryRun: true, Denies: resource.DeniesWithin},
			Of:            of,
			Apply:         func(i *Instance, in AddressInput) { i.Elastic = slices.DeleteFunc(slices.Clone(i.Elastic), same(in)) },
			Refuse: func(i *Instance, in AddressInput) error {
				if !slices.ContainsFunc(i.Elastic, same(in)) {
					return fmt.Errorf("take %s off: it is not there", in.Address.Public)
				}
				return nil
			},
			Took: func(in AddressInput, _ dera.Plan, _ dera.Change) (resource.Taken, error) {
				return resource.Taken{Within: []resource.Bounds{{Public: true, Why: "the instance is not reached by " + in.Address.Public + " any more, and may have no way out to the internet"}}}, nil
			},
		}),
		resource.Op(resource.OpSpec[Instance, AddressInput]{
			OperationType: resource.OperationType{Name: Associate, DryRun: true, Denies: resource.DeniesNothing},
			Of:            of,
			Apply: func(i *Instance, in AddressInput) {
				if slices.ContainsFunc(i.Elastic, same(in)) {
					return
				}
				i.Elastic = append(slices.Clone(i.Elastic), in.Address)
				slices.SortFunc(i.Elastic, func(a, b Address) int { return strings.Compare(a.Public, b.Public) })
			},
		}),
	}
}

// TakeOff is the change that takes an Elastic IP address off; its undo puts the same one back
// where it was.
func (i *Instance) TakeOff(a Address) (dera.Change, error) {
	association := i.Associations[a.Allocation]
	if a.Allocation == "" || association == "" {
		return dera.Change{}, fmt.Errorf("the allocation and association of %s are not known", a.Public)
	}
	return resource.NewChange(Disassociate, AddressInput{i.ID, a, association}, a, nil, Associate, AddressInput{Resource: i.ID, Address: a}, []string{"- " + a.Line()})
}
