package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera/source"
)

// rarely is how long a kind may be silent that nothing is said of.
const rarely = 30 * 24 * time.Hour

// sources looks when each kind of message last came. A rule that was switched
// off looks just like a quiet day.
func (x *examination) sources(ctx context.Context) error {
	if x.Queue == "" && len(x.Expect) == 0 {
		return nil
	}
	for _, kind := range source.Kinds() {
		if err := x.kind(ctx, kind); err != nil {
			return err
		}
	}
	text, err := x.Store.Remembered(ctx, rememberEvent+"sqs")
	if lag, bad := time.ParseDuration(text); err == nil && bad == nil && lag > 15*time.Minute {
		x.says("sources", "lag", ToDo, "events were "+lag.String()+" old when they came", "CloudTrail takes minutes; more is a queue that nobody emptied, or a slow way between buses")
	}
	return err
}

func (x *examination) kind(ctx context.Context, kind string) error {
	text, err := x.Store.Remembered(ctx, rememberDelivery+kind)
	if err != nil {
		return err
	}
	most, expected := x.Expect[kind]
	if kind == source.KindCloudTrail && x.Queue != "" && !x.LogFiles && !expected {
		most, expected = 24*time.Hour, true
	}
	at, err := time.Parse(time.RFC3339, text)
	age := x.Now().Sub(at).Truncate(time.Second)
	const fix = "compare rules, their states and the queue's policy with dera pattern; is a trail recording?"
	switch {
	case text == "" && expected:
		x.says("sources", kind, ToDo, "nothing has ever arrived", fix)
	case text == "" && kind == source.KindConfig:
		x.says("sources", kind, Healthy, "none has arrived; it is optional", "")
	case text == "": // optional too, and not everybody has it
	case err != nil:
		return fmt.Errorf("read when %s last came: %w", kind, err)
	case age > cmp.Or(most, rarely):
		x.says("sources", kind, ToDo, "silent for "+age.String(), fix)
	default:
		x.says("sources", kind, Healthy, "last came "+age.String()+" ago", "")
	}
	return nil
}

// alarms lists the alarms that stand.
func (x *examination) alarms(ctx context.Context) error {
	list, err := x.Store.Alarms(ctx)
	if err != nil {
		return err
	}
	for _, a := range list {
		x.account = a.Account
		x.says("alarms", a.Key, ToDo, fmt.Sprintf("%s, since %s", a.Title, Stamp(a.Since)), a.Why)
	}
	x.account = ""
	return nil
}

// mostUnmapped is how many rules without a control are listed.
const mostUnmapped = 5

// unmapped lists what others find most and no control answers.
func (x *examination) unmapped(ctx context.Context) error {
	counts, err := x.Store.Counters(ctx)
	if err != nil {
		return err
	}
	var rules []string
	var all int64
	for name, n := range counts {
		if rule, ok := strings.CutPrefix(name, source.UnmappedPrefix); ok {
			rules = append(rules, rule)
			all += n
		}
	}
	if all == 0 {
		return nil
	}
	of := func(rule string) int64 { return counts[source.UnmappedPrefix+rule] }
	slices.SortFunc(rules, func(a, b string) int { return cmp.Or(cmp.Compare(of(b), of(a)), cmp.Compare(a, b)) })
	var top []string
	for _, rule := range rules[:min(len(rules), mostUnmapped)] {
		top = append(top, fmt.Sprintf("%s (%d)", Plain(rule), of(rule)))
	}
	x.says("findings of others", "", Healthy, fmt.Sprintf("%d have no control of dera, of %d rules: most of them %s; dera findings --events has an example of each", all, len(rules), strings.Join(top, ", ")), "")
	return nil
}
