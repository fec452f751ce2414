package awssim

import (
	"net/netip"
	"slices"
)

type regionList struct{ names []string }

func describeRegions(k *call) (any, error) {
	wanted := k.p.texts("RegionName")
	for _, name := range wanted {
		if !slices.Contains(k.cloud.regions, name) {
			return nil, invalid("Invalid region provided: %s", name)
		}
	}
	match, err := filters(k.p, "region-name")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range k.cloud.regions {
		if (len(wanted) == 0 || slices.Contains(wanted, name)) && match.text("region-name", name) {
			found = append(found, name)
		}
	}
	return regionList{found}, nil
}

func (a regionList) write(e *encoder) {
	e.beginList("regionInfo")
	for _, name := range a.names {
		e.item()
		e.text("regionName", name)
		e.text("regionEndpoint", "ec2."+name+".amazonaws.com")
		e.text("optInStatus", "opt-in-not-required")
		e.endItem()
	}
	e.endList("regionInfo")
}

type vpcPage struct {
	vpcs  []*vpc
	token string
}

func describeVPCs(k *call) (any, error) {
	ids := k.p.texts("VpcId")
	for _, id := range ids {
		if k.state.vpcs.get(id, k.view()) == nil {
			return nil, errorf(400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
		}
	}
	match, err := filters(k.p, "vpc-id", "isDefault", "is-default", "cidr", "tag:*", "tag-key")
	if err != nil {
		return nil, err
	}
	found, token, err := page(k, k.state.vpcs, func(v *vpc) bool {
		return wanted(ids, v.id) && match.text("vpc-id", v.id) && match.text("cidr", v.cidr) && match.tags(v.tags) &&
			match.flag("isDefault", !v.isOwn) && match.flag("is-default", !v.isOwn)
	})
	return vpcPage{found, token}, err
}

func (a vpcPage) write(e *encoder) {
	e.beginList("vpcSet")
	for _, v := range a.vpcs {
		e.item()
		v.write(e)
		e.endItem()
	}
	e.endList("vpcSet")
	e.optional("nextToken", a.token)
}

func (v *vpc) write(e *encoder) {
	e.text("vpcId", v.id)
	e.text("ownerId", v.account)
	e.text("state", "available")
	e.text("cidrBlock", v.cidr)
	v.writeRanges(e)
	e.text("instanceTenancy", "default")
	e.flag("isDefault", !v.isOwn)
	v.tags.write(e)
}

type createdVPC struct{ *vpc }

// createVPC makes a VPC with its default security group. Its ranges are /16 to /28.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
func createVPC(k *call) (any, error) {
	text := k.p.text("CidrBlock")
	if text == "" {
		return nil, missing("cidrBlock")
	}
	cidr, err := netip.ParsePrefix(text)
	if err != nil || !cidr.Addr().Is4() {
		return nil, invalid("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text)
	}
	if cidr.Bits() < 16 || cidr.Bits() > 28 {
		return nil, errorf(400, "InvalidVpc.Range", "The CIDR '%s' is invalid.", text)
	}
	tagged, err := tagSpecification(k.p, "vpc")
	if err != nil {
		return nil, err
	}
	v := &vpc{id: k.state.ids.resource("vpc"), cidr: cidr.Masked().String(), isOwn: true, account: k.Account, tags: tagged}
	k.state.addVPC(v)
	return createdVPC{v}, nil
}

func (a createdVPC) write(e *encoder) {
	e.begin("vpc")
	a.vpc.write(e)
	e.end("vpc")
}
