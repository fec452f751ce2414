package usage

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// GapKind is why something may have been used without the ledger knowing.
type GapKind string

// The kinds of gaps.
const (
	GapShort      GapKind = "window-too-short"
	GapHours      GapKind = "hours-missing"
	GapRegion     GapKind = "region-missing"
	GapUnverified GapKind = "hours-unverified"
	GapDigest     GapKind = "digest-chain-broken"
	GapDamaged    GapKind = "file-damaged"
	GapLost       GapKind = "records-not-understood"
	GapScope      GapKind = "scope-undeclared"
	GapReads      GapKind = "reads-not-selected"
	GapRule       GapKind = "rule-drops-reads"
	GapWrites     GapKind = "writes-not-selected"
	GapData       GapKind = "data-events-not-selected"
	GapKMS        GapKind = "kms-excluded"
	GapRDSData    GapKind = "rds-data-excluded"
	GapChanged    GapKind = "trail-changed"
)

// Gap is a hole in what the ledger knows. It means stale, never unused: what
// falls into one goes to a person.
type Gap struct {
	Kind    GapKind `json:"kind"`
	Account string  `json:"account,omitempty"`
	Region  string  `json:"region,omitempty"`
	From    Second  `json:"from,omitzero"`
	To      Second  `json:"to,omitzero"`
	Why     string  `json:"why"`
	// Covered are, for data events, the resource types that are recorded.
	Covered []string `json:"covered,omitempty"`
}

// Need is an action about which someone wants to conclude that it is unused.
type Need struct {
	Source   string // ec2.amazonaws.com; "" for any
	ReadOnly bool
	Data     bool // its calls are data events
}

// Matters reports whether the gap stands against concluding that an action was
// not used. In doubt it does.
func (g Gap) Matters(n Need) bool {
	switch g.Kind {
	case GapReads, GapRule:
		return n.ReadOnly && !n.Data || n.Source == ""
	case GapWrites:
		return !n.ReadOnly && !n.Data || n.Source == ""
	case GapKMS:
		return n.Source == "kms.amazonaws.com" || n.Source == ""
	case GapRDSData:
		return n.Source == "rdsdata.amazonaws.com" || n.Source == "rds-data.amazonaws.com" || n.Source == ""
	case GapData:
		return n.Data && !slices.Contains(g.Covered, dataType(n.Source)) || n.Source == ""
	case GapShort, GapHours, GapRegion, GapUnverified, GapDigest, GapDamaged, GapLost, GapScope, GapChanged:
	}
	return true
}

// Window is the time about which something is to be concluded.
type Window struct {
	Account string // "" for every account that the ledger knows
	From    time.Time
	To      time.Time
}

// Gaps returns what the ledger does not know about a window, sorted. An account
// without gaps is one about which "unused" can be said.
func (l *Ledger) Gaps(ctx context.Context, w Window) ([]Gap, error) {
	if !w.From.Before(w.To) || w.To.Sub(w.From) > maxWindow {
		return nil, fmt.Errorf("window from %s to %s: want up to %d days", w.From.Format(time.RFC3339), w.To.Format(time.RFC3339), maxWindow/(24*time.Hour))
	}
	k, err := l.knowledge(ctx, w)
	if err != nil {
		return nil, fmt.Errorf("read gaps: %w", err)
	}
	var out []Gap
	for _, account := range k.accounts {
		out = append(out, k.gaps(account)...)
	}
	out = append(out, k.files(w.Account)...)
	slices.SortStableFunc(out, func(a, b Gap) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region), cmp.Compare(a.From, b.From), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return out, nil
}

// Recorded returns up to when an account is recorded: the end of the newest hour that
// every region has of which anything is recorded and which is declared, or seen where
// none is declared. Log files come late, so that no window ends now. The zero time is
// for an account of which nothing is recorded.
func (l *Ledger) Recorded(ctx context.Context, account string) (time.Time, error) {
	k, err := l.knowledge(ctx, Window{Account: account})
	if err != nil {
		return time.Time{}, fmt.Errorf("read until when %s is recorded: %w", account, err)
	}
	regions := k.regions[account]
	if len(regions) == 0 {
		return time.Time{}, nil
	}
	if scope, declared := k.scope(account); declared {
		regions = scope.Regions
	}
	last := Second(0)
	for _, region := range regions {
		if at := k.hours.latest(account, region); at != 0 && (last == 0 || at < last) {
			last = at
		}
	}
	return last.Time(), nil
}

// knowledge is what the store says about one window.
type knowledge struct {
	from, to Second // whole hours
	accounts []string
	hours    hourSet
	regions  map[string][]string // that were seen, by account
	scopes   map[string]Coverage // of trails, by account
	queues   map[string]Coverage // of event queues, by account
	losses   []Loss
	changes  []Change
	broken   []Broken
	marks    []Mark
}

