package awssim

// networkInterface is what uses security groups. The API to make one is not simulated: see [Region.AttachInterface].
type networkInterface struct {
	id, vpc, subnet, account, description string
	privateIP, publicIP, instance         string
	groups                                []string
	tags, instanceTags                    tags
	requester                             string // who manages it, where that is not the account
	ipv6                                  string
}

type interfacePage struct {
	interfaces []*networkInterface
	names      map[string]string // of the groups
	token      string
}

func describeNetworkInterfaces(k *call) (any, error) {
	ids := k.p.texts("NetworkInterfaceId")
	for _, id := range ids {
		if k.state.interfaces.get(id, k.view()) == nil {
			return nil, errorf(400, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
		}
	}
	match, err := filters(k.p, "network-interface-id", "group-id", "group-name", "vpc-id", "subnet-id", "status",
		"association.public-ip", "private-ip-address", "description", "attachment.instance-id", "tag:*", "tag-key")
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, g := range k.state.groups.from(0, k.view()) {
		names[g.id] = g.name
	}
	found, token, err := page(k, k.state.interfaces, func(n *networkInterface) bool {
		return wanted(ids, n.id) && n.matches(match, names)
	})
	return interfacePage{found, names, token}, err
}

func (n *networkInterface) matches(f filterSet, names map[string]string) bool {
	groupNames := make([]string, len(n.groups))
	for i, id := range n.groups {
		groupNames[i] = names[id]
	}
	return f.text("network-interface-id", n.id) && f.any("group-id", n.groups) && f.any("group-name", groupNames) &&
		f.text("vpc-id", n.vpc) && f.text("description", n.description) && f.text("subnet-id", n.subnet) && f.text("status", n.status()) &&
		f.text("association.public-ip", n.publicIP) && f.text("private-ip-address", n.privateIP) &&
		f.text("attachment.instance-id", n.instance) && f.tags(n.tags)
}

func (n *networkInterface) status() string {
	if n.instance == "" {
		return "available"
	}
	return "in-use"
}

func (a interfacePage) write(e *encoder) {
	e.beginList("networkInterfaceSet")
	for _, n := range a.interfaces {
		e.item()
		n.write(e, a.names)
		e.endItem()
	}
	e.endList("networkInterfaceSet")
	e.optional("nextToken", a.token)
}

func (n *networkInterface) write(e *encoder, names map[string]string) {
	e.text("networkInterfaceId", n.id)
	e.text("subnetId", n.subnet)
	e.text("vpcId", n.vpc)
	e.text("description", n.description)
	e.text("ownerId", n.account)
	e.text("status", n.status())
	e.text("interfaceType", "interface")
	e.text("privateIpAddress", n.privateIP)
	e.flag("requesterManaged", n.requester != "")
	e.optional("requesterId", n.requester)
	if n.ipv6 != "" {
		e.beginList("ipv6AddressesSet")
		e.item()
		e.text("ipv6Address", n.ipv6)
		e.endItem()
		e.endList("ipv6AddressesSet")
	}
	e.beginList("groupSet")
	for _, id := range n.groups {
		e.item()
		e.text("groupId", id)
		e.optional("groupName", names[id])
		e.endItem()
	}
	e.endList("groupSet")
	if n.publicIP != "" {
		e.begin("association")
		e.text("publicIp", n.publicIP)
		e.text("ipOwnerId", "amazon")
		e.end("association")
	}
	if n.instance != "" {
		e.begin("attachment")
		e.text("instanceId", n.instance)
		e.text("instanceOwnerId", n.account)
		e.number("deviceIndex", 0)
		e.text("status", "attached")
		e.end("attachment")
	}
	n.tags.write(e)
}
