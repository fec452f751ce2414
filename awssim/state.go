package awssim

import (
	"time"

	"dera.example/dera"
)

// regionState is the state of one account in one Region. It is guarded by Cloud.mu.
type regionState struct {
	place
	now    func() time.Time
	ids    *idSource
	writes uint64   // commits so far
	undo   []func() // takes back the puts that are not committed
	birth  bool     // while AWS itself delivers the first resources

	vpcs        *table[vpc]
	addresses   []Address
	groups      *table[group]
	interfaces  *table[networkInterface]
	prefixLists *table[prefixList]

	buckets      *table[bucket]
	accessPoints *table[accessPoint]
	configRules  *table[ConfigRule]
	schedules    *table[Schedule] // under kind and name
	functions    *table[function]

	// What an account has once stands in dera.GlobalRegion.
	blocks        *table[PublicAccessBlock] // under the account's ID
	distributions *table[distribution]
	multiRegion   *table[multiRegionPoint] // under its name
	policies      *table[managedPolicy]    // under its ARN
	entities      *table[entity]           // under its kind and name
}

type vpc struct {
	id      string
	cidr    string
	isOwn   bool     // made by CreateVpc, not the default VPC
	more    []string // further ranges, IPv4 and IPv6
	routes  []Route
	tags    tags
	account string
}

// newRegionState returns what a new account finds in a Region: a default VPC, and in it a default security group that
// admits itself and lets everything out.
// https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
func newRegionState(at place, ids *idSource, now func() time.Time) *regionState {
	s := &regionState{place: at, now: now, ids: ids, birth: true}
	s.vpcs = newTable[vpc](s)
	s.groups = newTable[group](s)
	s.interfaces = newTable[networkInterface](s)
	s.prefixLists = newTable[prefixList](s)
	s.buckets = newTable[bucket](s)
	s.accessPoints = newTable[accessPoint](s)
	s.configRules = newTable[ConfigRule](s)
	s.schedules = newTable[Schedule](s)
	s.functions = newTable[function](s)
	s.distributions = newTable[distribution](s)
	s.blocks = newTable[PublicAccessBlock](s)
	s.multiRegion = newTable[multiRegionPoint](s)
	s.policies = newTable[managedPolicy](s)
	s.entities = newTable[entity](s)
	if at.region == dera.GlobalRegion { // holds what an account has once
		s.birth = false
		return s
	}
	s.addVPC(&vpc{id: ids.resource("vpc"), cidr: "172.31.0.0/16", account: at.account})
	s.addManagedPrefixLists()
	s.undo, s.birth = nil, false
	return s
}

// addVPC adds a VPC and its default security group.
func (s *regionState) addVPC(v *vpc) {
	s.vpcs.put(v.id, v)
	g := &group{id: s.ids.resource("sg"), name: "default", description: "default VPC security group", vpc: v.id, account: s.account}
	g.rules = []*Rule{
		{ID: s.ids.resource("sgr"), Protocol: "-1", FromPort: -1, ToPort: -1, Group: g.id, GroupOwner: s.account},
		s.allEgress(),
	}
	s.groups.put(g.id, g)
}

// allEgress is the rule that AWS adds to a new group in a VPC without IPv6.
func (s *regionState) allEgress() *Rule {
	return &Rule{ID: s.ids.resource("sgr"), Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}
}

// defaultVPC returns the default VPC, or nil once it is gone.
func (s *regionState) defaultVPC() *vpc {
	for _, v := range s.vpcs.all {
		if !v.isOwn {
			return v
		}
	}
	return nil
}

// isDefaultVPC reports whether the identifier names the default VPC.
func (s *regionState) isDefaultVPC(id string) bool {
	v := s.vpcs.get(id, view{})
	return v != nil && !v.isOwn
}
