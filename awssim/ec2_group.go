package awssim

import (
	"slices"
	"strconv"
	"strings"
)

type groupPage struct {
	groups []*group
	arn    func(kind, id string) string
	token  string
}

func describeSecurityGroups(k *call) (any, error) {
	ids, names := k.p.texts("GroupId"), k.p.texts("GroupName")
	for _, id := range ids {
		if _, err := k.groupByID(id, k.view()); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		if _, err := k.groupByName(name, k.view()); err != nil {
			return nil, err
		}
	}
	match, err := filters(k.p, "group-id", "group-name", "vpc-id", "description", "owner-id", "tag:*", "tag-key",
		"ip-permission.*", "egress.ip-permission.*")
	if err != nil {
		return nil, err
	}
	for name := range match {
		if _, field, ok := strings.Cut(name, "ip-permission."); ok && !isPermissionFilter(field) {
			return nil, invalid("The filter '%s' is invalid", name)
		}
	}
	found, token, err := page(k, k.state.groups, func(g *group) bool {
		return wanted(ids, g.id) && (len(names) == 0 || slices.Contains(names, g.name) && k.state.isDefaultVPC(g.vpc)) && g.matches(match)
	})
	return groupPage{found, k.arn, token}, err
}

// isPermissionFilter reports whether there are filters ip-permission.<field> and egress.ip-permission.<field>.
func isPermissionFilter(field string) bool {
	switch field {
	case "cidr", "ipv6-cidr", "from-port", "to-port", "protocol", "group-id", "prefix-list-id":
		return true
	}
	return false
}

// matches applies the filters of DescribeSecurityGroups.
func (g *group) matches(f filterSet) bool {
	if !f.text("group-id", g.id) || !f.text("group-name", g.name) || !f.text("vpc-id", g.vpc) ||
		!f.text("description", g.description) || !f.text("owner-id", g.account) || !f.tags(g.tags) {
		return false
	}
	for name := range f {
		direction, field, ok := strings.Cut(name, "ip-permission.")
		if ok && !f.any(name, g.ruleValues(direction == "egress.", field)) {
			return false
		}
	}
	return true
}

// ruleValues returns what the rules of one direction have in the field of a filter.
func (g *group) ruleValues(egress bool, field string) []string {
	var values []string
	for _, r := range g.rules {
		if r.Egress != egress {
			continue
		}
		switch field {
		case "cidr", "ipv6-cidr":
			if r.CIDR != "" && r.isIPv6() == (field == "ipv6-cidr") {
				values = append(values, r.CIDR)
			}
		case "from-port":
			values = append(values, strconv.Itoa(r.FromPort))
		case "to-port":
			values = append(values, strconv.Itoa(r.ToPort))
		case "protocol":
			values = append(values, r.Protocol)
		case "group-id":
			values = append(values, r.Group)
		case "prefix-list-id":
			values = append(values, r.PrefixList)
		}
	}
	return values
}

func (a groupPage) write(e *encoder) {
	e.buf = slices.Grow(e.buf, 2048*len(a.groups))
	e.beginList("securityGroupInfo")
	for _, g := range a.groups {
		e.item()
		e.text("ownerId", g.account)
		e.text("groupId", g.id)
		e.text("groupName", g.name)
		e.text("groupDescription", g.description)
		e.text("vpcId", g.vpc)
		e.text("securityGroupArn", a.arn("security-group", g.id))
		writePermissions(e, "ipPermissions", g.rules, false)
		writePermissions(e, "ipPermissionsEgress", g.rules, true)
		g.tags.write(e)
		e.endItem()
	}
	e.endList("securityGroupInfo")
	e.optional("nextToken", a.token)
}

// groupByID finds a group of the caller's account and Region.
func (k *call) groupByID(id string, v view) (*group, error) {
	if !strings.HasPrefix(id, "sg-") {
		return nil, errorf(400, "InvalidGroupId.Malformed", "Invalid id: \"%s\" (expecting \"sg-...\")", id)
	}
	g := k.state.groups.get(id, v)
	if g == nil {
		return nil, errorf(400, "InvalidGroup.NotFound", "The security group '%s' does not exist", id)
	}
	return g, nil
}