func (l *Ledger) knowledge(ctx context.Context, w Window) (*knowledge, error) {
	k := &knowledge{
		from: SecondOf(w.From) / 3600 * 3600, to: SecondOf(w.To) / 3600 * 3600,
		regions: map[string][]string{}, scopes: map[string]Coverage{}, queues: map[string]Coverage{},
	}
	list, err := l.store.UsageHours(ctx, w.Account)
	if err != nil {
		return nil, err
	}
	k.hours = newHourSet(list)
	known := map[string]bool{}
	for _, h := range list {
		known[h.Account] = true
		if !slices.Contains(k.regions[h.Account], h.Region) {
			k.regions[h.Account] = append(k.regions[h.Account], h.Region)
		}
	}
	scopes, err := l.store.UsageFacts(ctx, factScope)
	if err != nil {
		return nil, err
	}
	for _, f := range scopes {
		var s Coverage
		if err := json.Unmarshal(f.Body, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", f.ID, err)
		}
		account, of := strings.TrimPrefix(f.ID, factScope+"/"), k.scopes
		if rest, ok := strings.CutPrefix(account, scopeOfQueue); ok {
			account, of = rest, k.queues
		}
		of[account] = s
		known[account] = true
	}
	if k.losses, err = facts[Loss](ctx, l.store, factLost); err != nil {
		return nil, err
	}
	if k.changes, err = facts[Change](ctx, l.store, factChange); err != nil {
		return nil, err
	}
	if k.broken, err = facts[Broken](ctx, l.store, factDigest); err != nil {
		return nil, err
	}
	if k.marks, err = l.store.UsageMarks(ctx); err != nil {
		return nil, err
	}
	k.accounts = slices.Sorted(maps.Keys(known))
	if w.Account != "" {
		k.accounts = []string{w.Account}
	}
	return k, nil
}

func facts[T any](ctx context.Context, s Store, kind string) ([]T, error) {
	list, err := s.UsageFacts(ctx, kind)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(list))
	for i, f := range list {
		if err := json.Unmarshal(f.Body, &out[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", f.ID, err)
		}
	}
	return out, nil
}

// scope is what holds of an account. A trail's scope comes before that of a queue,
// which then only adds. But an hour that a queue proved says nothing about data
// events, whatever the trail selects.
func (k *knowledge) scope(account string) (s Coverage, declared bool) {
	queue, isQueue := k.queues[account]
	s, declared = k.scopes[account]
	switch {
	case !declared:
		return queue, isQueue
	case isQueue:
		s.noData = true
	}
	return s, declared
}

// gaps are those of one account.
func (k *knowledge) gaps(account string) []Gap {
	var out []Gap
	scope, declared := k.scope(account)
	regions := slices.Sorted(slices.Values(k.regions[account]))
	if !declared {
		out = append(out, Gap{Kind: GapScope, Account: account, From: k.from, To: k.to,
			Why: "no scope is declared: dera does not know which regions and events were recorded; see dera usage import --scope"})
	} else {
		out = append(out, k.selected(account, scope)...)
		regions = slices.Sorted(slices.Values(scope.Regions))
		other := func(region string) bool { return dera.PartitionOf(region).ID != dera.Partitions()[0].ID }
		if !slices.Contains(regions, "us-east-1") && !slices.ContainsFunc(regions, other) {
			out = append(out, Gap{Kind: GapRegion, Account: account, Region: "us-east-1", From: k.from, To: k.to,
				Why: "IAM's own events are recorded in us-east-1, which is not declared"})
		}
	}
	for _, region := range regions {
		out = append(out, k.inRegion(account, region)...)
	}
	for _, region := range k.regions[account] {
		if declared && !slices.Contains(scope.Regions, region) {
			out = append(out, Gap{Kind: GapScope, Account: account, Region: region, From: k.from, To: k.to,
				Why: "there are records of this region, which is not declared"})
		}
	}
	for _, c := range k.changes {
		if c.Account == account && c.At >= k.from && c.At < k.to {
			out = append(out, Gap{Kind: GapChanged, Account: account, Region: c.Region, From: k.from, To: c.At,
				Why: fmt.Sprintf("%s by %s: what was recorded before may differ from what is declared", c.Name, cmp.Or(c.By, "an unknown principal"))})
		}
	}
	for _, b := range k.broken {
		if b.Account == account && b.From < k.to && b.To > k.from && !k.proved(b) {
			out = append(out, Gap{Kind: GapDigest, Account: account, Region: b.Region, From: b.From, To: b.To, Why: b.Why})
		}
	}
	return out
}

