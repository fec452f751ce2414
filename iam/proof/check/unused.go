package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

// Unused says why the absence of what was removed from the record of use means
// that it was not used. The checker decides all of it again, from the documents
// of the certificate and from the table of observed actions that it carries.
type Unused struct {
	DataEvents bool     `json:"data_events"` // recorded for all resources all the time
	Days       int      `json:"days"`        // for which use was watched
	Gaps       []string `json:"gaps"`        // of the record of use, that were considered
	Inputs     string   `json:"inputs"`      // what the table was made from
	Period     int      `json:"period"`      // days for which use must be watched for what is rarely used
	Reasons    []Reason `json:"reasons"`     // for each action that was removed
	Record     string   `json:"record"`      // digest of all but the reasons, of the window and of what was relied on
	Table      string   `json:"table"`       // SHA-256 of the table
	Unclear    []string `json:"unclear"`     // services of which there were events that are not understood
	Used       []string `json:"used"`        // actions
}

// Reason is that of some actions.
type Reason struct {
	Actions    []string `json:"actions"`
	Checked    int      `json:"checked"`    // how many entries the actions are used with
	Class      string   `json:"class"`      // O1, O2 or O3
	Companions []string `json:"companions"` // those of them that the old policies allowed, and the new ones do not
	Source     string   `json:"source"`     // document, and when it was read
}

// recordOf is the digest of what a certificate relies on about the use.
func (c *Certificate) recordOf() (string, error) {
	u := *c.Unused
	u.Reasons, u.Record = nil, ""
	text, err := json.Marshal(struct {
		Unused            Unused
		Window            Window
		Catalogue, Events string
	}{u, c.Window, c.Catalogue, c.Events})
	if err != nil {
		return "", fmt.Errorf("digest of the record of use: %w", err)
	}
	return sum(text), nil
}

// Fill computes the reasons and the digest for what is otherwise complete.
func (c *Certificate) Fill(old, fresh, beside []*policy.Document) error {
	t, err := theTable()
	if err != nil {
		return err
	}
	u := c.Unused
	u.Table, u.Inputs = t.digest, t.inputs
	if u.Reasons, err = u.decide(t, old, fresh, beside); err != nil {
		return err
	}
	u.Record, err = c.recordOf()
	return err
}

// unused checks the section of the certificate that says why.
func (c *Certificate) unused(old, fresh, beside []*policy.Document) error {
	u := c.Unused
	switch {
	case c.Purpose != Scope && u == nil:
		return nil
	case c.Purpose != Scope || u == nil:
		return fmt.Errorf("the purpose %q and the reasons do not belong together", c.Purpose)
	}
	t, err := theTable()
	if err != nil {
		return err
	}
	if u.Table != t.digest || u.Inputs != t.inputs {
		return fmt.Errorf("the table of observed actions is %s (%s), this checker has %s (%s)", u.Table, u.Inputs, t.digest, t.inputs)
	}
	record, err := c.recordOf()
	if err != nil {
		return err
	}
	if record != u.Record {
		return fmt.Errorf("the digest of the record of use is %s, the certificate says %s", record, u.Record)
	}
	if err := c.watched(); err != nil {
		return err
	}
	reasons, err := u.decide(t, old, fresh, beside)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(reasons, u.Reasons) {
		return errors.New("the reasons are others than those of the table")
	}
	return nil
}

// watched checks that the days are those of the window, and that no gap is
// longer than some services.
func (c *Certificate) watched() error {
	days := 0
	if c.Window != (Window{}) {
		from, errFrom := time.Parse(time.RFC3339, c.Window.From)
		to, errTo := time.Parse(time.RFC3339, c.Window.To)
		if err := errors.Join(errFrom, errTo); err != nil {
			return fmt.Errorf("the window: %w", err)
		}
		if from.Before(time.Date(2013, time.November, 13, 0, 0, 0, 0, time.UTC)) {
			return fmt.Errorf("the window begins %s, before there was CloudTrail", c.Window.From)
		}
		days = int(to.Sub(from) / (24 * time.Hour))
	}
	if days != c.Unused.Days || days < 0 {
		return fmt.Errorf("use was watched for %d days, the window has %d", c.Unused.Days, days)
	}
	if c.Unused.Period < leastPeriod {
		return fmt.Errorf("what is rarely used must be watched for %d days at least, not %d", leastPeriod, c.Unused.Period)
	}
	for _, g := range c.Unused.Gaps {
		excluded, left := strings.CutSuffix(g, "-excluded") // events of a service, whose use is unclear then
		unclear := left && slices.Contains([]string{"kms", "rds-data"}, excluded) && slices.Contains(c.Unused.Unclear, excluded)
		if !unclear && (g != "data-events-not-selected" || c.Unused.DataEvents) {
			return fmt.Errorf("the record of use has the gap %q", g)
		}
	}
	return nil
}

// leastPeriod is how many days what is rarely used must have been watched.
const leastPeriod = 365

// allowed joins what the allowances of some documents list.
func allowed(docs ...[]*policy.Document) (actions, error) {
	var list []string
	for _, part := range docs {
		for _, d := range part {
			for i := range d.Statements {
				switch st := &d.Statements[i]; {
				case st.Effect != policy.Allow:
				case st.NotActions != nil:
					return actions{}, errors.New("a policy allows everything but a list")
				default:
					list = append(list, st.Actions...)
				}
			}
		}
	}
	return newActions(list, false), nil
}