// groupByName finds a group of the default VPC: a name means nothing elsewhere.
func (k *call) groupByName(name string, v view) (*group, error) {
	home := k.state.defaultVPC()
	if home == nil {
		return nil, errorf(400, "VPCIdNotSpecified", "No default VPC for this user")
	}
	for _, g := range k.state.groups.from(0, v) {
		if g.vpc == home.id && g.name == name {
			return g, nil
		}
	}
	return nil, errorf(400, "InvalidGroup.NotFound", "The security group '%s' does not exist in default VPC '%s'", name, home.id)
}

// target finds the group that a call changes, by GroupId or by GroupName.
func (k *call) target() (*group, error) {
	switch {
	case k.p.text("GroupId") != "":
		return k.groupByID(k.p.text("GroupId"), view{})
	case k.p.text("GroupName") != "":
		return k.groupByName(k.p.text("GroupName"), view{})
	}
	return nil, missing("groupName or groupId")
}

type createdGroup struct {
	*group
	arn string
}

func createSecurityGroup(k *call) (any, error) {
	g := &group{name: k.p.text("GroupName"), description: k.p.text("GroupDescription"), vpc: k.p.text("VpcId"), account: k.Account}
	if err := checkGroupNames(g); err != nil {
		return nil, err
	}
	if g.vpc == "" {
		home := k.state.defaultVPC()
		if home == nil {
			return nil, errorf(400, "VPCIdNotSpecified", "No default VPC for this user")
		}
		g.vpc = home.id
	}
	if k.state.vpcs.get(g.vpc, view{}) == nil {
		return nil, errorf(400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", g.vpc)
	}
	for _, other := range k.state.groups.all {
		if other.vpc == g.vpc && strings.EqualFold(other.name, g.name) {
			return nil, errorf(400, "InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", g.name, g.vpc)
		}
	}
	var err error
	if g.tags, err = tagSpecification(k.p, "security-group"); err != nil {
		return nil, err
	}
	g.id = k.state.ids.resource("sg")
	g.rules = []*Rule{k.state.allEgress()}
	k.state.groups.put(g.id, g)
	return createdGroup{g, k.arn("security-group", g.id)}, nil
}

// checkGroupNames holds a new group against the constraints of the API.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
func checkGroupNames(g *group) error {
	switch {
	case g.name == "":
		return missing("groupName")
	case g.description == "":
		return missing("groupDescription")
	case strings.HasPrefix(strings.ToLower(g.name), "sg-"):
		return invalid("Invalid value '%s' for groupName. Group names may not be in the format sg-*.", g.name)
	case strings.EqualFold(g.name, "default"):
		return errorf(400, "InvalidGroup.Reserved", "The security group '%s' is reserved", g.name)
	case len(g.name) > 255 || !isDescription(g.name):
		return invalid("Invalid value '%s' for groupName. Character sets beyond ASCII are not supported.", g.name)
	case len(g.description) > 255 || !isDescription(g.description):
		return invalid("Invalid value '%s' for groupDescription. Character sets beyond ASCII are not supported.", g.description)
	}
	return nil
}

func (a createdGroup) write(e *encoder) {
	writeReturn(e)
	e.text("groupId", a.id)
	if len(a.tags) > 0 || !e.json {
		a.tags.write(e)
	}
	if !e.json {
		e.text("securityGroupArn", a.arn)
	}
}

type deletedGroup struct{ id string }

// deleteSecurityGroup refuses the default group and a group that something refers to.
func deleteSecurityGroup(k *call) (any, error) {
	g, err := k.target()
	if err != nil {
		return nil, err
	}
	if g.name == "default" {
		return nil, errorf(400, "CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", g.id)
	}
	for _, other := range k.state.groups.all {
		if other.id != g.id && slices.ContainsFunc(other.rules, func(r *Rule) bool { return r.Group == g.id }) {
			return nil, errorf(400, "DependencyViolation", "resource %s has a dependent object", g.id)
		}
	}
	for _, eni := range k.state.interfaces.all {
		if slices.Contains(eni.groups, g.id) {
			return nil, errorf(400, "DependencyViolation", "resource %s has a dependent object", g.id)
		}
	}
	k.state.groups.put(g.id, nil)
	return deletedGroup{g.id}, nil
}

func (a deletedGroup) write(e *encoder) {
	writeReturn(e)
	e.text("groupId", a.id)
}
