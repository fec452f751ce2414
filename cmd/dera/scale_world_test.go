package main

import (
	"encoding/json"
	"fmt"

	"dera.example/dera/awssim"
)

// computedEstate is a world of accounts with security groups that is computed and not stored: what a group is follows from
// the seed, its account, its number and how many rounds of changes there were.
type computedEstate struct {
	Seed     uint64
	Accounts int
	Groups   int // of an account
	Wrong    int // one of so many groups is open
	Changes  int // one of so many is another one after the first round
	Opening  int // one of so many is opened by an event, and never for another reason
}

// The region of the estate, and the account that dera itself is in.
const (
	scaleRegion = "us-east-1"
	scaleHub    = "999999999999"
)

// The controls that run, whose truth is known of each kind of group.
const (
	adminControl    = "ec2-securitygroup-admin-ports-open"
	databaseControl = "ec2-securitygroup-database-open"
)

// groupKind is what a group allows, and which control fails by it.
type groupKind struct {
	rules []awssim.Rule
	fails []string
}

func admits(protocol string, from, to int, cidr string) awssim.Rule {
	return awssim.Rule{Protocol: protocol, FromPort: from, ToPort: to, CIDR: cidr}
}

// groupKinds are what groups can be: first those by which no control fails, and from firstOpen on those by which one
// does, some of them in ways that a comparison of texts does not see.
func groupKinds() []groupKind {
	admin, database := []string{adminControl}, []string{databaseControl}
	return []groupKind{
		{rules: []awssim.Rule{admits("tcp", 443, 443, "10.0.0.0/8")}},
		{rules: []awssim.Rule{admits("tcp", 22, 22, "10.1.0.0/16"), admits("tcp", 443, 443, "0.0.0.0/0")}},
		{rules: []awssim.Rule{admits("tcp", 5432, 5432, "172.31.0.0/16"), admits("udp", 53, 53, "10.0.0.0/8")}},
		{rules: []awssim.Rule{admits("icmp", 8, -1, "0.0.0.0/0"), admits("tcp", 8080, 8090, "192.168.0.0/16"), admits("tcp", 443, 443, "::/0")}},
		{},
		{[]awssim.Rule{admits("tcp", 22, 22, "0.0.0.0/0")}, admin},
		{[]awssim.Rule{admits("tcp", 3380, 3400, "0.0.0.0/0"), admits("tcp", 443, 443, "10.0.0.0/8")}, admin},
		{[]awssim.Rule{admits("tcp", 22, 22, "::/0")}, admin},
		{[]awssim.Rule{admits("tcp", 22, 22, "0.0.0.0/1"), admits("tcp", 22, 22, "128.0.0.0/1")}, admin},
		{[]awssim.Rule{admits("tcp", 0, 65535, "0.0.0.0/0")}, admin}, // of databases the other control takes rules for few ports alone
		{[]awssim.Rule{admits("tcp", 5432, 5432, "0.0.0.0/0"), admits("tcp", 22, 22, "10.0.0.0/8")}, database},
	}
}

const (
	firstOpen = 5
	lastKind  = 10
)

// draw is a number that follows from what it is about.
func (e computedEstate) draw(account, group int, about uint64) uint64 {
	x := e.Seed
	for _, v := range []uint64{uint64(account), uint64(group), about} {
		x = (x ^ v) + 0x9e3779b97f4a7c15 // splitmix64
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// What a draw is about.
const (
	drawKind = iota
	drawChange
	drawChanged
	drawEvent
	drawID
	drawAttached
)

// ofEvents reports whether a group is one of those that events open: it is closed until then.
func (e computedEstate) ofEvents(account, group int) bool {
	return e.Opening > 0 && e.draw(account, group, drawEvent)%uint64(e.Opening) == 0
}

// changes reports whether a group is another one after the first round.
func (e computedEstate) changes(account, group int) bool {
	return e.Changes > 0 && !e.ofEvents(account, group) && e.draw(account, group, drawChange)%uint64(e.Changes) == 0
}

// kind is which of groupKinds a group is after some rounds. Of those that change, half are open after it.
func (e computedEstate) kind(account, group, round int) int {
	h := e.draw(account, group, drawKind)
	open := h%uint64(e.Wrong) == 0
	if round > 0 && e.changes(account, group) {
		h = e.draw(account, group, drawChanged)
		open = h%2 == 0
	}
	if open && !e.ofEvents(account, group) {
		return firstOpen + int(h>>32%(lastKind-firstOpen+1))
	}
	return int(h >> 32 % firstOpen)
}

func (e computedEstate) accountID(i int) string { return fmt.Sprintf("%012d", 100_000_000_000+i) }

// accountOf is the number of an account of the estate.
func (e computedEstate) accountOf(id string) (i int, ok bool) {
	if n, err := fmt.Sscanf(id, "1%011d", &i); err != nil || n != 1 || i >= e.Accounts || e.accountID(i) != id {
		return 0, false
	}
	return i, true
}

func (e computedEstate) groupID(account, group int) string {
	return fmt.Sprintf("sg-0%016x", e.draw(account, group, drawID))
}

func (e computedEstate) groupName(account, group int) string {
	return fmt.Sprintf("g-%d-%d", account, group)
}

// fill puts the groups of an account into its region, half of those that are open with an interface. What an event
// opened allows everybody to reach SSH.
func (e computedEstate) fill(r *awssim.Region, account, round int, opened func(group int) bool) error {
	kinds := groupKinds()
	for g := range e.Groups {
		k := e.kind(account, g, round)
		if opened(g) {
			k = firstOpen
		}
		r.PutSecurityGroup(e.groupID(account, g), e.groupName(account, g), kinds[k].rules...)
		if h := e.draw(account, g, drawAttached); k >= firstOpen && h%2 == 0 {
			if _, err := r.AttachInterface(fmt.Sprintf("198.51.100.%d", h>>8%250), e.groupID(account, g)); err != nil {
				return err
			}
		}
	}
	return nil
}

// truth is each group and control that fail after some rounds.
func (e computedEstate) truth(round int) map[string]bool {
	kinds, out := groupKinds(), map[string]bool{}
	for a := range e.Accounts {
		for g := range e.Groups {
			for _, c := range kinds[e.kind(a, g, round)].fails {
				out[e.groupID(a, g)+" "+c] = true
			}
		}
	}
	return out
}

// turned are how many groups are of another kind after the first round.
func (e computedEstate) turned() (n int) {
	for a := range e.Accounts {
		for g := range e.Groups {
			if e.kind(a, g, 0) != e.kind(a, g, 1) {
				n++
			}
		}
	}
	return n
}

// score holds findings, as dera lists them, against the truth.
func (e computedEstate) score(round int, findings []byte) (found, missed, wrong int, err error) {
	var list []struct{ Control, Resource string }
	if err := json.Unmarshal(findings, &list); err != nil {
		return 0, 0, 0, fmt.Errorf("read findings: %w", err)
	}
	truth, seen := e.truth(round), map[string]bool{}
	for _, f := range list {
		id := f.Resource
		if len(id) > 20 {
			id = id[len(id)-20:] // of its ARN
		}
		key := id + " " + f.Control
		if seen[key] {
			continue
		}
		seen[key] = true
		if truth[key] {
			found++
		} else {
			wrong++
		}
	}
	return found, len(truth) - found, wrong, nil
}
