package aws

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
)

// rememberedAddresses are the public addresses of an account in a region, for a
// while: they are named beside a plan, and no decision goes by them.
type rememberedAddresses struct {
	at     time.Time
	list   []securitygroup.OwnAddress
	unread bool
}

// ownAddresses are the Elastic IPs of the configured accounts in the region, those
// of NAT gateways among them.
func (g groupReader) ownAddresses(ctx context.Context) (own []securitygroup.OwnAddress, unread string, err error) {
	accounts := []string{g.scope.Account}
	for _, a := range g.cfg.Accounts {
		if a.ID != g.scope.Account {
			accounts = append(accounts, a.ID)
		}
	}
	found := make([]rememberedAddresses, len(accounts))
	var wait sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i, account := range accounts {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = g.addressesOf(ctx, account)
		})
	}
	wait.Wait()
	var dark []string
	for i, f := range found {
		own = append(own, f.list...)
		if f.unread {
			dark = append(dark, accounts[i])
		}
	}
	if n := len(dark); n > 3 {
		dark = append(dark[:3:3], fmt.Sprintf("%d more", n-3))
	}
	if len(dark) > 0 {
		unread = "ec2:DescribeAddresses of " + strings.Join(dark, ", ") + " failed"
	}
	return own, unread, ctx.Err()
}

// addressesFor is how long addresses are remembered.
const addressesFor = 15 * time.Minute

func (g groupReader) addressesOf(ctx context.Context, account string) rememberedAddresses {
	key := account + "/" + g.scope.Region
	g.mu.Lock()
	old, ok := g.addresses[key]
	g.mu.Unlock()
	if ok && g.at.Sub(old.at) < addressesFor {
		return old
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Timeout/4)
	defer cancel()
	now := rememberedAddresses{at: g.at}
	out, err := g.ec2(account, g.scope.Region).DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		now.unread = true
	} else {
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
	}
	if ctx.Err() == nil {
		g.mu.Lock()
		g.addresses[key] = now
		g.mu.Unlock()
	}
	return now
}
