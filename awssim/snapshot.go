package awssim

import (
	"cmp"
	"maps"
	"slices"
)

// Snapshot is the present state of a cloud, for assertions from outside the API: a copy, in a stable order.
type Snapshot struct {
	Groups []Group
	Queues []Queue
}

// Group is a security group of a [Snapshot].
type Group struct {
	Account, Region, ID, Name, Description, VPC string
	Tags                                        map[string]string
	Rules                                       []Rule // in the order in which they were added
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
	places := slices.SortedFunc(maps.Keys(c.states), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.region, b.region))
	})
	for _, at := range places {
		for _, g := range c.states[at].groups.all {
			shot.Groups = append(shot.Groups, g.snapshot(at))
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
