package instance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
)

// The writes that contain an instance, by their IAM actions.
const (
	ModifyInterface = "ec2:ModifyNetworkInterfaceAttribute"
	CreateSnapshots = "ec2:CreateSnapshots"
	Start           = "ec2:StartInstances"
	Stop            = "ec2:StopInstances"
)

// The ways to contain an instance, as people ask for them.
const (
	Quarantine = "quarantine"
	StopIt     = "stop"
)

// IsolationGroup is the name of the security group without rules, one in each VPC, that an
// instance in quarantine has.
const IsolationGroup = "dera-isolation"

const power = "running"

// Interface is a network interface and its security groups, sorted.
type Interface struct {
	ID     string   `json:"id"`
	Groups []string `json:"groups"`
}

// Line is the interface as a line of the canonical form.
func (n Interface) Line() string {
	return "interface " + n.ID + " groups " + strings.Join(n.Groups, ",")
}

// Snapshot is a snapshot that dera made of a volume, for a request.
type Snapshot struct {
	ID      string `json:"id,omitempty"`
	Volume  string `json:"volume"`
	Request string `json:"request"`
}

// Line is the snapshot as a line of the canonical form, without the ID that AWS gives it.
func (s Snapshot) Line() string { return "snapshot of " + s.Volume + " for " + s.Request }

// Description is that of the snapshots of a request, by which they are found again.
func Description(request string) string { return "dera contain " + request }

// RequestOf is the request of a description, or nothing.
func RequestOf(description string) string {
	id, ok := strings.CutPrefix(description, Description(""))
	if !ok {
		return ""
	}
	return id
}

// Around is what stands around an instance that is to be contained.
type Around struct {
	// Isolation is the ID of the isolation group of its VPC, or empty; Open says that it has
	// rules, so that it isolates nothing.
	Isolation string `json:"isolation,omitempty"`
	Open      bool   `json:"isolation_open,omitempty"`
	// Scaling is the Auto Scaling group that it is in, and Lifecycle its state there.
	Scaling   string `json:"scaling,omitempty"`
	Lifecycle string `json:"lifecycle,omitempty"`
	// Store says that its type has volumes of the host, which a stop erases; nil is not known.
	Store *bool `json:"instance_store,omitempty"`
}

// InterfaceInput is version 1 of the input of ModifyInterface: all groups of an interface.
type InterfaceInput struct {
	Resource  string    `json:"resource"` // the ID of the instance
	Interface Interface `json:"interface"`
}

// SnapshotsInput is version 1 of the input of CreateSnapshots: of all volumes at one moment.
type SnapshotsInput struct {
	Resource string `json:"resource"`
	Request  string `json:"request"`
}

func containOperations() []resource.Operator[Instance] {
	return []resource.Operator[Instance]{
		resource.Op(resource.OpSpec[Instance, SnapshotsInput]{
			OperationType: resource.OperationType{Name: CreateSnapshots, DryRun: true, Denies: resource.DeniesNothing},
			Of: func(in SnapshotsInput) (string, error) {
				if in.Request == "" {
					return "", errors.New("the operation names no request")
				}
				return in.Resource, nil
			},
			Apply: func(i *Instance, in SnapshotsInput) {
				out := slices.Clone(i.Snapshots)
				for _, v := range i.Volumes {
					if s := (Snapshot{Volume: v, Request: in.Request}); !slices.ContainsFunc(out, func(o Snapshot) bool { return o.Line() == s.Line() }) {
						out = append(out, s)
					}
				}
				i.Snapshots = out
			},
		}),
		resource.Op(resource.OpSpec[Instance, InterfaceInput]{
			OperationType: resource.OperationType{Name: ModifyInterface, DryRun: true, Denies: resource.DeniesInbound},
			Of: func(in InterfaceInput) (string, error) {
				if in.Interface.ID == "" || len(in.Interface.Groups) == 0 {
					return "", errors.New("the operation names no interface or no group")
				}
				return in.Resource, nil
			},
			Apply: func(i *Instance, in InterfaceInput) {
				i.Interfaces = slices.Clone(i.Interfaces)
				for k := range i.Interfaces {
					if i.Interfaces[k].ID == in.Interface.ID {
						i.Interfaces[k] = in.Interface
					}
				}
			},
			Refuse: func(i *Instance, in InterfaceInput) error {
				if !slices.ContainsFunc(i.Interfaces, func(n Interface) bool { return n.ID == in.Interface.ID }) {
					return fmt.Errorf("set the groups of %s: the instance has no such interface", in.Interface.ID)
				}
				return nil
			},
			// Which packets its groups allows is not read: it may be any.
			Took: func(InterfaceInput, dera.Plan, dera.Change) (resource.Taken, error) {
				return resource.Taken{Symbolic: netset.Product(netset.EveryTraffic(), netset.Everywhere())}, nil
			},
		}),
	}
}

// quarantineNote is what people must know of a quarantine.
//
// EC2 user guide, "Security group connection tracking".
const quarantineNote = "Connections that EC2 tracks live on until they end or are idle: for established TCP connections that can be days. To cut these too, use a network ACL, or stop the instance. " +
	"Systems Manager, agents and health checks reach it no more; a load balancer takes it out. The credentials of its role go on working elsewhere: revoke the sessions of the role too. " +
	"The snapshots are kept, also after a rollback, and are billed."

// stopNote is what people must know of a stop.
func (i *Instance) stopNote() string {
	out := "Its memory is lost, and with it what runs there without a file. "
	if len(i.Assigned) > 0 {
		out += "The public address " + strings.Join(i.Assigned, ", ") + " is lost for ever: it gets another one when it starts. "
	}
	return out + "A load balancer takes it out. The rollback starts it again; where a volume is encrypted with a key of the account, EC2 starts it only for a caller that the key allows kms:CreateGrant."
}

// brief is an instance without what a quick look leaves out.
func brief(i *Instance) *Instance {
	short := *i
	short.Snapshots = nil
	return &short
}

// Isolated reports whether all of its interfaces have the isolation group and no other.
func (i *Instance) Isolated() bool {
	return len(i.Interfaces) > 0 && i.Around != nil && i.Around.Isolation != "" && !i.Around.Open &&
		!slices.ContainsFunc(i.Interfaces, func(n Interface) bool { return !slices.Equal(n.Groups, []string{i.Around.Isolation}) })
}

// snapped reports whether there is a snapshot of each volume for the request.
func (i *Instance) snapped(request string) bool {
	return !slices.ContainsFunc(i.Volumes, func(v string) bool {
		return !slices.ContainsFunc(i.Snapshots, func(s Snapshot) bool { return s.Volume == v && s.Request == request })
	})
}
