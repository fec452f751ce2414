package awssim

import (
	"cmp"
	"maps"
	"slices"
)

// Snapshot is the present state of a cloud, for assertions from outside the API: a copy, in a stable order.
type Snapshot struct {
	Groups       []Group
	Queues       []Queue
	Buckets      []Bucket
	Blocks       map[string]PublicAccessBlock // of accounts that have one, by account
	AccessPoints []AccessPoint
	Policies     []ManagedPolicy // AWS's own too
	Identities   []Identity      // roles, users and groups of IAM
}

// Group is a security group of a [Snapshot].
type Group struct {
	Account, Region, ID, Name, Description, VPC string
	Tags                                        map[string]string
	Rules                                       []Rule // in the order in which they were added
}

// Bucket is an S3 bucket of a [Snapshot].
type Bucket struct {
	Account, Region, Name string
	Policy                string // byte for byte; empty: none
	Grants                []Grant
	Block                 *PublicAccessBlock // nil: none
	Ownership             string             // empty: no ownership controls
	Tags                  map[string]string
	Website               bool
}

// AccessPoint is an S3 access point of a [Snapshot].
type AccessPoint struct {
	Account, Region, Name, Bucket string
	Policy                        string // empty: none
	Block                         PublicAccessBlock
}

// Queue is a queue of a [Snapshot].
type Queue struct {
	ARN, URL string
	Bodies   []string // of the messages that are not deleted, in the order in which they were sent
}

// Snapshot returns the present state. Groups are in order of account, Region and creation.
func (c *Cloud) Snapshot() Snapshot {
	shot, queues := c.locked()
	// A queue takes the cloud's lock while it holds its own, so the cloud's must be free here.
	for _, q := range queues {
		shot.Queues = append(shot.Queues, q.snapshot())
	}
	return shot
}

// locked returns what the cloud's lock guards, and the queues in order.
func (c *Cloud) locked() (shot Snapshot, queues []*queue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	shot.Blocks = map[string]PublicAccessBlock{}
	places := slices.SortedFunc(maps.Keys(c.states), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.region, b.region))
	})
	for _, at := range places {
		for _, g := range c.states[at].groups.all {
			shot.Groups = append(shot.Groups, g.snapshot(at))
		}
		for _, b := range c.states[at].buckets.all {
			shot.Buckets = append(shot.Buckets, b.snapshot())
		}
		for _, a := range c.states[at].accessPoints.all {
			shot.AccessPoints = append(shot.AccessPoints, AccessPoint{Account: at.account, Region: at.region, Name: a.name, Bucket: a.bucket, Policy: a.policy, Block: a.block})
		}
		for _, p := range c.states[at].policies.all {
			shot.Policies = append(shot.Policies, p.snapshot())
		}
		for _, e := range c.states[at].entities.all {
			shot.Identities = append(shot.Identities, e.snapshot())
		}
		for _, block := range c.states[at].blocks.all {
			shot.Blocks[at.account] = *block
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(c.queues)) {
		queues = append(queues, c.queues[arn])
	}
	return shot, queues
}

// Group returns the group with the ID, and whether there is one.
func (s Snapshot) Group(id string) (Group, bool) {
	i := slices.IndexFunc(s.Groups, func(g Group) bool { return g.ID == id })
	if i < 0 {
		return Group{}, false
	}
	return s.Groups[i], true
}

// Bucket returns the bucket of that name, and whether there is one.
func (s Snapshot) Bucket(name string) (Bucket, bool) {
	i := slices.IndexFunc(s.Buckets, func(b Bucket) bool { return b.Name == name })
	if i < 0 {
		return Bucket{}, false
	}
	return s.Buckets[i], true
}

func (b *bucket) snapshot() Bucket {
	shown := Bucket{
		Account: b.account, Region: b.region, Name: b.name, Policy: b.policy, Grants: slices.Clone(b.grants),
		Ownership: b.ownership, Tags: maps.Clone(b.tags), Website: b.website != nil,
	}
	if b.block != nil {
		block := *b.block
		shown.Block = &block
	}
	return shown
}

func (g *group) snapshot(at place) Group {
	shown := Group{
		Account: at.account, Region: at.region, ID: g.id, Name: g.name, Description: g.description, VPC: g.vpc,
		Tags: maps.Clone(g.tags),
	}
	for _, r := range g.rules {
		shown.Rules = append(shown.Rules, *r.clone())
	}
	return shown
}

func (q *queue) snapshot() Queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	shown := Queue{ARN: q.arn, URL: q.url}
	for _, m := range q.messages {
		shown.Bodies = append(shown.Bodies, m.body)
	}
	return shown
}
