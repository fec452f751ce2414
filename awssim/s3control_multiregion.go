package awssim

import (
	"slices"

	"dera.example/dera"
)

// MultiRegionPoint is a multi-region access point of an account: what matters of it to the buckets behind it.
type MultiRegionPoint struct {
	Name    string
	Buckets map[string]string // by Region
	Policy  string            // empty: none
	Block   PublicAccessBlock
}

// multiRegionPoint is a row of the state; it is immutable.
type multiRegionPoint struct{ MultiRegionPoint }

// multiRegionHome is the only Region that answers about them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRestrictions.html
const multiRegionHome = "us-west-2"

func multiRegionARN(account, name string) string {
	return "arn:aws:s3::" + account + ":accesspoint/" + name
}

// AddMultiRegionPoint adds a multi-region access point, or replaces the one of its name. It is not an API call: it emits
// no event.
func (a *Account) AddMultiRegionPoint(p MultiRegionPoint) {
	c := a.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{a.id, dera.GlobalRegion})
	s.multiRegion.put(p.Name, &multiRegionPoint{p})
	s.commit()
}

func (k *call) atMultiRegionHome() error {
	if k.Region != multiRegionHome {
		return errorf(400, "InvalidRequest", "Multi-Region Access Point requests are answered in %s only", multiRegionHome)
	}
	return k.ownAccount()
}

func listMultiRegionPoints(k *call) (any, error) {
	if err := k.atMultiRegionHome(); err != nil {
		return nil, err
	}
	points := k.state.multiRegion.from(0, k.view())
	return controlDocument("ListMultiRegionAccessPointsResult", func(e *encoder) {
		e.begin("AccessPoints")
		for _, p := range points {
			e.begin("AccessPoint")
			e.text("Name", p.Name)
			e.begin("PublicAccessBlock")
			p.Block.write(e)
			e.end("PublicAccessBlock")
			e.text("Status", "READY")
			e.begin("Regions")
			var regions []string
			for region := range p.Buckets {
				regions = append(regions, region)
			}
			slices.Sort(regions)
			for _, region := range regions {
				e.begin("Region")
				e.text("Bucket", p.Buckets[region])
				e.text("Region", region)
				e.text("BucketAccountId", k.Account)
				e.end("Region")
			}
			e.end("Regions")
			e.end("AccessPoint")
		}
		e.end("AccessPoints")
	}), nil
}

func getMultiRegionPolicy(k *call) (any, error) {
	if err := k.atMultiRegionHome(); err != nil {
		return nil, err
	}
	p := k.state.multiRegion.get(k.request.rest.name, k.view())
	if p == nil {
		return nil, errorf(404, "NoSuchMultiRegionAccessPoint", "The specified Multi-Region Access Point does not exist")
	}
	return controlDocument("GetMultiRegionAccessPointPolicyResult", func(e *encoder) {
		e.begin("Policy")
		if p.Policy != "" {
			e.begin("Established")
			e.text("Policy", p.Policy)
			e.end("Established")
		}
		e.end("Policy")
	}), nil
}
