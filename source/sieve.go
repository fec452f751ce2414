package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// maxKept bounds the body of a kept message, in bytes.
const maxKept = 2048

// sieve turns messages into a delivery.
type sieve struct {
	source        string
	watch         cloudtrail.Watch
	accounts      map[string]bool
	authenticated bool
}

func newSieve(source string, watch cloudtrail.Watch, accounts []string, authenticated bool) sieve {
	s := sieve{source: source, watch: watch, accounts: make(map[string]bool, len(accounts)), authenticated: authenticated}
	for _, id := range accounts {
		s.accounts[id] = true
	}
	return s
}

// batch collects one delivery. The index finds the event of a scope key.
type batch struct {
	Delivery
	index map[string]int
	seen  map[string]bool // findings, by their ID and what they say
}

// sift sorts every message into exactly one count.
func (s sieve) sift(messages []Message, now time.Time) Delivery {
	b := &batch{Delivery: Delivery{Source: s.source, At: now, Authenticated: s.authenticated}, index: map[string]int{}, seen: map[string]bool{}}
	for _, m := range messages {
		s.safely(b, m)
	}
	return b.Delivery
}

// safely is message for one that may break what reads it: it is malformed then, and harms no other.
func (s sieve) safely(b *batch, m Message) {
	counts, raw := b.Counts, len(b.Raw)
	defer func() {
		if p := recover(); p != nil {
			b.Counts = counts
			b.Counts.Received++
			b.Counts.Malformed++
			if b.Raw = b.Raw[:raw]; s.authenticated {
				b.Raw = append(b.Raw, []byte(m.Body))
			}
			b.keep(m, fmt.Sprintf("reading it broke: %v", p))
		}
	}()
	s.message(b, m)
}

func (s sieve) message(b *batch, m Message) {
	b.Counts.Received++
	raw := []byte(m.Body)
	if s.authenticated { // else nobody believes it
		b.Raw = append(b.Raw, raw)
	}
	if !s.watch.Triage(raw) {
		b.Counts.Irrelevant++
		b.kind(KindCloudTrail)
		return
	}
	r, err := cloudtrail.Decode(raw)
	if errors.Is(err, cloudtrail.ErrNotCloudTrail) && cloudtrail.IsCompliance(raw) {
		s.compliance(b, m)
		return
	}
	if errors.Is(err, cloudtrail.ErrNotCloudTrail) && cloudtrail.IsAnalysis(raw) {
		s.analysis(b, m)
		return
	}
	if errors.Is(err, cloudtrail.ErrNotCloudTrail) && s.others(b, m) {
		return
	}
	if err != nil {
		b.Counts.Malformed++
		b.keep(m, why(err))
		return
	}
	b.kind(KindCloudTrail)
	if !s.accounts[r.Account] {
		b.foreign(m, r.Account)
		return
	}
	b.heard(BackfillPlace{r.Account, r.Region}, moment(r.Time, b.At))
	hints := s.watch.Hints(r)
	switch {
	case r.Failed():
		b.Counts.Failed++
		return
	case len(hints) == 0:
		b.Counts.Irrelevant++
		return
	}
	b.Counts.Hinted++
	for _, scope := range hints {
		b.event(dera.Event{
			Source: s.source, ID: r.ID, Name: r.Name, Scope: scope, Actor: r.Actor(), UserAgent: r.UserAgent,
			Time: moment(r.Time, b.At), Authenticated: s.authenticated && r.Trusted, Document: s.watch.Document(r), Leans: r.Leaning(),
		})
	}
}

// compliance sorts a compliance change of AWS Config. One of a resource type that
// dera does not cover is irrelevant, not an error: users have rules for
// everything.
func (s sieve) compliance(b *batch, m Message) {
	c, err := cloudtrail.DecodeCompliance([]byte(m.Body))
	if err != nil {
		b.Counts.Malformed++
		b.keep(m, why(err))
		return
	}
	b.kind(KindConfig)
	s.hinted(b, m, c.Account, s.watch.HintsOf(c), dera.Event{ID: c.ID, Name: cloudtrail.ComplianceKind, Time: c.Time, Authenticated: c.Trusted})
}

// analysis sorts a finding of Access Analyzer alike.
func (s sieve) analysis(b *batch, m Message) {
	a, err := cloudtrail.DecodeAnalysis([]byte(m.Body))
	if err != nil {
		b.Counts.Malformed++
		b.keep(m, why(err))
		return
	}
	b.kind(KindAnalyzer)
	s.hinted(b, m, a.Account, s.watch.HintsOfAnalysis(a), dera.Event{ID: a.ID, Name: a.Kind, Time: a.Time, Authenticated: a.Trusted})
}

// hinted adds an event for each place that a message of another service is a hint for.
func (s sieve) hinted(b *batch, m Message, account string, hints []dera.Scope, e dera.Event) {
	switch {
	case !s.accounts[account]:
		b.foreign(m, account)
		return
	case len(hints) == 0:
		b.Counts.Irrelevant++
		return
	}
	b.Counts.Hinted++
	e.Source, e.Time, e.Authenticated = s.source, moment(e.Time, b.At), e.Authenticated && s.authenticated
	for _, scope := range hints {
		e.Scope = scope
		b.event(e)
	}
}

// foreign counts and keeps a message of an account that is not ours.
func (b *batch) foreign(m Message, account string) {
	b.Counts.Foreign++
	b.keep(m, fmt.Sprintf("account %s is not covered by this configuration", account))
}

// heard notes that a call of a place came.
func (b *batch) heard(p BackfillPlace, at time.Time) {
	if b.Heard == nil {
		b.Heard = map[BackfillPlace]time.Time{}
	}
	if at.After(b.Heard[p]) {
		b.Heard[p] = at
	}
}

// kind notes what kind of message arrived.
func (b *batch) kind(k string) {
	if !slices.Contains(b.Kinds, k) {
		b.Kinds = append(b.Kinds, k)
	}
}

// event adds e, or puts it in the place of an older one with the same scope.
func (b *batch) event(e dera.Event) {
	key := e.Scope.Key()
	if e.Now { // what a person asked for is not lost behind what else came
		key += "/now"
	}
	i, ok := b.index[key]
	switch {
	case !ok:
		b.index[key] = len(b.Events)
		b.Events = append(b.Events, e)
	case !e.Time.Before(b.Events[i].Time):
		b.Older = append(b.Older, b.Events[i])
		e.Leans = min(e.Leans, b.Events[i].Leans) // of two calls on one resource the worse one says when it is looked at
		b.Events[i] = e
	default:
		b.Older = append(b.Older, e)
		b.Events[i].Leans = min(e.Leans, b.Events[i].Leans)
	}
}

func (b *batch) keep(m Message, why string) {
	id := m.ID
	if id == "" {
		sum := sha256.Sum256([]byte(m.Body))
		id = hex.EncodeToString(sum[:16])
	}
	b.Kept = append(b.Kept, Kept{ID: id, At: b.At, Why: why, Body: cloudtrail.Redact([]byte(m.Body), maxKept)})
}

// why tells a refusal without quoting more of the message than a field.
func why(err error) string {
	var field *cloudtrail.FieldError
	if errors.As(err, &field) {
		return field.Error()
	}
	return err.Error()
}

func moment(t, fallback time.Time) time.Time {
	if t.IsZero() {
		return fallback
	}
	return t
}
