package evaluate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera/iam/scope"
	"dera.example/dera/resource"
)

// What the guardrails of permissions say where there is nothing to guard: a type that
// decides nobody's permissions, and a finding whose plan takes none away.
const (
	nobodys   = "nobody's permissions depend on it"
	takesNone = "it takes no permission from anybody"
	// awsTells stands where a plan stops a principal (control.Meta).
	awsTells = "AWS itself tells when it was used last"
)

// principals are those whose permissions the resource decides, each with its ARN; none
// for a type that decides nobody's.
func (c Case) principals() []resource.Principal {
	if c.Type.Principals == nil {
		return nil
	}
	list := slices.Clone(c.Type.Principals(c.Resource.Config))
	for i := range list {
		if list[i].ARN == "" {
			list[i].ARN = string(c.Resource.ARN.Whole())
		}
		if list[i].ARN == "" {
			list[i].ARN = string(c.Finding.Resource.Whole())
		}
		if !c.Stops { // how long it was not used says nothing of a single permission
			list[i].Idle, list[i].IdleFrom = 0, 0
		}
	}
	return list
}

// losing are the principals that lose permissions, or why there are none.
func (c Case) losing() (list []resource.Principal, none string) {
	switch list = c.principals(); {
	case len(list) == 0:
		return nil, nobodys
	case len(c.taken()) == 0:
		return nil, takesNone
	}
	return list, ""
}

// taken are the permissions that a plan takes: all of them where it stops a principal.
func (c Case) taken() []string {
	if c.Stops {
		return []string{"*"}
	}
	return c.Finding.Permissions
}

// someOf puts a few of a list in words.
func someOf(list []string) string {
	const most = 3
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

// minute is a time for people.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// inHours is a duration in whole hours where it has some.
func inHours(d time.Duration) string {
	if d >= time.Hour && d%time.Hour == 0 {
		return count(int(d/time.Hour), "hour")
	}
	return d.String()
}

// orDefault is n, or def for 0.
func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// days is a number of days as a duration.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// ofService is the first service of a principal that is one of the named ones: its
// name or the name of a part of it, such as scheduler of scheduler.amazonaws.com.
func ofService(p resource.Principal, names []string) (service string, ok bool) {
	i := slices.IndexFunc(p.Services, func(s string) bool {
		return slices.ContainsFunc(strings.Split(strings.ToLower(s), "."), func(label string) bool { return slices.Contains(names, label) })
	})
	if i < 0 {
		return "", false
	}
	return p.Services[i], true
}

// meeting are the permissions that have an action in common with one of the patterns.
func meeting(permissions, patterns []string) (out []string) {
	for _, entry := range permissions {
		if slices.ContainsFunc(patterns, func(p string) bool { return scope.Meets(entry, p) }) {
			out = append(out, entry)
		}
	}
	return out
}

// actionGlobs refuses what is no entry of an Action list.
func actionGlobs(field string, list []string) (errs []error) {
	for i, p := range list {
		if !keepAction.MatchString(p) {
			errs = append(errs, fmt.Errorf("%s[%d]: %q is not an action such as rds:Restore* or *:Restore*", field, i, p))
		}
	}
	return errs
}
