package console

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"dera.example/dera"
)

const perPage = 100

// query is which findings a page lists; it stands in the address, so that it can be shared.
type query struct {
	text, severity, decision, state          string
	account, control, region, owner, grouped string
	group                                    string
	from                                     int
}

// groupings are what findings can be counted by.
func groupings() []string { return []string{"resource", "control", "account", "owner"} }

// What each choice of a filter has.
func severities() []string { return []string{"critical", "high", "medium", "low"} }
func decisions() []string  { return []string{"auto", "review", "alert", "exempt"} }
func states() []string     { return []string{"open", "unknown", "resolved", "all"} }

// queryOf reads what an address asks for. What it does not know it leaves out.
func queryOf(v url.Values) query {
	q := query{
		text: strings.TrimSpace(v.Get("q")), severity: v.Get("severity"), decision: v.Get("decision"), state: v.Get("state"),
		account: v.Get("account"), control: v.Get("control"), region: v.Get("region"), owner: v.Get("owner"), grouped: v.Get("resource"),
	}
	for _, f := range []struct {
		value *string
		known []string
	}{{&q.severity, severities()}, {&q.decision, decisions()}, {&q.state, states()}} {
		if !slices.Contains(f.known, *f.value) {
			*f.value = "" // else the page would say that there is nothing, with a choice that it does not show
		}
	}
	if slices.Contains(groupings(), v.Get("group")) {
		q.group = v.Get("group")
	}
	if n, err := strconv.Atoi(v.Get("from")); err == nil && n > 0 {
		q.from = n
	}
	return q
}

func (q query) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"q": q.text, "severity": q.severity, "decision": q.decision, "state": q.state, "account": q.account, "control": q.control,
		"region": q.region, "owner": q.owner, "group": q.group, "resource": q.grouped,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.from > 0 {
		v.Set("from", strconv.Itoa(q.from))
	}
	return v
}

func (q query) url() templ.SafeURL { return templ.SafeURL("/findings?" + q.values().Encode()) }

// without is the same list without one of its filters.
func (q query) without(name string) templ.SafeURL {
	v := q.values()
	v.Del(name)
	v.Del("from")
	return templ.SafeURL("/findings?" + v.Encode())
}

// at is the same list from another place on.
func (q query) at(from int) templ.SafeURL {
	q.from = max(from, 0)
	return q.url()
}

// into is what a group counts.
func (q query) into(name string) templ.SafeURL {
	v := q.values()
	v.Del("group")
	v.Set(q.group, name)
	return templ.SafeURL("/findings?" + v.Encode())
}

// listOf is the list with one filter.
func listOf(name, value string) templ.SafeURL {
	return templ.SafeURL("/findings?" + url.Values{name: {value}}.Encode())
}

func (q query) fits(f *listed) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	switch q.state {
	case "all":
	case "":
		if !f.LeftOpen() && (q.decision != dera.Exempt.String() || f.State == dera.FindingResolved) {
			return false
		}
	default:
		if string(f.State) != q.state {
			return false
		}
	}
	if !is(q.severity, f.Severity.String()) || !is(q.decision, f.Disposition.String()) || !is(q.account, f.Account) || !is(q.control, f.Control) ||
		!is(q.region, f.Region) || !is(q.owner, f.Owner) || !is(q.grouped, string(f.Resource)) {
		return false
	}
	return q.text == "" || strings.Contains(f.searched, q.text)
}

// groupOf is the name of the group that a finding counts in.
func (q query) groupOf(f *listed) string {
	switch q.group {
	case "control":
		return f.Control
	case "account":
		return f.Account
	case "owner":
		return f.Owner
	}
	return string(f.Resource)
}

// count is a group of findings.
type count struct {
	name                string
	critical, high, all int
}

// result is a page of a list.
type result struct {
	rows        []dera.Finding
	groups      []count
	from, total int
	all         int // of those that are known
	grouped     int // groups that there are, of which the worst are here
}

// mostGroups is how many groups a page has.
const mostGroups = 200

// find lists what fits, or counts it by group.
func (q query) find(rows []listed) result {
	q.text = strings.ToLower(q.text)
	out := result{from: q.from, all: len(rows)}
	groups, counts := map[string]int{}, []count{}
	for i := range rows { // each is large, and there can be very many
		f := &rows[i]
		if !q.fits(f) {
			continue
		}
		out.total++
		if q.group == "" {
			if out.total > q.from && len(out.rows) < perPage {
				out.rows = append(out.rows, f.Finding)
			}
			continue
		}
		name := q.groupOf(f)
		at, known := groups[name]
		if !known {
			at, counts = len(counts), append(counts, count{name: name})
			groups[name] = at
		}
		c := &counts[at]
		c.all++
		switch f.Severity {
		case dera.Critical:
			c.critical++
		case dera.High:
			c.high++
		case dera.Medium, dera.Low:
		}
	}
	out.groups, out.grouped = worst(counts, mostGroups), len(counts)
	if last := (out.total - 1) / perPage * perPage; q.group == "" && out.total > 0 && q.from > last {
		q.from = last // there are fewer now
		return q.find(rows)
	}
	return out
}

// worst are the first n of what there is, in order: of very many only these are sorted.
func worst(list []count, n int) []count {
	order := func(a, b count) int {
		return cmp.Or(cmp.Compare(b.critical, a.critical), cmp.Compare(b.high, a.high), cmp.Compare(b.all, a.all), cmp.Compare(a.name, b.name))
	}
	var out []count
	for _, c := range list {
		if len(out) == n && order(c, out[n-1]) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(out, c, order)
		out = slices.Insert(out, at, c)
		out = out[:min(len(out), n)]
	}
	return out
}

// command is the command that lists the same, empty where none does: a command does not search, takes a
// severity as that and worse, and an account or a control as a pattern. It is to be copied, so that
// nothing of the address may be more than one word of it.
func (q query) command(flags string) string {
	if q.text+q.owner+q.grouped+q.group+q.decision+q.region != "" || q.severity != "" && q.severity != dera.Critical.String() || q.state != "" && q.state != "all" {
		return ""
	}
	out := "dera findings"
	if q.state == "all" {
		out += " --all"
	}
	for _, f := range []struct{ flag, value string }{{"severity", q.severity}, {"account", q.account}, {"control", q.control}} {
		switch {
		case strings.ContainsFunc(f.value, func(c rune) bool { return !wordRune(c) }):
			return ""
		case f.value != "":
			out += " --" + f.flag + "=" + f.value
		}
	}
	return out + flags
}

// wordRune reports whether a character means itself to a shell and in a pattern.
func wordRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c)
}