// selected are gaps because of what the trail or rule leaves out.
func (k *knowledge) selected(account string, s Coverage) []Gap {
	r := s.recorded()
	var out []Gap
	gap := func(is bool, kind GapKind, why string) {
		if is {
			out = append(out, Gap{Kind: kind, Account: account, From: k.from, To: k.to, Why: why})
		}
	}
	rule := s.RuleState == "ENABLED" || s.ofQueue()
	gap(!r.reads && rule, GapRule, "EventBridge drops read-only events unless the rule is in state "+RuleWithReads)
	gap(!r.reads && !rule, GapReads, "read-only management events are not recorded, or not all")
	gap(!r.writes && s.ofQueue(), GapWrites, "queue_rule_state is not declared: dera does not know that the EventBridge rule passes every write management event")
	gap(!r.writes && !s.ofQueue(), GapWrites, "write management events are not recorded, or not all")
	gap(!r.kms, GapKMS, "events of KMS are not recorded, or not all")
	gap(!r.rdsData, GapRDSData, "events of the RDS Data API are not recorded, or not all")
	out = append(out, Gap{Kind: GapData, Account: account, From: k.from, To: k.to, Covered: r.data,
		Why: "data events are recorded only where they are selected: " + cmp.Or(strings.Join(r.data, ", "), "nowhere")})
	if s.Since > k.from {
		out = append(out, Gap{Kind: GapShort, Account: account, From: k.from, To: min(s.Since, k.to),
			Why: "it is declared to be recorded so only since " + s.Since.String()})
	}
	return out
}

// inRegion are the hours that are missing or not verified, as stretches.
func (k *knowledge) inRegion(account, region string) []Gap {
	var out []Gap
	hours := int(k.to-k.from) / 3600
	count := map[GapKind]int{}
	for h := k.from; h < k.to; h += 3600 {
		seen, proved := k.hours.at(account, region, h)
		kind := GapKind("")
		switch {
		case !seen:
			kind = GapHours
		case !proved:
			kind = GapUnverified
		default:
			continue
		}
		count[kind]++
		if n := len(out); n > 0 && out[n-1].Kind == kind && out[n-1].To == h {
			out[n-1].To += 3600
			continue
		}
		out = append(out, Gap{Kind: kind, Account: account, Region: region, From: h, To: h + 3600})
	}
	if count[GapHours] == hours {
		return []Gap{{Kind: GapRegion, Account: account, Region: region, From: k.from, To: k.to, Why: "nothing was recorded in this region"}}
	}
	for i := range out {
		out[i].Why = "nothing was recorded, and no digest shows that nothing happened"
		if out[i].Kind == GapUnverified {
			out[i].Why = "recorded, but no digest shows that this is all and unchanged"
		}
	}
	return out
}

// proved reports whether every hour of a broken stretch has been proved since.
func (k *knowledge) proved(b Broken) bool {
	for h := b.From / 3600 * 3600; h < b.To; h += 3600 {
		if _, ok := k.hours.at(b.Account, b.Region, h); !ok {
			return false
		}
	}
	return b.From < b.To
}

// files are gaps because of files and events that could not be read whole: of the
// account, region and time of the event, or of the file as its name tells them.
func (k *knowledge) files(only string) []Gap {
	var out []Gap
	add := func(g Gap) {
		if g.Account != "" && only != "" && g.Account != only || g.To != 0 && (g.To <= k.from || g.From >= k.to) {
			return
		}
		out = append(out, g)
	}
	for _, l := range k.losses {
		add(Gap{Kind: GapLost, Account: l.Account, Region: l.Region, From: l.At, To: l.At + 3600, Why: "events could not be attributed: " + string(l.Why)})
	}
	for _, m := range k.marks {
		var g Gap
		if p, ok := cloudtrail.LogPlaceOf(m.Name); ok {
			g = Gap{Account: p.Account, Region: p.Region, From: SecondOf(p.From), To: SecondOf(p.To)}
		}
		switch {
		case !m.Done:
			g.Kind, g.Why = GapDamaged, fmt.Sprintf("%s was read up to record %d and then the import was stopped; import it again", m.Name, m.Records)
			add(g)
		case m.Damage != "":
			g.Kind, g.Why = GapDamaged, fmt.Sprintf("%s: %s", m.Name, m.Damage)
			add(g)
		}
		if m.Lost > 0 {
			g.Kind, g.Why = GapLost, fmt.Sprintf("%s: %d of %d records could not be attributed", m.Name, m.Lost, m.Records)
			add(g)
		}
	}
	return out
}
