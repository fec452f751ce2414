package wire

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"
)

// TestAddressBook: of thousands of accounts a read asks its own and some others in turn, nobody is asked twice within the
// lifetime, all are known in the end, and what could not be read is said and keeps what was known.
func TestAddressBook(t *testing.T) {
	t.Parallel()
	const accounts = 1000
	all := manyAccounts(accounts)
	b := &addressBook{of: map[string]bookEntry{}}
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	asked := map[string]int{}
	one := func(account string) addresses {
		return addresses{list: []securitygroup.OwnAddress{{Address: netip.MustParseAddr("198.51.100.7"), Name: account}}}
	}
	for i := range 10 {
		due := b.due(all[999-i], all, now)
		if len(due) > mostAsked+1 || len(due) > 0 && due[0] != all[999-i] && asked[all[999-i]] == 0 {
			t.Fatalf("got %d accounts, the first %s, want the own one and at most %d", len(due), due[0], mostAsked)
		}
		list, unread := b.addresses(all, now)
		if len(list) != len(asked) || (unread == "") != (len(asked) == accounts) {
			t.Errorf("read %d: got %d addresses, %q, want %d and that others are not known", i, len(list), unread, len(asked))
		}
		for _, a := range due {
			asked[a]++
			b.note(a, one(a), now)
		}
	}
	for a, n := range asked {
		if n != 1 {
			t.Errorf("%s was asked %d times", a, n)
		}
	}
	if list, unread := b.addresses(all, now); len(list) != accounts || unread != "" {
		t.Errorf("got %d addresses, %q, want all", len(list), unread)
	}
	if due := b.due(all[5], all, now.Add(time.Hour)); len(due) != 1 || due[0] != all[5] {
		t.Errorf("an hour later: got %d accounts, want the own one", len(due))
	}
	b.note(all[5], addresses{unread: true}, now.Add(time.Hour))
	if list, unread := b.addresses(all, now); len(list) != accounts || unread != "the addresses of 1 of 1000 accounts are not known, or were last read more than a day ago" {
		t.Errorf("one could not be read: got %d addresses, %q", len(list), unread)
	}
	b.note(all[5], one(all[5]), now.Add(time.Hour))
	if _, unread := b.addresses(all, now); unread != "" {
		t.Errorf("it can be read again: got %q", unread)
	}
}

// TestAddressBookForgetsNoFailure: an account that could not be read once is asked again as soon as where there are few
// accounts, and not when its turn would come.
func TestAddressBookForgetsNoFailure(t *testing.T) {
	t.Parallel()
	all := manyAccounts(10_000)
	b := &addressBook{of: map[string]bookEntry{}}
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for range len(all)/mostAsked + 1 {
		for _, a := range b.due(all[0], all, now) {
			b.note(a, addresses{unread: a == all[7]}, now)
		}
	}
	now = now.Add(addressesFor)
	again := map[string]bool{}
	for range len(all)/mostAsked + 1 {
		for _, a := range b.due(all[0], all, now) {
			again[a] = true
			b.note(a, addresses{}, now)
		}
	}
	if len(again) != 2 || !again[all[0]] || !again[all[7]] {
		t.Errorf("got %d accounts, want the own one and the one that could not be read", len(again))
	}
	if _, unread := b.addresses(all, now); unread != "" {
		t.Errorf("got %q, want that all are known", unread)
	}
}

// TestAddressBookGrowsOld: an answer that is a day old is still named and does not count as known, however seldom there
// is a read. A clock that went back does not hold anybody up, and an account that is not configured counts for none.
func TestAddressBookGrowsOld(t *testing.T) {
	t.Parallel()
	all := manyAccounts(200)
	b := &addressBook{of: map[string]bookEntry{}}
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	ask := func(own string) {
		for _, a := range b.due(own, all, now) {
			b.note(a, addresses{list: []securitygroup.OwnAddress{{Address: netip.MustParseAddr("198.51.100.7"), Name: a}}}, now)
		}
	}
	unread := func(want string) {
		t.Helper()
		if want != "" {
			want = "the addresses of " + want + " of 200 accounts are not known, or were last read more than a day ago"
		}
		if _, got := b.addresses(all, now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	ask("999999999999")
	unread("72")
	ask(all[0])
	unread("")
	now = now.Add(knownFor - time.Second)
	unread("")
	now = now.Add(countFor)
	unread("200")
	if list, _ := b.addresses(all, now); len(list) != 201 {
		t.Errorf("got %d addresses, want those that were known", len(list))
	}
	ask(all[0])
	unread("71")
	ask(all[0])
	unread("")
	now = now.Add(-30 * 24 * time.Hour)
	ask(all[0])
	ask(all[0])
	unread("")
	for _, n := range []int{129, 1000, 10_000, 1_000_000} {
		if l := lifetimeAmong(n); l < addressesFor || 2*l > knownFor {
			t.Errorf("%d accounts: got %s", n, l)
		}
	}
}

func manyAccounts(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%012d", i))
	}
	return all
}
