package wire

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"dera.example/dera/services/ec2/securitygroup"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"dera.example/dera/cloud"
	shared "dera.example/dera/services/ec2/wire"
)

// addresses are the public addresses of an account in a region: they are named
// beside a plan, and no decision goes by them.
type addresses struct {
	list   []securitygroup.OwnAddress
	unread bool
}

// addressesFor is how long addresses are remembered.
const addressesFor = 15 * time.Minute

// mostAsked is of how many accounts a read asks for the addresses. Where there are more, each read asks some of them,
// and what is known of the others stands; the list of all is then as old as it takes to come round.
const mostAsked = 128

// ownAddresses are the Elastic IPs of the configured accounts in the region, those
// of NAT gateways among them. A remediation shows them to nobody, so that its reads
// ask no other account.
func (g groupReader) ownAddresses(ctx context.Context) (own []securitygroup.OwnAddress, unread string, err error) {
	if g.ForRemediation() {
		return nil, "they are not asked for while a fix is under way", nil
	}
	all := g.Accounts()
	if len(all) > mostAsked {
		return g.bookedAddresses(ctx, all)
	}
	accounts := []string{g.Scope.Account}
	for _, a := range all {
		if a != g.Scope.Account {
			accounts = append(accounts, a)
		}
	}
	var dark []string
	for i, f := range g.askAddresses(ctx, accounts, g.rememberedAddresses) {
		own = append(own, f.list...)
		if f.unread {
			dark = append(dark, accounts[i])
		}
	}
	return own, darkText(dark), ctx.Err()
}

// rememberedAddresses are the addresses of one account as any read found them within addressesFor.
func (g groupReader) rememberedAddresses(ctx context.Context, account string) (addresses, error) {
	return cloud.Remember(g.Reading, "addresses of "+account+" in "+g.Scope.Region, addressesFor, func() (addresses, error) {
		return g.addressesOf(ctx, account)
	})
}

// askAddresses are the addresses of each of the accounts, several at a time. All together have the time of one resource:
// who does not answer in it is unread, and the read goes on, since no decision goes by them.
func (g groupReader) askAddresses(ctx context.Context, accounts []string, ask func(context.Context, string) (addresses, error)) []addresses {
	ctx, cancel := g.Within(ctx, g.Timeout())
	defer cancel()
	found := make([]addresses, len(accounts))
	var wait sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i, account := range accounts {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			var err error
			found[i], err = ask(ctx, account)
			found[i].unread = found[i].unread || err != nil
		})
	}
	wait.Wait()
	return found
}

// darkText says of which accounts the addresses could not be read, or nothing.
func darkText(dark []string) string {
	if n := len(dark); n > 3 {
		dark = append(dark[:3:3], fmt.Sprintf("%d more", n-3))
	}
	if len(dark) == 0 {
		return ""
	}
	return "ec2:DescribeAddresses of " + strings.Join(dark, ", ") + " failed"
}

// addressesOf are the addresses of one account, which has half of the time of all. That
// they cannot be read, or not in that time, is remembered too; an error is only that
// there was no time to ask.
func (g groupReader) addressesOf(ctx context.Context, account string) (addresses, error) {
	one, cancel := g.Within(ctx, g.Timeout()/2)
	defer cancel()
	out, err := shared.EC2(g.Reading, account, g.Scope.Region).DescribeAddresses(one, &ec2.DescribeAddressesInput{})
	if err != nil {
		return addresses{unread: true}, ctx.Err()
	}
	var now addresses
	for _, a := range out.Addresses {
		ip, err := netip.ParseAddr(aws.ToString(a.PublicIp))
		if err != nil {
			continue
		}
		name := cmp.Or(aws.ToString(a.AllocationId), "Elastic IP")
		if t := tagMap(a.Tags)["Name"]; t != "" {
			name += " " + t
		}
		if i := aws.ToString(a.InstanceId); i != "" {
			name += " of " + i
		} else if n := aws.ToString(a.NetworkInterfaceId); n != "" {
			name += " of " + n
		}
		now.list = append(now.list, securitygroup.OwnAddress{Address: ip, Name: name + " in " + account})
	}
	return now, nil
}
