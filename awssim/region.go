package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// Region is a handle on one account in one Region, for seeding and for acting as someone. Its methods that change
// something are API calls, taken through the whole pipeline: they emit events, meet faults and can be denied.
type Region struct {
	account             *Account
	name                string
	credentials         Credentials
	sourceIP, userAgent string
}

// Region returns a handle that acts as the account's user "admin".
func (a *Account) Region(name string) *Region {
	return &Region{account: a, name: name, credentials: a.Credentials(), sourceIP: "198.51.100.7", userAgent: "console.amazonaws.com"}
}

// As returns a handle that acts with other credentials, as of an intruder or of an infrastructure-as-code role.
func (r *Region) As(c Credentials) *Region {
	other := *r
	other.credentials = c
	return &other
}

// Via returns a handle whose events show another source address and user agent, as those of Terraform.
func (r *Region) Via(sourceIP, userAgent string) *Region {
	other := *r
	other.sourceIP, other.userAgent = sourceIP, userAgent
	return &other
}

// CreateSecurityGroup makes a group in the default VPC with the given rules, and returns its ID.
func (r *Region) CreateSecurityGroup(ctx context.Context, name string, rules ...Rule) (string, error) {
	return r.CreateSecurityGroupIn(ctx, "", name, rules...)
}

// CreateSecurityGroupIn makes a group in a VPC with the given rules, and returns its ID.
func (r *Region) CreateSecurityGroupIn(ctx context.Context, vpcID, name string, rules ...Rule) (string, error) {
	form := url.Values{"GroupName": {name}, "GroupDescription": {name}}
	if vpcID != "" {
		form.Set("VpcId", vpcID)
	}
	answer, err := r.ec2(ctx, "CreateSecurityGroup", form)
	if err != nil {
		return "", err
	}
	id := answer.(createdGroup).id
	_, err = r.Authorize(ctx, id, rules...)
	return id, err
}

// Authorize adds rules to a group, with one call for each direction, and returns their IDs.
func (r *Region) Authorize(ctx context.Context, groupID string, rules ...Rule) ([]string, error) {
	var ids []string
	for _, egress := range []bool{false, true} {
		form := permissionForm(rules, egress)
		if len(form) == 0 {
			continue
		}
		form.Set("GroupId", groupID)
		answer, err := r.ec2(ctx, "AuthorizeSecurityGroup"+direction(egress), form)
		if err != nil {
			return ids, err
		}
		for _, added := range answer.(authorized).rules {
			ids = append(ids, added.ID)
		}
	}
	return ids, nil
}

// Revoke removes rules from a group by their properties, with one call for each direction.
func (r *Region) Revoke(ctx context.Context, groupID string, rules ...Rule) error {
	for _, egress := range []bool{false, true} {
		form := permissionForm(rules, egress)
		if len(form) == 0 {
			continue
		}
		form.Set("GroupId", groupID)
		if _, err := r.ec2(ctx, "RevokeSecurityGroup"+direction(egress), form); err != nil {
			return err
		}
	}
	return nil
}

// Tag adds tags to a resource.
func (r *Region) Tag(ctx context.Context, id string, add map[string]string) error {
	form := url.Values{"ResourceId.1": {id}}
	for i, key := range slices.Sorted(maps.Keys(add)) {
		form.Set(fmt.Sprintf("Tag.%d.Key", i+1), key)
		form.Set(fmt.Sprintf("Tag.%d.Value", i+1), add[key])
	}
	_, err := r.ec2(ctx, "CreateTags", form)
	return err
}

// CreateVPC makes a VPC, which is not the default one, and returns its ID.
func (r *Region) CreateVPC(ctx context.Context, cidr string) (string, error) {
	answer, err := r.ec2(ctx, "CreateVpc", url.Values{"CidrBlock": {cidr}})
	if err != nil {
		return "", err
	}
	return answer.(createdVPC).id, nil
}

// CreatePrefixList makes a managed prefix list with room for maxEntries, and returns its ID. The first range tells its
// address family; without ranges it is IPv4.
func (r *Region) CreatePrefixList(ctx context.Context, name string, maxEntries int, cidrs ...string) (string, error) {
	form := url.Values{"PrefixListName": {name}, "MaxEntries": {strconv.Itoa(maxEntries)}, "AddressFamily": {"IPv4"}}
	for i, cidr := range cidrs {
		form.Set(fmt.Sprintf("Entry.%d.Cidr", i+1), cidr)
		if (&Rule{CIDR: cidr}).isIPv6() {
			form.Set("AddressFamily", "IPv6")
		}
	}
	answer, err := r.ec2(ctx, "CreateManagedPrefixList", form)
	if err != nil {
		return "", err
	}
	return answer.(onePrefixList).id, nil
}

