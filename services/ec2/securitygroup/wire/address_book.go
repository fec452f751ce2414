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
	read int // entries that are not unread
	// list are the addresses of all, or nil where some changed since it was made.
	list []securitygroup.OwnAddress
}

// bookEntry is an account in the book.
type bookEntry struct {
	addresses
	asked time.Time
}

// bookFor is how long a book is kept: longer than dera runs.
const bookFor = 100 * 365 * 24 * time.Hour

// bookedAddresses is ownAddresses for many accounts.
func (g groupReader) bookedAddresses(ctx context.Context, all []string) (own []securitygroup.OwnAddress, unread string, err error) {
	book, err := cloud.Remember(g.Reading, "addresses in "+g.Scope.Region, bookFor, func() (*addressBook, error) {
		return &addressBook{of: map[string]bookEntry{}}, nil
	})
	if err != nil {
		return nil, "", err
	}
	lifetime := addressesFor * time.Duration(len(all)/mostAsked+1)
	due := book.due(g.Scope.Account, all, g.At, lifetime)
	for i, f := range g.askAddresses(ctx, due, addressesFor) {
		book.note(due[i], f, g.At)
	}
	own, unread = book.addresses(len(all))
	return own, unread, ctx.Err()
}

// due are the accounts to ask now: the own one, and of the next ones in turn those that were not asked within the
// lifetime. Nobody else asks them meanwhile.
func (b *addressBook) due(own string, all []string, now time.Time, lifetime time.Duration) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	ask := func(account string, lifetime time.Duration) {
		if e := b.of[account]; e.asked.IsZero() || now.Sub(e.asked) >= lifetime {
			if e.asked.IsZero() {
				e.unread = true // until it is answered
			}
			e.asked = now
			b.set(account, e)
			out = append(out, account)
		}
	}
	ask(own, addressesFor)
	for range mostAsked {
		ask(all[b.next%len(all)], lifetime)
		b.next++
	}
	return out
}

// set replaces an entry.
func (b *addressBook) set(account string, e bookEntry) {
	old, there := b.of[account]
	if there && !old.unread {
		b.read--
	}
	if !e.unread {
		b.read++
	}
	if !slices.Equal(old.list, e.list) {
		b.list = nil
	}
	b.of[account] = e
}

// note keeps what was answered about an account. What could not be read this time stands as it was, and is not known to
// be all.
func (b *addressBook) note(account string, f addresses, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.unread {
		f.list = b.of[account].list
	}
	b.set(account, bookEntry{f, now})
}

// addresses are all that are known, and of how many accounts they are not.
func (b *addressBook) addresses(accounts int) (list []securitygroup.OwnAddress, unread string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.list == nil {
		b.list = []securitygroup.OwnAddress{}
		for _, account := range slices.Sorted(maps.Keys(b.of)) {
			b.list = append(b.list, b.of[account].list...)
		}
	}
	if dark := accounts - b.read; dark > 0 {
		unread = fmt.Sprintf("the addresses of %d of %d accounts are not known", dark, accounts)
	}
	return b.list, unread
}
