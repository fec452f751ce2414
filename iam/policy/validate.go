package policy

import "strings"

// Validate says whether AWS would accept the document as a policy of the kind,
// and if not, gives AWS's reason with the position as an *Error. A document
// with several mistakes gets the reason that AWS would give: AWS looks at the
// version first, then at what its older parser refuses, then at the rest.
//
// What Parse has already refused is not looked at again; size limits are a
// matter of SizeLimit. Positions in a document that was built as a literal
// count in its Text.
func (d *Document) Validate(k Kind) error {
	if d.root == nil {
		parsed, err := Parse(d.Text())
		if err != nil {
			return err
		}
		d = parsed
	}
	v := &validator{doc: d, kind: k}
	for _, check := range []func() error{
		v.version, v.kindRules, v.legacy, v.uniqueSids, v.actionsExist, v.resourceFormats, v.actions, v.resourcesExist,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

type validator struct {
	doc      *Document
	kind     Kind
	resource error // the first resource in a wrong format
}

func (v *validator) fail(n *node, reason, format string, args ...any) error {
	return fault(v.doc.text, n.start, reason, format, args...)
}

// each calls f for every statement until one fails.
func (v *validator) each(f func(*Statement) error) error {
	for i := range v.doc.Statements {
		if err := f(&v.doc.Statements[i]); err != nil {
			return err
		}
	}
	return nil
}

// version: trust and resource policies may still be of 2008.
func (v *validator) version() error {
	if v.doc.Version == Version2012 || v.kind == Trust || v.kind == Resource {
		return nil
	}
	at := v.doc.root
	if n := at.find("Version"); n != nil {
		at = n
	}
	reason := ReasonVersion
	if !v.kind.identityLike() {
		reason = ReasonRequirements
	}
	return v.fail(at, reason, "version is %q", v.doc.Version)
}

// kindRules checks what only some kinds of policy may or must have.
func (v *validator) kindRules() error {
	switch v.kind {
	case Trust:
		return v.each(v.trustRules)
	case Resource:
		return v.each(v.principalExists)
	case SCP:
		return v.each(func(st *Statement) error { return v.noPrincipal(st, ReasonRequirements) })
	case RCP:
		return v.each(v.rcpRules)
	case Identity, Boundary, Session:
		return v.each(func(st *Statement) error { return v.noPrincipal(st, ReasonPrincipal) })
	}
	return v.fail(v.doc.root, ReasonRequirements, "%s", v.kind)
}

func (v *validator) noPrincipal(st *Statement, reason string) error {
	for _, name := range []string{"Principal", "NotPrincipal"} {
		if n := st.node.find(name); n != nil {
			return v.fail(n, reason, "%s in a %s", name, v.kind)
		}
	}
	return nil
}

func (v *validator) principalExists(st *Statement) error {
	if st.Principals == nil && st.NotPrincipals == nil {
		return v.fail(st.node, ReasonNoPrincipal, "no Principal in a %s", v.kind)
	}
	for _, name := range []string{"Principal", "NotPrincipal"} {
		if n := st.node.find(name); n != nil && n.kind == nodeString && n.str != "*" {
			return v.fail(n, ReasonSyntax, "a bare %q as %s", n.str, name)
		}
	}
	return nil
}

func (v *validator) trustRules(st *Statement) error {
	for _, name := range []string{"Resource", "NotResource"} {
		if n := st.node.find(name); n != nil {
			return v.fail(n, ReasonResource, "a role is the only resource of its trust policy")
		}
	}
	if err := v.principalExists(st); err != nil {
		return err
	}
	if n := st.node.find("NotAction"); n != nil {
		return v.fail(n, ReasonAssume, "NotAction in a %s", v.kind)
	}
	for _, n := range v.entries(st, "Action") {
		if !strings.HasPrefix(strings.ToLower(n.str), "sts:") {
			return v.fail(n, ReasonAssume, "action %q", n.str)
		}
	}
	return nil
}

// rcpRules: customer-managed RCPs only deny, and deny everybody.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
func (v *validator) rcpRules(st *Statement) error {
	switch {
	case st.Effect != Deny:
		return v.fail(st.node.find("Effect"), ReasonRequirements, "a %s can only deny", v.kind)
	case !st.Principals.Everyone():
		return v.fail(st.node, ReasonRequirements, `the Principal of a %s is "*"`, v.kind)
	case st.NotActions != nil:
		return v.fail(st.node.find("NotAction"), ReasonRequirements, "NotAction in a %s", v.kind)
	default:
		return nil
	}
}

// entries returns the strings of a list element of a statement.
func (v *validator) entries(st *Statement, name string) []*node {
	n := st.node.find(name)
	if n == nil {
		return nil
	}
	var all []*node
	for _, e := range n.elements() {
		if e.kind == nodeString {
			all = append(all, e)
		}
	}
	return all
}

// legacy checks what AWS's older parser refuses: the case of the effect, dates,
// and ARNs that break off. It also notes the first resource in a wrong format,
// which is reported only after the checks that follow; once there is one, the
// older parser no longer looks at resources.
func (v *validator) legacy() error {
	err := v.each(func(st *Statement) error {
		if n := st.node.find("Effect"); n.str != st.Effect.String() {
			return v.fail(n, ReasonLegacy, "effect %q: the case matters", n.str)
		}
		return v.dates(st)
	})
	if err != nil || !v.kind.identityLike() {
		return err
	}
	return v.each(func(st *Statement) error {
		for _, name := range []string{"Resource", "NotResource"} {
			for _, n := range v.entries(st, name) {
				if v.resource != nil {
					return nil
				}
				if v.resource = v.resourceFormat(n); v.resource == nil && breaksOff(n.str) {
					return v.fail(n, ReasonLegacy, "resource %q is neither a full ARN nor a plain beginning of one", n.str)
				}
			}
		}
		return nil
	})
}

func (v *validator) dates(st *Statement) error {
	condition := st.node.find("Condition")
	if condition == nil {
		return nil
	}
	for _, block := range condition.members {
		op, _ := ParseOperator(block.key)
		if !strings.HasPrefix(op.Test, "Date") {
			continue
		}
		for _, m := range block.value.members {
			for _, n := range m.value.elements() {
				if _, ok := ParseDate(n.str); !ok && !strings.Contains(n.str, "${") {
					return v.fail(n, ReasonLegacy, "%q is not a date", n.str)
				}
			}
		}
	}
	return nil
}

func (v *validator) uniqueSids() error {
	seen := map[string]bool{}
	return v.each(func(st *Statement) error {
		if st.Sid != "" && seen[st.Sid] {
			return v.fail(st.node.find("Sid"), ReasonSid, "%q again", st.Sid)
		}
		seen[st.Sid] = true
		return nil
	})
}

func (v *validator) actionsExist() error {
	return v.each(func(st *Statement) error {
		if len(st.Actions)+len(st.NotActions) == 0 {
			return v.fail(st.node, ReasonNoActions, "neither Action nor NotAction")
		}
		return nil
	})
}

func (v *validator) resourceFormats() error { return v.resource }

// resourcesExist: some resource policies (a repository's) have no resource, and
// no trust policy has.
func (v *validator) resourcesExist() error {
	if v.kind == Trust || v.kind == Resource {
		return nil
	}
	return v.each(func(st *Statement) error {
		if len(st.Resources)+len(st.NotResources) == 0 {
			return v.fail(st.node, ReasonNoResources, "neither Resource nor NotResource")
		}
		return nil
	})
}

func (v *validator) actions() error {
	return v.each(func(st *Statement) error {
		for _, name := range []string{"Action", "NotAction"} {
			for _, n := range v.entries(st, name) {
				if err := v.action(n); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (v *validator) action(n *node) error {
	if n.str == "*" {
		return nil
	}
	vendor, name, found := strings.Cut(n.str, ":")
	switch {
	case !found:
		return v.fail(n, ReasonVendor, "action %q", n.str)
	case strings.Contains(name, ":"):
		return v.fail(n, ReasonColon, "action %q", n.str)
	case vendor != "*" && strings.Trim(vendor, vendorCharacters) != "":
		return v.fail(n, "Vendor "+vendor+" is not valid", "action %q", n.str)
	default:
		return nil
	}
}
