package wire

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"dera.example/dera/cloud"
	"dera.example/dera/services/ec2/securitygroup"
)

// addressBook is what is known of the addresses of many accounts in a region. A read asks its own account and the next
// ones whose turn it is, so that it takes no longer however many accounts there are.
type addressBook struct {
	mu   sync.Mutex
	of   map[string]bookEntry
	next int // whose turn it is
	// list are the addresses of all, or nil where some changed since it was made.
	list []securitygroup.OwnAddress
	// dark are the accounts whose addresses were not known when they were counted; counted is zero where an answer
	// came since.
	dark    int
	counted time.Time
}

// bookEntry is an account in the book. It is unread until its first answer, and while its last one is that it cannot be
// read.
type bookEntry struct {
	addresses
	asked, answered time.Time
}

const (
	// bookFor is how long a book is kept: longer than dera runs.
	bookFor = 100 * 365 * 24 * time.Hour
	// knownFor is how old an answer may be that counts as known: a day, as the text says.
	knownFor = 24 * time.Hour
	// countFor is how long a count of what is not known stands.
	countFor = time.Minute
)

// bookedAddresses is ownAddresses for many accounts.
func (g groupReader) bookedAddresses(ctx context.Context, all []string) (own []securitygroup.OwnAddress, unread string, err error) {
	book, err := cloud.Remember(g.Reading, "addresses in "+g.Scope.Region, bookFor, func() (*addressBook, error) {
		return &addressBook{of: map[string]bookEntry{}}, nil
	})
	if err != nil {
		return nil, "", err
	}
	due := book.due(g.Scope.Account, all, g.At)
	for i, f := range g.askAddresses(ctx, due, g.addressesOf) {
		book.note(due[i], f, g.At)
	}
	own, unread = book.addresses(all, g.At)
	return own, unread, ctx.Err()
}

// lifetimeAmong is after how long one of so many accounts is asked again: as often as all of them can be in turn, and
// long before what it answered does not count as known any more.
func lifetimeAmong(accounts int) time.Duration {
	return min(addressesFor*time.Duration(accounts/mostAsked+1), knownFor/2)
}

// due are the accounts to ask now: the own one, and of the next ones in turn those that were not asked within their
// lifetime, which is short where the last answer is that they cannot be read. Nobody else asks them meanwhile.
func (b *addressBook) due(own string, all []string, now time.Time) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	ask := func(account string, lifetime time.Duration) {
		e, there := b.of[account]
		if e.unread {
			lifetime = addressesFor
		}
		if there && now.Sub(e.asked).Abs() < lifetime {
			return
		}
		e.unread, e.asked = e.unread || !there, now // unread until it is answered
		b.of[account] = e
		out = append(out, account)
	}
	ask(own, addressesFor)
	lifetime := lifetimeAmong(len(all))
	for range mostAsked {
		ask(all[b.next%len(all)], lifetime)
		b.next++
	}
	return out
}

// note keeps what was answered about an account at a time. What could not be read this time stands as it was, and is not
// known to be all.
func (b *addressBook) note(account string, f addresses, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.of[account]
	e := bookEntry{f, now, now}
	if f.unread {
		e.list, e.answered = old.list, old.answered
	}
	if !slices.Equal(old.list, e.list) {
		b.list = nil
	}
	b.of[account] = e
	b.counted = time.Time{}
}

// addresses are all that are known, and of how many of the accounts they are not: nobody could read them, or not for
// knownFor.
func (b *addressBook) addresses(all []string, now time.Time) (list []securitygroup.OwnAddress, unread string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.list == nil {
		b.list = []securitygroup.OwnAddress{}
		for _, account := range slices.Sorted(maps.Keys(b.of)) {
			b.list = append(b.list, b.of[account].list...)
		}
	}
	if now.Sub(b.counted).Abs() >= countFor {
		b.dark, b.counted = 0, now
		for _, account := range all {
			e, there := b.of[account]
			if !there || e.unread || now.Sub(e.answered).Abs() >= knownFor {
				b.dark++
			}
		}
	}
	if b.dark > 0 {
		unread = fmt.Sprintf("the addresses of %d of %d accounts are not known, or were last read more than a day ago", b.dark, len(all))
	}
	return b.list, unread
}