// CreateQueue makes a queue and returns its URL.
func (r *Region) CreateQueue(ctx context.Context, name string) (string, error) {
	body, err := json.Marshal(map[string]string{"QueueName": name})
	if err != nil {
		return "", fmt.Errorf("encode the request: %w", err)
	}
	answer, err := r.do(ctx, request{service: "sqs", operation: "CreateQueue", body: body, flat: map[string]string{"QueueName": name}})
	if err != nil {
		return "", err
	}
	return answer.(queueURL).URL, nil
}

// Attachment is what a network interface belongs to; see [Region.Attach].
type Attachment struct {
	PublicIP, IPv6, Description string
	Tags                        map[string]string // of its instance
	Requester                   string            // a service that manages it; then it has no instance
}

// AttachInterface attaches a new network interface of a new instance to groups, with a public address if one is given,
// and returns its ID. It is not an API call: it emits no event. It fails if a group does not exist.
func (r *Region) AttachInterface(publicIP string, groupIDs ...string) (string, error) {
	return r.Attach(Attachment{PublicIP: publicIP}, groupIDs...)
}

// Attach attaches a new network interface to groups, as AttachInterface does.
func (r *Region) Attach(a Attachment, groupIDs ...string) (string, error) {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{r.account.id, r.name})
	n := &networkInterface{
		id: s.ids.resource("eni"), subnet: s.ids.resource("subnet"), account: r.account.id, description: a.Description,
		publicIP: a.PublicIP, ipv6: a.IPv6, groups: slices.Clone(groupIDs), instanceTags: a.Tags, requester: a.Requester,
	}
	if a.Requester == "" {
		n.instance = s.ids.resource("i")
	}
	n.privateIP = fmt.Sprintf("172.31.%d.%d", s.interfaces.born/250%256, s.interfaces.born%250+4)
	for _, id := range groupIDs {
		g := s.groups.get(id, view{})
		if g == nil {
			return "", errorf(400, "InvalidGroup.NotFound", "The security group '%s' does not exist", id)
		}
		n.vpc = g.vpc
	}
	s.interfaces.put(n.id, n)
	s.commit()
	return n.id, nil
}

// ec2 makes one EC2 call.
func (r *Region) ec2(ctx context.Context, operation string, form url.Values) (any, error) {
	form.Set("Action", operation)
	req := request{service: "ec2"}
	req.setForm(form)
	return r.do(ctx, req)
}

// do takes a call through the pipeline.
func (r *Region) do(ctx context.Context, req request) (any, error) {
	c := r.account.cloud
	req.region, req.accessKey, req.token = r.name, r.credentials.AccessKeyID, r.credentials.SessionToken
	req.userAgent, req.sourceIP = r.userAgent, r.sourceIP
	if req.host == "" {
		req.host = req.service + "." + r.name + ".amazonaws.com"
	}
	k := c.newCall(ctx, req)
	answer, err := c.do(k)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func direction(egress bool) string {
	if egress {
		return "Egress"
	}
	return "Ingress"
}

// permissionForm writes the rules of one direction as IpPermissions; it is empty if there are none.
func permissionForm(rules []Rule, egress bool) url.Values {
	form, n := url.Values{}, 0
	for _, rule := range rules {
		if rule.Egress != egress {
			continue
		}
		n++
		at := fmt.Sprintf("IpPermissions.%d.", n)
		form.Set(at+"IpProtocol", rule.Protocol)
		if rule.Protocol != "-1" {
			form.Set(at+"FromPort", strconv.Itoa(rule.FromPort))
			form.Set(at+"ToPort", strconv.Itoa(rule.ToPort))
		}
		source := at
		switch {
		case rule.PrefixList != "":
			source += "PrefixListIds.1."
			form.Set(source+"PrefixListId", rule.PrefixList)
		case rule.Group != "":
			source += "Groups.1."
			form.Set(source+"GroupId", rule.Group)
			if rule.GroupOwner != "" {
				form.Set(source+"UserId", rule.GroupOwner)
			}
		case rule.isIPv6():
			source += "Ipv6Ranges.1."
			form.Set(source+"CidrIpv6", rule.CIDR)
		default:
			source += "IpRanges.1."
			form.Set(source+"CidrIp", rule.CIDR)
		}
		if rule.Description != "" {
			form.Set(source+"Description", rule.Description)
		}
	}
	return form
}
