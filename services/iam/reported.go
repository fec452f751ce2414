package iam

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/resource"
)

// PartReported is what AWS itself says of the use of permissions.
const PartReported = "use as AWS reports it"

// Reports is the part of what AWS itself says of the use of permissions. It is asked about what
// the usage ledger knows something of, and for a plan alone.
func Reports() resource.Part {
	return resource.Part{Name: PartReported, Port: resource.PortLedger, Around: true, Also: []string{
		"iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails", "access-analyzer:ListAnalyzers", "access-analyzer:ListFindings",
		"access-analyzer:GetFinding", "access-analyzer:GenerateFindingRecommendation", "access-analyzer:GetFindingRecommendation",
	}}
}

// Reported is what AWS itself says of the use of permissions. dera asks where the usage
// ledger says that something was not used; an answer keeps permissions, and removes none.
type Reported struct {
	// Accessed are IAM's last-accessed data of the resource, by service, of 400 days. Denied
	// attempts count in them.
	//
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
	Accessed []Accessed `json:"accessed,omitempty"`
	// Analyzed are the findings of Access Analyzer that are not resolved, on those who have
	// the policies.
	Analyzed []Analyzed `json:"analyzed,omitempty"`
	// Without says what could not be asked, and why.
	Without []string `json:"without,omitempty"`
}

// Accessed is the last attempt to use a service.
type Accessed struct {
	Service string    `json:"service"` // IAM prefix
	Last    time.Time `json:"last,omitzero"`
	// Actions are those that AWS tracks and tells, by name without the prefix; the time is zero
	// of one that was not used.
	Actions map[string]time.Time `json:"actions,omitempty"`
}

// Analyzed is a finding of IAM Access Analyzer about what a principal did not use.
//
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_FindingDetails.html
type Analyzed struct {
	ID        string `json:"id"`
	Analyzer  string `json:"analyzer"` // ARN
	Principal string `json:"principal"`
	Days      int    `json:"days"`   // that it looks back
	Status    string `json:"status"` // ACTIVE or ARCHIVED
	// Whole says that the principal was not used at all.
	Whole bool `json:"whole,omitempty"`
	// Unused are the services of which it says that something was not used.
	Unused []UnusedService `json:"unused,omitempty"`
	// Recommended is what AWS recommends; nil where nobody asked, or there is no answer.
	Recommended *Recommended `json:"recommended,omitempty"`
}

// UnusedService is a service of which actions were not used: those, or all where there are
// none.
type UnusedService struct {
	Service string   `json:"service"`
	Actions []string `json:"actions,omitempty"` // without the prefix
}

// Name is the finding as people know it.
func (a Analyzed) Name() string {
	return fmt.Sprintf("finding %s of Access Analyzer (%s, %d days)", a.ID, a.Analyzer[strings.LastIndexByte(a.Analyzer, '/')+1:], a.Days)
}

// says is what the finding says of an action: whether it is about its service, and whether it
// calls the action unused.
func (a Analyzed) says(service, name string) (about, unused bool) {
	if a.Whole {
		return true, true
	}
	for _, s := range a.Unused {
		if strings.EqualFold(s.Service, service) {
			return true, len(s.Actions) == 0 || slices.ContainsFunc(s.Actions, func(x string) bool { return strings.EqualFold(x, name) })
		}
	}
	return false, false
}

// accessed is what IAM says of a service.
func (r *Reported) accessed(service string) *Accessed {
	for i := range r.Accessed {
		if strings.EqualFold(r.Accessed[i].Service, service) {
			return &r.Accessed[i]
		}
	}
	return nil
}

// action is what IAM says of an action; false where it does not track it.
func (a *Accessed) action(name string) (last time.Time, tracked bool) {
	if a == nil {
		return time.Time{}, false
	}
	for action, at := range a.Actions {
		if strings.EqualFold(action, name) {
			return at, true
		}
	}
	return time.Time{}, false
}

