package eval

import "dera.example/dera/iam/policy"

// Input is a request and every policy that has a say in it.
type Input struct {
	Request Request
	Reading Reading

	Identity *Set   // policies of the user and its groups, or of the role; nil: none
	Boundary *Set   // permissions boundary; nil: none is set
	Session  *Set   // session policies; nil: none were passed
	Resource *Set   // policy of the resource; a role's is its trust policy; nil: none
	SCPs     []*Set // of the principal's account, one per level, root first; nil: no organization
	RCPs     []*Set // of the resource's account, one per level, root first; nil: no organization

	// ResourceAccount owns the resource. "" means that of the ARN, or the
	// principal's own where the ARN has none (S3).
	ResourceAccount string
	// ManagementAccount is that of the organization: neither do SCPs limit its
	// principals nor RCPs its resources.
	ManagementAccount string
}

// Layer is one of the kinds of policy that have a say.
type Layer uint8

// The layers.
const (
	SCPLayer Layer = iota
	RCPLayer
	ResourceLayer
	IdentityLayer
	BoundaryLayer
	SessionLayer
)

// layers is the number of layers.
const layers = int(SessionLayer) + 1

// String names the layer.
func (l Layer) String() string {
	switch l {
	case SCPLayer:
		return "service control policy"
	case RCPLayer:
		return "resource control policy"
	case ResourceLayer:
		return "resource-based policy"
	case IdentityLayer:
		return "identity-based policy"
	case BoundaryLayer:
		return "permissions boundary"
	case SessionLayer:
		return "session policy"
	}
	return "unknown layer"
}

// Reason names a statement that decided: its layer, for SCPs and RCPs the
// level, and its place in that Set.
type Reason struct {
	Layer Layer
	Level int
	Ref
}

// Result is the answer to an Input.
type Result struct {
	Decision Outcome
	// Because holds the statements that decided: for an explicit deny all Deny
	// statements that match, for an allowed request all Allow statements that
	// match in layers which had to allow it. It is empty for an implicit deny,
	// and where no statement is needed: by the root user, and for what AWS lets its
	// callers do anyway.
	Because []Reason
	// Missing holds, for an implicit deny, the layers that did not allow the
	// request though they had to. Where identity-based and resource-based
	// policy are alternatives, it names the identity-based one.
	Missing []Layer
}

// Decide answers as Evaluate does, without the reasons and without allocating.
func (in *Input) Decide() Outcome {
	e := newEvaluation(&in.Request, in.Reading)
	return in.settle(&e).decision
}

// Evaluate answers a request by AWS's rules for policies within one account
// and across accounts.
//
// An explicit deny in any layer wins. Else each level of SCPs and RCPs must
// allow the request; and in the caller's own account the resource-based policy
// or the identity-based ones, across accounts both. Boundary and session policy
// must allow it too, unless the resource-based policy names the very user or
// session (or everybody) in its own account. A policy that names the account
// only delegates to it. Key policies and trust policies always have to allow
// the request. AWS services and anonymous callers need the resource-based
// policy only; the root user needs no policy in its own account. Before all that
// comes what AWS lets its callers do whatever the policies say: to ask who they are,
// and users to get a session token.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func Evaluate(in Input) Result {
	e := newEvaluation(&in.Request, in.Reading)
	s := in.settle(&e)
	r := Result{Decision: s.decision}
	switch s.decision {
	case ExplicitDeny:
		r.Because = in.reasons(policy.Deny, &e, in.applicable(&e))
	case Allowed:
		r.Because = in.reasons(policy.Allow, &e, s.needed)
	case ImplicitDeny:
		for l := range Layer(layers) {
			if s.missing.has(l) {
				r.Missing = append(r.Missing, l)
			}
		}
	}
	return r
}

// layerSet is a set of layers.
type layerSet uint8

func (s layerSet) has(l Layer) bool { return s&(1<<l) != 0 }

func setOf(all ...Layer) layerSet {
	var s layerSet
	for _, l := range all {
		s |= 1 << l
	}
	return s
}

// settlement is a decision with the layers that had to allow the request, and
// those of them that did not.
type settlement struct {
	decision        Outcome
	needed, missing layerSet
}

// settle asks every layer and puts the answers together.
func (in *Input) settle(e *evaluation) settlement {
	free := freedomOf(&in.Request, e.caller())
	if free == always {
		return settlement{decision: Allowed}
	}
	applicable := in.applicable(e)
	var allowed layerSet
	var named grant
	for l := range Layer(layers) {
		if !applicable.has(l) {
			continue
		}
		decision, g := in.ask(l, e)
		switch decision {
		case ExplicitDeny:
			return settlement{decision: ExplicitDeny}
		case Allowed:
			allowed |= setOf(l)
		case ImplicitDeny:
		}
		if l == ResourceLayer {
			named = g
		}
	}
	needed := in.needed(e, named) & applicable
	if free == unlessDenied {
		needed = 0
	}
	missing := needed &^ allowed
	if missing != 0 {
		return settlement{ImplicitDeny, needed, missing}
	}
	return settlement{Allowed, needed, 0}
}

