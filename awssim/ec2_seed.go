package awssim

import "fmt"

// PutSecurityGroup gives the default VPC a group with the given ID, name and rules beside the one that allows all egress,
// or puts it in the place of the group that has the ID. The IDs of its rules follow from that of the group. It is
// not an API call: it emits no event, and nothing is checked. It is how a world that is computed is seeded.
func (r *Region) PutSecurityGroup(id, name string, rules ...Rule) {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{r.account.id, r.name})
	g := &group{id: id, name: name, description: name, vpc: s.defaultVPC().id, account: r.account.id}
	all := Rule{Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CIDR: "0.0.0.0/0"}
	for i, rule := range append([]Rule{all}, rules...) {
		rule.ID = fmt.Sprintf("sgr-%s%x", id[len("sg-"):], i)
		g.rules = append(g.rules, &rule)
	}
	s.groups.put(id, g)
	s.commit()
}