// otherwise says why AWS may count an action as used that nobody used by the record; "" where
// it does not. attempted reports whether the record has an attempt at the action, or with
// no name at anything of the service: that is what AWS saw, unless AWS saw one that is later.
func (r *Reported) otherwise(action string, attempted func(service, name string) (last time.Time, ok bool)) string {
	service, name, _ := strings.Cut(action, ":")
	iam := r.accessed(service)
	last, tracked := iam.action(name)
	at, ok := attempted(service, name)
	_, others := attempted(service, "")
	switch {
	case ok && tracked && !at.IsZero() && last.After(at.Add(attemptShows)):
		return "IAM last saw it used on " + day(last) + ", and the last denied call of it in the record is of " + day(at)
	case ok:
		return ""
	case tracked && last.IsZero():
		return ""
	case tracked:
		return "IAM last saw it used on " + day(last)
	}
	for _, a := range r.Analyzed {
		about, unused := a.says(service, name)
		if !unused && (!about && !others || about && iam == nil) {
			return a.Name() + " does not count it among what " + a.Principal[strings.LastIndexByte(a.Principal, '/')+1:] + " did not use"
		}
	}
	if iam != nil && !iam.Last.IsZero() && !others {
		return "IAM last saw the service used on " + day(iam.Last) + ", and the record has no call of it"
	}
	return ""
}

// otherwise is why AWS may count an action as used, asked once of an action.
func (j *judged) otherwise(action string) string {
	if j.Reported == nil {
		return ""
	}
	key := strings.ToLower(action)
	why, ok := j.whys[key]
	if !ok {
		why = j.Reported.otherwise(key, j.attempted)
		j.whys[key] = why
	}
	return why
}

// attemptShows is how much later than a call AWS may say that it was: the times of both are
// those of the call, but for what they are rounded to.
const attemptShows = 24 * time.Hour

// attempted reports whether the record has an attempt, denied ones too, at an action, or
// with no name at anything of the service. last is that of the last one at an action; zero is
// at any time.
func (j *judged) attempted(service, name string) (last time.Time, ok bool) {
	if j.tried == nil {
		j.tried = map[string]time.Time{}
		for _, p := range j.Principals {
			calls := slices.Clone(p.Denied)
			for _, c := range p.Use.Calls {
				calls = append(calls, Attempt{Source: c.Source, Name: c.Name})
			}
			for _, c := range calls {
				meant, _ := catalog.Embedded().Event(c.Source, c.Name)
				for _, a := range slices.Concat(meant.Actions, meant.Maybe) {
					a = strings.ToLower(a)
					if was, known := j.tried[a]; c.Last.IsZero() || !known || !was.IsZero() && c.Last.After(was) {
						j.tried[a] = c.Last
					}
				}
				for _, prefix := range catalog.Embedded().Prefixes(c.Source) {
					j.tried[strings.ToLower(prefix)+":"] = time.Time{}
				}
			}
		}
	}
	last, ok = j.tried[strings.ToLower(service+":"+name)]
	return last, ok
}

// doubts are those of AWS about some actions, one line each.
func (j *judged) doubts(actions []string) (out []string) {
	for _, a := range actions {
		if why := j.otherwise(a); why != "" {
			out = append(out, a+": "+why)
		}
	}
	return out
}

// secondSource says what AWS says of actions that nobody used by the record.
func (j *judged) secondSource(actions []string) (why []string) {
	if j.Reported == nil {
		return nil
	}
	agrees, untracked := 0, 0
	for _, a := range actions {
		service, name, _ := strings.Cut(a, ":")
		switch last, ok := j.Reported.accessed(service).action(name); {
		case !ok:
			untracked++
		case last.IsZero():
			agrees++
		}
	}
	if len(j.Reported.Accessed) > 0 {
		why = append(why, fmt.Sprintf("IAM saw no use of %d of them in 400 days, and does not track %d.", agrees, untracked))
	}
	for _, f := range j.Reported.Analyzed {
		n := 0
		for _, a := range actions {
			service, name, _ := strings.Cut(a, ":")
			if _, unused := f.says(service, name); unused {
				n++
			}
		}
		why = append(why, fmt.Sprintf("%s calls %d of them unused.", strings.ToUpper(f.Name()[:1])+f.Name()[1:], n))
	}
	if len(j.Reported.Without) > 0 {
		why = append(why, "Not asked: "+strings.Join(j.Reported.Without, "; ")+".")
	}
	return why
}

// Sort puts what AWS said in order: that in which it comes means nothing.
func (r *Reported) Sort() {
	slices.SortFunc(r.Accessed, func(a, b Accessed) int { return cmp.Compare(a.Service, b.Service) })
	slices.SortFunc(r.Analyzed, func(a, b Analyzed) int { return cmp.Or(cmp.Compare(a.Analyzer, b.Analyzer), cmp.Compare(a.ID, b.ID)) })
	for i := range r.Analyzed {
		slices.SortFunc(r.Analyzed[i].Unused, func(a, b UnusedService) int { return cmp.Compare(a.Service, b.Service) })
	}
	slices.Sort(r.Without)
}