// ask asks one layer. All levels of an organization must allow the request.
func (in *Input) ask(l Layer, e *evaluation) (Outcome, grant) {
	set, reading := in.layer(l)
	e.reading = reading
	if l != SCPLayer && l != RCPLayer {
		return set.ask(e)
	}
	all := Allowed
	for _, level := range in.levels(l) {
		switch decision, _ := level.ask(e); decision {
		case ExplicitDeny:
			return ExplicitDeny, noGrant
		case ImplicitDeny:
			all = ImplicitDeny
		case Allowed:
		}
	}
	return all, noGrant
}

// layer returns the policies of a layer, for SCPs and RCPs only how to read
// them. Resource-based policies do not complete short ARNs.
func (in *Input) layer(l Layer) (*Set, Reading) {
	reading := in.Reading
	switch l {
	case IdentityLayer:
		return in.Identity, reading
	case BoundaryLayer:
		return in.Boundary, reading
	case SessionLayer:
		return in.Session, reading
	case ResourceLayer:
		reading.LiteralARNs = true
		return in.Resource, reading
	case RCPLayer:
		reading.LiteralARNs = true
	case SCPLayer:
	}
	return nil, reading
}

func (in *Input) levels(l Layer) []*Set {
	if l == SCPLayer {
		return in.SCPs
	}
	return in.RCPs
}

// applicable returns the layers that have a say about the caller at all.
func (in *Input) applicable(e *evaluation) layerSet {
	c := e.caller()
	all := setOf(ResourceLayer)
	inIAM := c.Type != Anonymous && c.Type != Service && c.Type != Provider
	if inIAM && in.SCPs != nil && !c.ServiceLinked && !in.managed(c.Account) {
		all |= setOf(SCPLayer)
	}
	if in.RCPs != nil && !c.ServiceLinked && !in.managed(in.owner(c)) && RCPApplies(in.Request.Action) {
		all |= setOf(RCPLayer)
	}
	if inIAM && c.Type != Root {
		all |= setOf(IdentityLayer)
	}
	if inIAM && in.Boundary != nil && c.Type != Root {
		all |= setOf(BoundaryLayer)
	}
	if inIAM && in.Session != nil {
		all |= setOf(SessionLayer)
	}
	return all
}

// managed reports whether an account is the management account.
func (in *Input) managed(account string) bool {
	return account != "" && account == in.ManagementAccount
}

// owner returns the account of the resource.
func (in *Input) owner(c *caller) string {
	if in.ResourceAccount != "" {
		return in.ResourceAccount
	}
	if _, account, _ := splitARN(in.Request.Resource); account != "" {
		return account
	}
	return c.Account
}

// needed returns the layers that must allow the request, given how closely the
// resource-based policy names the caller.
func (in *Input) needed(e *evaluation, named grant) layerSet {
	c := e.caller()
	organization := setOf(SCPLayer, RCPLayer)
	limits := setOf(BoundaryLayer, SessionLayer)
	switch {
	case c.Type == Anonymous || c.Type == Service || c.Type == Provider:
		return organization | setOf(ResourceLayer)
	case c.Account != in.owner(c):
		return organization | limits | setOf(ResourceLayer, IdentityLayer)
	case named == grantDirect:
		return organization | setOf(ResourceLayer)
	case named == grantRole:
		return organization | limits | setOf(ResourceLayer)
	case ownPolicyDecides(&in.Request):
		return organization | limits | setOf(ResourceLayer, IdentityLayer)
	default:
		return organization | limits | setOf(IdentityLayer)
	}
}

// reasons collects the statements of an effect that match in some layers.
func (in *Input) reasons(effect policy.Effect, e *evaluation, of layerSet) []Reason {
	var all []Reason
	add := func(l Layer, level int, set *Set) {
		for _, ref := range set.matching(effect, e) {
			all = append(all, Reason{l, level, ref})
		}
	}
	for l := range Layer(layers) {
		set, reading := in.layer(l)
		e.reading = reading
		switch {
		case !of.has(l):
		case l == SCPLayer || l == RCPLayer:
			for level, set := range in.levels(l) {
				add(l, level, set)
			}
		default:
			add(l, 0, set)
		}
	}
	return all
}
