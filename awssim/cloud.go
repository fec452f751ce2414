package awssim

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Config configures a [Cloud]. The zero value is a working one.
type Config struct {
	// Now is the clock of the simulated AWS: of events, session expiry, visibility timeouts and stale reads.
	// Default: time.Now.
	Now func() time.Time
	// Seed makes identifiers and keys repeatable: equal seeds and equal calls give equal identifiers.
	Seed uint64
	// Regions are the Regions enabled in every account. Default: the 17 that AWS enables by default.
	Regions []string
	// KeepCalls is how many of the latest calls and events [Cloud.Calls] and [Cloud.Events] can still show.
	// Counters are exact regardless. Default: 100,000.
	KeepCalls int
}

// Cloud is one simulated AWS with any number of accounts. It is an http.Handler. Make one with [New].
type Cloud struct {
	now        func() time.Time
	regions    []string
	services   map[string]service
	recorder   *recorder
	faults     *faults
	forwarding *forwarding

	mu         sync.Mutex // guards all below, and the state of every regionState
	ids        *idSource
	principals map[string]*principal // by access key ID
	roles      map[string]*role      // by ARN
	states     map[place]*regionState
	queues     map[string]*queue // by ARN
	buckets    map[string]place  // where the bucket of a name is, or was last
}

// place is where state lives.
type place struct{ account, region string }

// New returns a cloud without accounts; [Cloud.Account] makes them as they are named.
func New(cfg Config) *Cloud {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if len(cfg.Regions) == 0 {
		cfg.Regions = defaultRegions()
	}
	if cfg.KeepCalls <= 0 {
		cfg.KeepCalls = 100_000
	}
	c := &Cloud{
		now:        func() time.Time { return cfg.Now().UTC() },
		regions:    slices.Sorted(slices.Values(cfg.Regions)),
		recorder:   newRecorder(cfg.KeepCalls),
		faults:     &faults{},
		forwarding: &forwarding{},
		ids:        newIDSource(cfg.Seed),
		principals: map[string]*principal{},
		roles:      map[string]*role{},
		states:     map[place]*regionState{},
		queues:     map[string]*queue{},
		buckets:    map[string]place{},
	}
	c.services = map[string]service{"ec2": newEC2(), "sts": newSTS(), "sqs": newSQS(), "s3": newS3(), "s3control": newS3Control(), "cloudfront": newCloudFront(), "config": newConfig(), "iam": newIAM(),
		"scheduler": newScheduler(), "events": newEvents(), "backup": newBackup(), "lambda": newLambda(), "securityhub": newSecurityHub()}
	return c
}

// state returns the state of a place, made on first use as AWS delivers it: a default VPC with its default group.
// The caller holds c.mu.
func (c *Cloud) state(at place) *regionState {
	s, ok := c.states[at]
	if !ok {
		s = newRegionState(at, c.ids, c.now)
		c.states[at] = s
	}
	return s
}

// defaultRegions are the Regions that need no opt-in:
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
func defaultRegions() []string {
	return []string{
		"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
		"ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
		"us-east-1", "us-east-2", "us-west-1", "us-west-2",
	}
}

// checkAccountID panics on anything but twelve digits: a wrong account is wrong wiring of a test or a demo.
func checkAccountID(id string) {
	if len(id) != 12 {
		panic(fmt.Sprintf("awssim: account ID %q is not twelve digits", id))
	}
	for _, r := range id {
		if r < '0' || r > '9' {
			panic(fmt.Sprintf("awssim: account ID %q is not twelve digits", id))
		}
	}
}
