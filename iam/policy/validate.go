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
	if v.all(); len(v.faults) > 0 {
		return v.faults[0]
	}
	return nil
}

// all looks at everything, in the order in which AWS does.
func (v *validator) all() {
	for _, check := range []func(){
		v.version, v.kindRules, v.legacy, v.uniqueSids, v.actionsExist, v.resourceFormats, v.actions, v.resourcesExist,
	} {
		check()
	}
}

type validator struct {
	doc       *Document
	kind      Kind
	faults    []*Error // the first one is what AWS says
	resources []*Error // resources in a wrong format, until it is their turn
	cut       []*Error // resources that break off behind one in a wrong format
}

func (v *validator) fault(n *node, reason, format string, args ...any) *Error {
	return fault(v.doc.text, n.start, reason, format, args...)
}

func (v *validator) fail(n *node, reason, format string, args ...any) {
	v.faults = append(v.faults, v.fault(n, reason, format, args...))
}

// each calls f for every statement.
func (v *validator) each(f func(*Statement)) {
	for i := range v.doc.Statements {
		if st := &v.doc.Statements[i]; st.node.kind == nodeObject {
			f(st)
		}
	}
}

// version: trust and resource policies may still be of 2008.
func (v *validator) version() {
	if v.doc.Version == Version2012 || v.kind == Trust || v.kind == Resource {
		return
	}
	at := v.doc.root
	if n := at.find("Version"); n != nil {
		at = n
	}
	reason := ReasonVersion
	if !v.kind.identityLike() {
		reason = ReasonRequirements
	}
	v.fail(at, reason, "version is %q", v.doc.Version)
}

// kindRules checks what only some kinds of policy may or must have.
func (v *validator) kindRules() {
	switch v.kind {
	case Trust:
		v.each(v.trustRules)
	case Resource:
		v.each(v.principalExists)
	case SCP:
		v.each(func(st *Statement) { v.noPrincipal(st, ReasonRequirements) })
	case RCP:
		v.each(v.rcpRules)
	case Identity, Boundary, Session:
		v.each(func(st *Statement) { v.noPrincipal(st, ReasonPrincipal) })
	default:
		v.fail(v.doc.root, ReasonRequirements, "%s", v.kind)
	}
}

func (v *validator) noPrincipal(st *Statement, reason string) {
	for _, name := range []string{"Principal", "NotPrincipal"} {
		if n := st.node.find(name); n != nil {
			v.fail(n, reason, "%s in a %s", name, v.kind)
		}
	}
}

func (v *validator) principalExists(st *Statement) {
	if st.Principals == nil && st.NotPrincipals == nil {
		v.fail(st.node, ReasonNoPrincipal, "no Principal in a %s", v.kind)
	}
	for _, name := range []string{"Principal", "NotPrincipal"} {
		if n := st.node.find(name); n != nil && n.kind == nodeString && n.str != "*" {
			v.fail(n, ReasonSyntax, "a bare %q as %s", n.str, name)
		}
	}
}

func (v *validator) trustRules(st *Statement) {
	for _, name := range []string{"Resource", "NotResource"} {
		if n := st.node.find(name); n != nil {
			v.fail(n, ReasonResource, "a role is the only resource of its trust policy")
		}
	}
	v.principalExists(st)
	if n := st.node.find("NotAction"); n != nil {
		v.fail(n, ReasonAssume, "NotAction in a %s", v.kind)
	}
	for _, n := range v.entries(st, "Action") {
		if !strings.HasPrefix(strings.ToLower(n.str), "sts:") {
			v.fail(n, ReasonAssume, "action %q", n.str)
		}
	}
}

