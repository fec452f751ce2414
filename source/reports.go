package source

import (
	"encoding/json"
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// TestKind is the detail-type of the test events that dera doctor sends, and TestSource their
// source.
const (
	TestKind   = "dera test"
	TestSource = "dera"
)

// mostTest bounds the ID of a test event.
const mostTest = 64

// TestEvent is the envelope of a test event.
func TestEvent(id string) string {
	body, _ := json.Marshal(map[string]any{"version": "0", "id": id, "source": TestSource, "detail-type": TestKind, "detail": map[string]string{}}) // texts alone: it cannot fail
	return string(body)
}

// testID is the ID of a test event, or "".
func testID(raw []byte) string {
	var e struct {
		ID, Source string
		Kind       string `json:"detail-type"`
	}
	if json.Unmarshal(raw, &e) != nil || e.Kind != TestKind || e.Source != TestSource || len(e.ID) > mostTest {
		return ""
	}
	return e.ID
}

// others sorts what other services find; false for a message of another kind.
func (s sieve) others(b *batch, m Message) bool {
	raw := []byte(m.Body)
	if id := testID(raw); id != "" {
		b.Counts.Test++
		b.Tests = append(b.Tests, id)
		b.kind(KindTest)
		return true
	}
	if !cloudtrail.IsReport(raw) {
		return false
	}
	list, err := cloudtrail.DecodeReports(raw)
	if err != nil {
		b.keep(m, why(err))
	}
	if len(list) == 0 {
		b.Counts.Malformed++
		return true
	}
	b.kind(list[0].Source) // its names are those of the kinds
	if !s.reports(b, m, list, err != nil) {
		b.Counts.Malformed++
	}
	return true
}

// reports sorts the findings of one message. The message counts as the best of what became of
// them; each finding that is no hint is tallied. It returns false, and counts nothing, where
// others of the message could not be read and none of these is a hint.
func (s sieve) reports(b *batch, m Message, list []cloudtrail.Report, torn bool) bool {
	var hinted, unmapped, left int
	foreign := ""
	for _, r := range list {
		key := strings.Join([]string{r.Source, r.Account, r.Region, r.ID, r.Name, r.Rule, r.Time.String()}, "\x00")
		switch {
		case r.Left != "":
			left++
			b.tally(LeftPrefix + r.Left)
			continue
		case r.ID != "" && b.seen[key]:
			left++
			b.tally(LeftPrefix + "doubled")
			continue
		}
		b.seen[key] = true
		var ours []dera.Scope
		hints := s.watch.HintsOfReport(r)
		for _, h := range hints {
			if s.accounts[h.Account] {
				ours = append(ours, h)
			} else {
				foreign = h.Account
			}
		}
		switch {
		case len(ours) > 0:
			hinted++
		case len(hints) > 0:
		case !s.accounts[r.Account]:
			foreign = r.Account
		default:
			unmapped++
			s.unmapped(b, m, r)
		}
		for _, scope := range ours {
			b.event(s.reported(b, r, scope))
		}
	}
	switch {
	case hinted > 0:
		b.Counts.Hinted++
	case torn:
		return false
	case foreign != "":
		b.foreign(m, foreign)
	case unmapped > 0:
		b.Counts.Unmapped++
	case left > 0:
		b.Counts.Left++
	}
	return true
}

// reported is the hint at one place. A custom action that anybody could have sent is a hint and
// no more.
func (s sieve) reported(b *batch, r cloudtrail.Report, scope dera.Scope) dera.Event {
	e := dera.Event{Source: s.source, ID: r.ID, Name: r.Name, Scope: scope, Time: moment(r.Time, b.At), Authenticated: s.authenticated && r.Trusted}
	if r.Now && e.Authenticated {
		e.Now, e.Name = true, "the custom action "+r.Action+" of Security Hub"
	}
	return e
}

// unmapped counts a finding that no control answers, and keeps one example a day of what found
// it.
func (s sieve) unmapped(b *batch, m Message, r cloudtrail.Report) {
	rule := generator(r)
	b.tally(UnmappedPrefix + rule)
	b.keep(Message{ID: "unmapped/" + rule + "/" + b.At.UTC().Format("2006-01-02"), Body: m.Body},
		fmt.Sprintf("no control answers %s, and no resource that it names is looked at", rule))
}

// generator is what found it, under the name of its service, in words that fit a counter. What
// stands in an ARN of one account stands for all.
func generator(r cloudtrail.Report) string {
	rule := r.Rule
	if rule == "" && len(r.Resources) > 0 {
		rule = r.Resources[0].Type
	}
	if strings.HasPrefix(rule, "arn:") {
		rule = dera.ARN(rule).Service() + " " + strings.SplitN(dera.ARN(rule).Resource(), "/", 2)[0]
	}
	return r.Source + " " + orElse(rule, "unnamed")
}

func (b *batch) tally(name string) {
	if b.Tallies == nil {
		b.Tallies = map[string]int64{}
	}
	b.Tallies[name]++
}
