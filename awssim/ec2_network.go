package awssim

import (
	"net/netip"
	"strings"
)

// Route is one route of a VPC's main route table. The API to make one is not simulated: see [Region.AddRoute].
type Route struct {
	Destination string // CIDR, or the ID of a prefix list
	Target      string // igw-…, vgw-…, tgw-…, pcx-…, nat-…, or the ARN of a core network
}

// Address is an Elastic IP.
type Address struct {
	PublicIP, AllocationID, Instance string
}

func (v *vpc) writeRanges(e *encoder) {
	e.beginList("cidrBlockAssociationSet")
	for _, cidr := range append([]string{v.cidr}, v.more...) {
		if strings.Contains(cidr, ":") {
			continue
		}
		e.item()
		e.text("cidrBlock", cidr)
		e.begin("cidrBlockState")
		e.text("state", "associated")
		e.end("cidrBlockState")
		e.endItem()
	}
	e.endList("cidrBlockAssociationSet")
	e.beginList("ipv6CidrBlockAssociationSet")
	for _, cidr := range v.more {
		if !strings.Contains(cidr, ":") {
			continue
		}
		e.item()
		e.text("ipv6CidrBlock", cidr)
		e.begin("ipv6CidrBlockState")
		e.text("state", "associated")
		e.end("ipv6CidrBlockState")
		e.endItem()
	}
	e.endList("ipv6CidrBlockAssociationSet")
}

type routeTables struct {
	vpcs  []*vpc
	token string
}

// describeRouteTables shows one main route table for each VPC.
func describeRouteTables(k *call) (any, error) {
	match, err := filters(k.p, "vpc-id", "association.main")
	if err != nil {
		return nil, err
	}
	found, token, err := page(k, k.state.vpcs, func(v *vpc) bool { return match.text("vpc-id", v.id) && match.flag("association.main", true) })
	return routeTables{found, token}, err
}

func (a routeTables) write(e *encoder) {
	e.beginList("routeTableSet")
	for _, v := range a.vpcs {
		e.item()
		e.text("routeTableId", "rtb-"+strings.TrimPrefix(v.id, "vpc-"))
		e.text("vpcId", v.id)
		e.text("ownerId", v.account)
		e.beginList("routeSet")
		for _, r := range append([]Route{{v.cidr, "local"}}, v.routes...) {
			e.item()
			r.write(e)
			e.endItem()
		}
		e.endList("routeSet")
		e.beginList("associationSet")
		e.item()
		e.flag("main", true)
		e.endItem()
		e.endList("associationSet")
		e.endItem()
	}
	e.endList("routeTableSet")
	e.optional("nextToken", a.token)
}

func (r Route) write(e *encoder) {
	p, err := netip.ParsePrefix(r.Destination)
	switch {
	case err != nil:
		e.text("destinationPrefixListId", r.Destination)
	case p.Addr().Is4():
		e.text("destinationCidrBlock", r.Destination)
	default:
		e.text("destinationIpv6CidrBlock", r.Destination)
	}
	kind, _, _ := strings.Cut(r.Target, "-")
	switch {
	case kind == "tgw":
		e.text("transitGatewayId", r.Target)
	case kind == "pcx":
		e.text("vpcPeeringConnectionId", r.Target)
	case kind == "nat":
		e.text("natGatewayId", r.Target)
	case strings.HasPrefix(r.Target, "arn:"):
		e.text("coreNetworkArn", r.Target)
	default:
		e.text("gatewayId", r.Target)
	}
	e.text("state", "active")
}

type addressList struct{ all []Address }

func describeAddresses(k *call) (any, error) {
	_, err := filters(k.p)
	return addressList{k.state.addresses}, err
}

func (a addressList) write(e *encoder) {
	e.beginList("addressesSet")
	for _, x := range a.all {
		e.item()
		e.text("publicIp", x.PublicIP)
		e.text("allocationId", x.AllocationID)
		e.text("domain", "vpc")
		e.optional("instanceId", x.Instance)
		e.endItem()
	}
	e.endList("addressesSet")
}

type instanceList struct {
	interfaces []*networkInterface
	token      string
}

// describeInstances shows the instances of the network interfaces that were attached.
func describeInstances(k *call) (any, error) {
	match, err := filters(k.p, "instance-id", "vpc-id")
	if err != nil {
		return nil, err
	}
	found, token, err := page(k, k.state.interfaces, func(n *networkInterface) bool {
		return n.instance != "" && match.text("instance-id", n.instance) && match.text("vpc-id", n.vpc)
	})
	return instanceList{found, token}, err
}

func (a instanceList) write(e *encoder) {
	e.beginList("reservationSet")
	for _, n := range a.interfaces {
		e.item()
		e.text("ownerId", n.account)
		e.beginList("instancesSet")
		e.item()
		e.text("instanceId", n.instance)
		e.text("vpcId", n.vpc)
		n.instanceTags.write(e)
		e.endItem()
		e.endList("instancesSet")
		e.endItem()
	}
	e.endList("reservationSet")
	e.optional("nextToken", a.token)
}

// AddRange gives the VPC a further range, IPv4 or IPv6.
func (r *Region) AddRange(vpcID, cidr string) error {
	return r.changeVPC(vpcID, func(v *vpc) { v.more = append(v.more, cidr) })
}

// AddRoute adds a route to the main route table of the VPC.
func (r *Region) AddRoute(vpcID string, route Route) error {
	return r.changeVPC(vpcID, func(v *vpc) { v.routes = append(v.routes, route) })
}

// AddAddress gives the account an Elastic IP.
func (r *Region) AddAddress(a Address) {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{r.account.id, r.name})
	s.addresses = append(s.addresses, a)
}

// DefaultVPC returns the ID of the default VPC, or "".
func (r *Region) DefaultVPC() string {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.state(place{r.account.id, r.name}).defaultVPC(); v != nil {
		return v.id
	}
	return ""
}

func (r *Region) changeVPC(id string, change func(*vpc)) error {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{r.account.id, r.name})
	v := s.vpcs.get(id, view{})
	if v == nil {
		return errorf(400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
	}
	next := *v
	change(&next)
	s.vpcs.put(id, &next)
	s.commit()
	return nil
}