// decide finds what was removed, and why it may be.
func (u *Unused) decide(t *observed, old, fresh, beside []*policy.Document) ([]Reason, error) {
	before, err := allowed(old)
	if err != nil {
		return nil, err
	}
	after, err := allowed(fresh)
	if err != nil {
		return nil, err
	}
	others := make([]string, 0, len(beside))
	everything := false
	for _, d := range beside {
		for i := range d.Statements {
			if st := &d.Statements[i]; st.Effect == policy.Allow {
				others, everything = append(others, st.Actions...), everything || st.NotActions != nil
			}
		}
	}
	if everything {
		others = append(others, "*")
	}
	stays, used := newActions(append(entriesOf(fresh), others...), false), newActions(u.Used, false)
	present, was := map[string]bool{}, map[string]bool{}
	ask := func(known map[string]bool, with string, of ...*actions) bool {
		is, ok := known[with]
		if !ok {
			is = slices.ContainsFunc(of, func(s *actions) bool { return t.any(s, with) })
			known[with] = is
		}
		return is
	}
	unknown := ""
	if passes := newAction(strings.ToLower(catalog.PassRole)); !before.excludes(passes) && after.excludes(passes) {
		unknown = t.unknown(&after)
	}
	groups := map[string]*Reason{}
	seen := map[string]bool{} // a name may be listed twice
	var problem error
	t.each(&before, func(s *service, r *row) {
		if !after.excludes(r.low) || problem != nil || seen[r.name] {
			return
		}
		seen[r.name] = true
		list, companions := r.with(), []string(nil)
		for _, with := range list {
			if ask(present, with, &stays, &used) {
				problem = fmt.Errorf("%s was removed, but %s, which it is used with, stays or was used", r.name, with)
				return
			}
			if ask(was, with, &before) {
				companions = append(companions, with)
			}
		}
		problem = u.may(r, &used, unknown)
		class, source := s.source(r.class)
		key := strings.Join(append([]string{class, source, strconv.Itoa(len(list))}, companions...), "\n")
		if groups[key] == nil {
			groups[key] = &Reason{Checked: len(list), Class: class, Companions: append([]string{}, companions...), Source: source}
		}
		groups[key].Actions = append(groups[key].Actions, r.name)
	})
	return join(groups), problem
}

func entriesOf(docs []*policy.Document) []string {
	var out []string
	for _, d := range docs {
		for i := range d.Statements {
			if d.Statements[i].Effect == policy.Allow {
				out = append(out, d.Statements[i].Actions...)
			}
		}
	}
	return out
}

// unknown returns an entry that the table has no action of, or an action that no
// source speaks of and that does more than read, or "".
func (o *observed) unknown(s *actions) string {
	var found string
	o.each(s, func(_ *service, r *row) {
		if r.class == 'U' && !r.reads && (found == "" || r.low.text < found) {
			found = r.low.text
		}
	})
	if found != "" {
		return found
	}
	for i := range s.entries {
		if a := &s.entries[i]; !a.all {
			known := o.services[a.service]
			if known == nil || !slices.ContainsFunc(known.actions, func(r row) bool {
				return r.low.text == a.text || a.wild() && a.matches(r.low.name)
			}) {
				return a.text
			}
		}
	}
	return ""
}

// may says why an action may not be called unused.
func (u *Unused) may(r *row, used *actions, unknown string) error {
	switch {
	case !used.excludes(r.low):
		return fmt.Errorf("%s was removed, but it was used", r.name)
	case slices.Contains(u.Unclear, r.low.service):
		return fmt.Errorf("%s was removed, but there were events of its service that are not understood", r.name)
	case r.class == 'D' && !u.DataEvents:
		return fmt.Errorf("%s was removed, but data events were not recorded", r.name)
	case r.class == 'H' && r.list == "", strings.IndexByte("MDH", r.class) < 0:
		return fmt.Errorf("%s was removed, but no source shows that it was not used", r.name)
	case r.name == catalog.PassRole && unknown != "":
		return fmt.Errorf("%s was removed, but %s stays, which is not known", r.name, unknown)
	case r.name != catalog.PassRole && u.Days < u.Period && rare(r.name):
		return fmt.Errorf("%s was removed, but use was watched for %d days only", r.name, u.Days)
	}
	return nil
}

// rare reports whether an action is for identities, recovery, incidents or lost keys, and so
// needed though it is rarely used.
func rare(name string) bool {
	_, verb, _ := strings.Cut(name, ":")
	needed := []string{
		"iam:*", "sts:*", "organizations:*", "backup:*", "backup-gateway:*", "dr:*", "drs:*", "kms:PutKeyPolicy", "kms:CancelKeyDeletion", "rds:Describe*",
		"ssm:StartSession",
	}
	switch {
	case slices.ContainsFunc(needed, func(pattern string) bool { ok, err := path.Match(pattern, name); return ok && err == nil }),
		strings.Contains(verb, "Restore"), strings.Contains(verb, "Failover"), strings.Contains(verb, "Rollback"),
		strings.Contains(verb, "Snapshot") && (strings.HasPrefix(verb, "Copy") || strings.HasPrefix(verb, "Create")):
		return true
	}
	return false
}

// join brings the reasons and their actions into order.
func join(groups map[string]*Reason) []Reason {
	out := make([]Reason, 0, len(groups))
	for _, r := range groups {
		slices.Sort(r.Actions)
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Reason) int { return slices.Compare(a.Actions, b.Actions) })
	return out
}
