package console

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"dera.example/dera"
	"dera.example/dera/app"
)

// expiresSoon is how long before its end an exemption is marked.
const expiresSoon = 30 * 24 * time.Hour

func blameText(b app.Blame) string {
	return map[app.Blame]string{app.BlameYes: "Yes, it was dera", app.BlameNo: "No, it was not dera", app.BlameUnknown: "Not decidable"}[b]
}

// wouldBe is the decision that what dera would do belongs to.
func wouldBe(would string) string {
	return map[string]string{"fix": "auto", "ask": "review", "report": "alert", "leave": "exempt"}[would]
}

// percent is the length of a part beside the largest, in hundredths of it.
func percent(part, largest int) string {
	if largest <= 0 {
		return "0"
	}
	return strconv.Itoa(min(100, part*100/largest))
}

// covers is what an exemption covers, in one line.
func covers(m dera.ExemptionMatch) string {
	var out []string
	for _, x := range []struct {
		of   string
		list []string
	}{{"controls", m.Controls}, {"accounts", m.Accounts}, {"ous", m.OUs}, {"resources", m.Resources}, {"keys", m.Keys}, {"sources", m.Sources}, {"permissions", m.Permissions}} {
		if len(x.list) > 0 {
			out = append(out, x.of+": "+strings.Join(x.list, " "))
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(m.Tags)) {
		out = append(out, "tag "+tag+"="+m.Tags[tag])
	}
	return strings.Join(out, ", ")
}

// unreadText is why a place is not read.
func unreadText(u app.Unreadable) string {
	return strings.TrimSpace(strings.Join([]string{u.Region, u.Type, u.Resource}, " ")) + ": " + cmp.Or(u.Problem, u.Error) + u.SinceText()
}

// recordText is what a record is about, in one line.
func recordText(r recorded) string {
	text := slices.DeleteFunc([]string{stateText(r.State), r.Control, r.Operation, strings.Join(r.Diff, "; "), r.Why}, func(s string) bool { return s == "" })
	line := strings.Join(text, " · ")
	if short := []rune(line); len(short) > 300 {
		return string(short[:300]) + "…"
	}
	return line
}

func recordLink(index int64) templ.SafeURL {
	return templ.SafeURL("/audit/" + strconv.FormatInt(index, 10))
}

func ruleLink(id string) templ.SafeURL {
	return templ.SafeURL("/rulebook?" + url.Values{"control": {id}}.Encode())
}

func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
