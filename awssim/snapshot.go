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
	c.mu.Lock()
	defer c.mu.Unlock()
	var shot Snapshot
	places := slices.SortedFunc(maps.Keys(c.states), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.region, b.region))
	})
	for _, at := range places {
		for _, g := range c.states[at].groups.all {
			shot.Groups = append(shot.Groups, g.snapshot(at))
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(c.queues)) {
		shot.Queues = append(shot.Queues, c.queues[arn].snapshot())
	}
	return shot
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
