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
	var all []string
	for i := range accounts {
		all = append(all, fmt.Sprintf("%012d", i))
	}
	b := &addressBook{of: map[string]bookEntry{}}
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	asked := map[string]int{}
	one := func(account string) addresses {
		return addresses{list: []securitygroup.OwnAddress{{Address: netip.MustParseAddr("198.51.100.7"), Name: account}}}
	}
	for i := range 10 {
		due := b.due(all[999-i], all, now, 2*time.Hour)
		if len(due) > mostAsked+1 || len(due) > 0 && due[0] != all[999-i] && asked[all[999-i]] == 0 {
			t.Fatalf("got %d accounts, the first %s, want the own one and at most %d", len(due), due[0], mostAsked)
		}
		list, unread := b.addresses(accounts)
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
	if list, unread := b.addresses(accounts); len(list) != accounts || unread != "" {
		t.Errorf("got %d addresses, %q, want all", len(list), unread)
	}
	if due := b.due(all[5], all, now.Add(time.Hour), 2*time.Hour); len(due) != 1 || due[0] != all[5] {
		t.Errorf("an hour later: got %d accounts, want the own one", len(due))
	}
	b.note(all[5], addresses{unread: true}, now.Add(time.Hour))
	if list, unread := b.addresses(accounts); len(list) != accounts || unread != "the addresses of 1 of 1000 accounts are not known" {
		t.Errorf("one could not be read: got %d addresses, %q", len(list), unread)
	}
	b.note(all[5], one(all[5]), now.Add(time.Hour))
	if _, unread := b.addresses(accounts); unread != "" {
		t.Errorf("it can be read again: got %q", unread)
	}
}
