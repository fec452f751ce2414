package usage

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"dera.example/dera/cloudtrail"
)

// place is an account and region in a month.
type place struct {
	account, region string
	month           int // years times 12 plus months
}

// Hours says in which hours of a month something was recorded in a region of an
// account. One bit is one hour of UTC.
type Hours struct {
	Account string
	Region  string
	Month   int      // years times 12 plus months from 0
	Seen    [93]byte // 31 days
	// Proved are hours that came on an authenticated path: of log files, those
	// whose digests show that every delivered file is here.
	Proved [93]byte
}

// monthOf is the month of a time.
func monthOf(t time.Time) int { return t.Year()*12 + int(t.Month()) - 1 }

// Merge adds what another part of the ledger knows of the same month.
func (h *Hours) Merge(o Hours) {
	for i := range h.Seen {
		h.Seen[i] |= o.Seen[i]
		h.Proved[i] |= o.Proved[i]
	}
}

// day is where the hours of a day are noted.
type day struct {
	hours *Hours
	first int // bit
}

// hour notes that something was recorded.
func (a *aggregate) hour(account, region []byte, at uint32) {
	a.scratch = binary.LittleEndian.AppendUint32(a.scratch[:0], at/86400)
	a.scratch = append(append(a.scratch, account...), region...)
	d, ok := a.days[string(a.scratch)]
	if !ok {
		t := Second(at).Time()
		h := hoursOf(a.hours, string(account), string(region), t, func() { a.size += 400 })
		d = day{h, (t.Day() - 1) * 24}
		a.days[string(a.scratch)] = d
		a.size += 100
	}
	d.hours.set(d.first+int(at%86400/3600), a.live)
}

// hoursOf returns the month of a time; grown is called for a new one.
func hoursOf(hours map[place]*Hours, account, region string, t time.Time, grown func()) *Hours {
	p := place{account, region, monthOf(t)}
	h := hours[p]
	if h == nil {
		h = &Hours{Account: account, Region: region, Month: p.month}
		hours[p] = h
		grown()
	}
	return h
}

func (h *Hours) set(bit int, proved bool) {
	h.Seen[bit/8] |= 1 << (bit % 8)
	if proved {
		h.Proved[bit/8] |= 1 << (bit % 8)
	}
}

// hourSet looks up hours of one account.
type hourSet map[place]*Hours

func newHourSet(list []Hours) hourSet {
	out := hourSet{}
	for i := range list {
		out[place{list[i].Account, list[i].Region, list[i].Month}] = &list[i]
	}
	return out
}

// at reports whether the hour of a time was seen, and whether it was proved.
func (s hourSet) at(account, region string, at Second) (seen, proved bool) {
	t := at.Time()
	h := s[place{account, region, monthOf(t)}]
	if h == nil {
		return false, false
	}
	bit := (t.Day()-1)*24 + t.Hour()
	return h.Seen[bit/8]&(1<<(bit%8)) != 0, h.Proved[bit/8]&(1<<(bit%8)) != 0
}

// Change is a call that may have changed what a trail records.
type Change struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Name    string `json:"name"`
	At      Second `json:"at"`
	By      string `json:"by"` // key of the principal
}

// trailCall reports whether a call of CloudTrail may change what trails record.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Operations.html
func trailCall(name []byte) bool {
	for _, read := range [...]string{"Get", "List", "Describe", "Lookup", "Search"} {
		if bytes.HasPrefix(name, []byte(read)) {
			return false
		}
	}
	for _, what := range [...]string{"Trail", "EventSelectors", "Logging", "EventConfiguration"} {
		if bytes.HasSuffix(name, []byte(what)) {
			return true
		}
	}
	return false
}

// maxChanges bounds the changes of one flush; many at once say no more than some.
const maxChanges = 1000

// changed notes a change of what is recorded.
func (a *aggregate) changed(f *cloudtrail.Fields, account, region []byte, at uint32) {
	name := cloudtrail.Text(f.Name)
	if string(cloudtrail.Text(f.Source)) != "cloudtrail.amazonaws.com" || len(a.changes) >= maxChanges || !trailCall(name) {
		return
	}
	key, _, _, _ := f.Identity.Principal(nil)
	a.changes = append(a.changes, Change{string(account), string(region), string(name), Second(at), string(key)})
}

// Span returns the begin of the first hour of which anything is recorded of an account,
// and up to when it is recorded, as Recorded says it; zero times where nothing is.
func (l *Ledger) Span(ctx context.Context, account string) (from, to time.Time, err error) {
	if to, err = l.Recorded(ctx, account); err != nil || to.IsZero() {
		return time.Time{}, time.Time{}, err
	}
	list, err := l.store.UsageHours(ctx, account)
	if err != nil {
		return time.Time{}, time.Time{}, fmt.Errorf("read since when %s is recorded: %w", account, err)
	}
	for _, h := range list {
		for bit := range len(h.Seen) * 8 {
			if h.Seen[bit/8]&(1<<(bit%8)) == 0 {
				continue
			}
			if at := h.start(bit); from.IsZero() || at.Before(from) {
				from = at
			}
			break
		}
	}
	return from, to, nil
}

// start is when the hour of a bit begins.
func (h *Hours) start(bit int) time.Time {
	return time.Date(h.Month/12, time.Month(h.Month%12+1), 1, bit, 0, 0, 0, time.UTC)
}

// latest is the end of the newest hour of which something was recorded in a region.
func (s hourSet) latest(account, region string) Second {
	var last Second
	for p, h := range s {
		if p.account != account || p.region != region {
			continue
		}
		for bit := len(h.Seen)*8 - 1; bit >= 0; bit-- {
			if h.Seen[bit/8]&(1<<(bit%8)) != 0 {
				last = max(last, SecondOf(h.start(bit))+3600)
				break
			}
		}
	}
	return last
}
