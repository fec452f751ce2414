package main

import (
	"regexp"
	"strings"

	"dera.example/dera/iam/catalog"
)

// stays notes that an action stays while another one does.
func (o *observer) stays(action, with string) {
	low := strings.ToLower(action)
	if strings.EqualFold(action, with) || o.actions[low].Name == "" {
		return
	}
	if o.with[low] == nil {
		o.with[low] = map[string]bool{}
	}
	o.with[low][with] = true
}

// companions notes which actions are used with which others, without an event
// of their own.
func (o *observer) companions() {
	for _, prefix := range sortedKeys(o.sentry) {
		for name, s := range o.sentry[prefix] {
			for _, t := range s.ResourceTypes {
				for _, dependent := range t.DependentActions {
					o.stays(dependent, prefix+":"+name)
				}
			}
		}
	}
	for key, e := range o.events {
		prefix, name, _ := strings.Cut(key, " ")
		own, ok := o.actions[strings.ToLower(prefix+":"+name)]
		for _, a := range append(append([]string(nil), e.always...), e.maybe...) {
			if ok {
				o.stays(a, own.String())
				continue
			}
			for _, main := range e.always {
				o.stays(a, main)
			}
		}
	}
	for _, r := range o.needs {
		for low, a := range o.actions {
			if matches(r.actions, low) {
				for _, with := range r.with {
					o.stays(a.String(), with)
				}
			}
		}
	}
	for _, with := range o.passRole {
		o.stays(catalog.PassRole, with)
	}
	for low, a := range o.actions {
		if tagWrite(a, o.sentry[a.Service][a.Name].AccessLevel) {
			o.stays(a.String(), a.Service+":"+catalog.NoPureRead)
			o.stays(a.String(), "tag:TagResources")
			o.stays(a.String(), "tag:UntagResources")
			o.stays(a.String(), "resource-groups:Tag")
			o.stays(a.String(), "resource-groups:Untag")
		}
		o.batch(low, a)
	}
}

var (
	tagWord  = regexp.MustCompile(`(^|[a-z])([Uu]nt|T|t)ag(s|ging|ged)?([A-Z]|$)|^(Un)?[Tt]ag([A-Z]|$)`)
	readVerb = regexp.MustCompile(`^(Get|List|Describe|Search|Batch(Get|List|Describe))`)
)

// tagWrite reports whether an action changes tags.
func tagWrite(a catalog.Action, level string) bool {
	if a.Level == catalog.Tagging || level == "Tagging" {
		return true
	}
	return tagWord.MatchString(a.Name) && !readVerb.MatchString(a.Name) && a.Level != catalog.Read && a.Level != catalog.List
}

// batch notes that what is done in batches is authorized for each.
func (o *observer) batch(low string, a catalog.Action) {
	name, ok := strings.CutPrefix(a.Name, "Batch")
	if !ok {
		return
	}
	base := strings.ToLower(a.Service + ":" + name)
	for _, one := range []string{base, strings.TrimSuffix(base, "s"), strings.TrimSuffix(base, "es"), strings.TrimSuffix(base, "ies") + "y", base + "s"} {
		if inner, ok := o.actions[one]; ok && one != low {
			o.stays(inner.String(), a.String())
		}
	}
}

var (
	qualified = regexp.MustCompile(`\b([a-z0-9][a-z0-9-]*):([A-Z][A-Za-z0-9]+)`)
	sentences = regexp.MustCompile(`[.;]\s`)
	coded     = regexp.MustCompile(`<code>([A-Z][A-Za-z0-9]+)</code>|\b([A-Z][a-z]+[A-Z][A-Za-z0-9]+)\b`)
	permit    = regexp.MustCompile(`(?i)permission|authoriz|access to the|allowed to|policy must|grants? `)
	roles     = regexp.MustCompile(`(?i)(role|roles|rolearn|rolearns|roleid|rolename|instanceprofile|instanceprofilename|instanceprofilearn)$`)
)

// demands notes the permissions that the text of an operation and of its input
// asks for, and whether it can take a role.
func (o *observer) demands(m *model, op operation, action catalog.Action) {
	o.text(op.Documentation, action)
	passes := false
	m.reach(op.Input.Shape, func(name, documentation string, _ shape) {
		o.text(documentation, action)
		passes = passes || roles.MatchString(name)
	})
	reads := action.Level == catalog.Read || action.Level == catalog.List
	if passes && !reads && action.Service != "iam" && action.Service != "sts" {
		o.stays(catalog.PassRole, action.String())
	}
}

func (o *observer) text(documentation string, action catalog.Action) {
	if documentation == "" {
		return
	}
	for _, found := range qualified.FindAllStringSubmatch(documentation, -1) {
		if a, ok := o.actions[strings.ToLower(found[1]+":"+found[2])]; ok {
			o.stays(a.String(), action.String())
		}
	}
	for _, s := range sentences.Split(documentation, -1) {
		if !permit.MatchString(s) {
			continue
		}
		for _, found := range coded.FindAllStringSubmatch(s, -1) {
			if a, ok := o.actions[strings.ToLower(action.Service+":"+found[1]+found[2])]; ok {
				o.stays(a.String(), action.String())
			}
		}
	}
}