// rcpRules: customer-managed RCPs only deny, and deny everybody.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
func (v *validator) rcpRules(st *Statement) {
	if st.Effect == Allow {
		v.fail(st.node.find("Effect"), ReasonRequirements, "a %s can only deny", v.kind)
	}
	if !st.Principals.Everyone() {
		v.fail(st.node, ReasonRequirements, `the Principal of a %s is "*"`, v.kind)
	}
	if st.NotActions != nil {
		v.fail(st.node.find("NotAction"), ReasonRequirements, "NotAction in a %s", v.kind)
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
// and ARNs that break off. It also notes the resources in a wrong format, which
// AWS reports only after the checks that follow; once there is one, the older
// parser no longer looks at resources.
func (v *validator) legacy() {
	v.each(func(st *Statement) {
		if st.Effect != NoEffect {
			if n := st.node.find("Effect"); n.str != st.Effect.String() {
				v.fail(n, ReasonLegacy, "effect %q: the case matters", n.str)
			}
		}
		v.dates(st)
	})
	if !v.kind.identityLike() {
		return
	}
	v.each(func(st *Statement) {
		for _, name := range []string{"Resource", "NotResource"} {
			for _, n := range v.entries(st, name) {
				if wrong := v.resourceFormat(n); wrong != nil {
					v.resources = append(v.resources, wrong)
				} else if breaksOff(n.str) {
					wrong = v.fault(n, ReasonLegacy, "resource %q is neither a full ARN nor a plain beginning of one", n.str)
					if len(v.resources) > 0 {
						v.cut = append(v.cut, wrong)
					} else {
						v.faults = append(v.faults, wrong)
					}
				}
			}
		}
	})
}

func (v *validator) dates(st *Statement) {
	v.conditions(st, func(op Operator, m member) {
		if !strings.HasPrefix(op.Test, "Date") {
			return
		}
		for _, n := range m.value.elements() {
			if _, ok := ParseDate(n.str); !ok && n.kind != nodeNull && !strings.Contains(n.str, "${") {
				v.fail(n, ReasonLegacy, "%q is not a date", n.str)
			}
		}
	})
}

// conditions calls f for every condition key.
func (v *validator) conditions(st *Statement, f func(op Operator, m member)) {
	condition := st.node.find("Condition")
	if condition == nil {
		return
	}
	for _, block := range condition.members {
		op, _ := ParseOperator(block.key)
		for _, m := range block.value.members {
			f(op, m)
		}
	}
}

func (v *validator) uniqueSids() {
	seen := map[string]bool{}
	v.each(func(st *Statement) {
		if st.Sid != "" && seen[st.Sid] {
			v.fail(st.node.find("Sid"), ReasonSid, "%q again", st.Sid)
		}
		seen[st.Sid] = true
	})
}

func (v *validator) actionsExist() {
	v.each(func(st *Statement) {
		if len(st.Actions)+len(st.NotActions) == 0 && !st.node.malformed("Action", "NotAction") {
			v.fail(st.node, ReasonNoActions, "neither Action nor NotAction")
		}
	})
}

func (v *validator) resourceFormats() {
	v.faults = append(append(v.faults, v.resources...), v.cut...)
}

// resourcesExist: some resource policies (a repository's) have no resource, and
// no trust policy has.
func (v *validator) resourcesExist() {
	if v.kind == Trust || v.kind == Resource {
		return
	}
	v.each(func(st *Statement) {
		if len(st.Resources)+len(st.NotResources) == 0 && !st.node.malformed("Resource", "NotResource") {
			v.fail(st.node, ReasonNoResources, "neither Resource nor NotResource")
		}
	})
}

func (v *validator) actions() {
	v.each(func(st *Statement) {
		for _, name := range []string{"Action", "NotAction"} {
			for _, n := range v.entries(st, name) {
				v.action(n)
			}
		}
	})
}

func (v *validator) action(n *node) {
	if n.str == "*" {
		return
	}
	vendor, name, found := strings.Cut(n.str, ":")
	switch {
	case !found:
		v.fail(n, ReasonVendor, "action %q", n.str)
	case strings.Contains(name, ":"):
		v.fail(n, ReasonColon, "action %q", n.str)
	case vendor != "*" && strings.Trim(vendor, vendorCharacters) != "":
		v.fail(n, "Vendor "+vendor+" is not valid", "action %q", n.str)
	}
}
