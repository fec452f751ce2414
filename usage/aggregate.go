package usage

import (
	"hash/maphash"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// aggregate collects uses in memory. It is not safe for concurrent use.
type aggregate struct {
	principals map[string]*holder
	roled      map[string]*holder // by the raw issuer of a session
	actions    map[string]uint32  // source NUL name
	named      []Action           // by number
	arns       map[string]uint32
	texts      []string // of arns, by number
	hours      map[place]*Hours
	days       map[string]day // into hours
	changes    []Change
	grants     map[grantKey]Second
	losses     map[Loss]int64 // whose place is known
	size       int            // bytes in memory, roughly

	live    bool                // they come on an authenticated path that delivers all of them
	seen    map[uint64]struct{} // hashes of the event IDs of this file
	seed    maphash.Seed
	scratch []byte

	watching *watching
	denied   []denied
}

// holder is one principal. Few have many actions, so the numbers are searched
// one by one until there are many.
type holder struct {
	kind    cloudtrail.PrincipalKind
	arn     string
	end     Second
	numbers []uint32 // action << 1 | trust
	uses    []counted
	index   map[uint32]int
}

type counted struct {
	first, last, succeeded, denied uint32
	count, denials                 uint64
	arns                           []uint32 // sorted by text
	more                           bool
}

// maxSeen bounds the event IDs that are remembered within one file.
const maxSeen = 1 << 16

func newAggregate() *aggregate {
	a := &aggregate{seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	a.reset()
	return a
}

// reset forgets everything but the event IDs.
func (a *aggregate) reset() {
	a.principals, a.roled = map[string]*holder{}, map[string]*holder{}
	a.actions, a.arns = map[string]uint32{}, map[string]uint32{}
	a.named, a.texts, a.changes, a.denied, a.losses = nil, nil, nil, nil, map[Loss]int64{}
	a.grants = map[grantKey]Second{}
	a.hours, a.days, a.size = map[place]*Hours{}, map[string]day{}, 0
}

// file begins with another file.
func (a *aggregate) file() { clear(a.seen) }

// add counts one record.
func (a *aggregate) add(f *cloudtrail.Fields, trust Trust) Reason {
	if !called(f) {
		return NotACall
	}
	at, ok := parseTime(cloudtrail.Text(f.Time))
	account, region := cloudtrail.Text(f.Account), cloudtrail.Text(f.Region)
	if len(account) == 0 {
		account = cloudtrail.Text(f.Identity.Account)
	}
	placed := word(region) && len(region) <= 32 && digits(account)
	source, name := cloudtrail.Text(f.Source), cloudtrail.Text(f.Name)
	switch {
	case !ok:
		return NoTime
	case !placed:
		return NoPlace
	case !word(source) || !word(name):
		a.lose(account, region, at, NoAction)
		return NoAction
	}
	h := a.who(&f.Identity, at)
	if h == nil {
		if len(cloudtrail.Text(f.ErrorCode)) == 0 { // whoever it was, what is recorded may differ from now on
			a.changed(f, account, region, at)
			a.granted(f, account, at)
		}
		a.lose(account, region, at, NoPrincipal)
		return NoPrincipal
	}
	reason, one := Counted, uint64(1)
	if a.repeated(cloudtrail.Text(f.ID)) { // it says nothing new, but counting
		reason, one = Repeated, 0
	}
	a.hour(account, region, at)
	u := a.use(h, source, name, trust)
	errorCode := cloudtrail.Text(f.ErrorCode)
	if cloudtrail.Denied(string(source), string(errorCode)) {
		u.denied, u.denials = max(u.denied, at), u.denials+one
		a.denial(f, source, name, at, trust)
		if absent(source, name) {
			u.hit(at, one)
			a.resources(u, f) // it counts, so that its resource belongs to those that are all
		}
		return reason
	}
	u.hit(at, one)
	if len(errorCode) == 0 {
		u.succeeded = max(u.succeeded, at)
		a.changed(f, account, region, at)
		a.granted(f, account, at)
	}
	a.resources(u, f)
	a.roles(h, f, source, account, region, call{at, one, trust})
	a.session(f)
	return reason
}

// call is when one was made, how often it counts, and how far it is trusted.
type call struct {
	at    uint32
	one   uint64
	trust Trust
}

func (u *counted) hit(at uint32, one uint64) {
	if u.first == 0 || at < u.first {
		u.first = at
	}
	u.last, u.count = max(u.last, at), u.count+one
}

// repeated remembers event IDs, as many as maxSeen. Two IDs with one hash, which
// will hardly ever be, make a count too small and nothing else wrong.
func (a *aggregate) repeated(id []byte) bool {
	if len(id) == 0 {
		return false
	}
	k := maphash.Bytes(a.seed, id)
	if _, ok := a.seen[k]; ok {
		return true
	}
	if len(a.seen) >= maxSeen {
		clear(a.seen)
	}
	a.seen[k] = struct{}{}
	return false
}

func (a *aggregate) holder(key []byte) *holder {
	if h := a.principals[string(key)]; h != nil {
		return h
	}
	if !printable(key) {
		return nil
	}
	h := &holder{}
	a.principals[string(key)] = h
	a.size += len(key) + 200
	return h
}

// longestSession bounds the sessions that a principal can have: 12 hours for
// roles, 36 for what users and root make with STS.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
func longestSession(kind cloudtrail.PrincipalKind) time.Duration {
	if kind == cloudtrail.Role {
		return 12 * time.Hour
	}
	return 36 * time.Hour
}

// who finds or makes the principal of a record, and notes what the record tells
// about it; nil where it tells of none.
func (a *aggregate) who(d *cloudtrail.Identity, at uint32) *holder {
	// Most records are of roles, and name the role itself.
	byRole := string(d.Type) == `"AssumedRole"` && len(d.Issuer) > 2
	h := a.roled[string(d.Issuer)]
	if h == nil || !byRole {
		key, kind, arn, ok := d.Principal(a.scratch[:0])
		a.scratch = key
		if !ok || len(key) > 2048 {
			return nil
		}
		if h = a.holder(key); h == nil {
			return nil
		}
		h.is(a, kind, arn)
		if byRole {
			a.roled[string(d.Issuer)] = h
			a.size += len(d.Issuer) + 48
		}
	}
	if t, ok := parseTime(cloudtrail.Text(d.Created)); ok && t <= at {
		h.end = max(h.end, Second(t)+Second(longestSession(h.kind)/time.Second))
	}
	return h
}

// is notes kind and ARN; any choice that knows no order will do.
func (h *holder) is(a *aggregate, kind cloudtrail.PrincipalKind, arn []byte) {
	h.kind = max(h.kind, kind)
	if len(arn) > 2048 || !printable(arn) {
		return
	}
	if len(arn) > len(h.arn) || len(arn) == len(h.arn) && string(arn) > h.arn {
		a.size += len(arn) - len(h.arn)
		h.arn = string(arn)
	}
}

// use finds or makes the use of an action.
func (a *aggregate) use(h *holder, source, name []byte, trust Trust) *counted {
	a.scratch = append(append(append(a.scratch[:0], source...), 0), name...)
	n, ok := a.actions[string(a.scratch)]
	if !ok {
		n = uint32(len(a.named))
		a.actions[string(a.scratch)] = n
		a.named = append(a.named, Action{string(source), string(name)})
		a.size += 2*len(a.scratch) + 100
	}
	n = n<<1 | uint32(trust)
	const many = 32
	if h.index != nil {
		if i, ok := h.index[n]; ok {
			return &h.uses[i]
		}
	} else if i := slices.Index(h.numbers, n); i >= 0 {
		return &h.uses[i]
	}
	h.numbers, h.uses = append(h.numbers, n), append(h.uses, counted{})
	a.size += 140
	if len(h.numbers) == many {
		h.index = make(map[uint32]int, 2*many)
		for i, n := range h.numbers {
			h.index[n] = i
		}
	} else if h.index != nil {
		h.index[n] = len(h.uses) - 1
		a.size += 24
	}
	return &h.uses[len(h.uses)-1]
}

// resources adds the ARNs that a call names. There are more where a list names something
// else beside one, and where the request of S3 alone names one: that is another bucket than
// its own, as the one that an inventory goes to.
func (a *aggregate) resources(u *counted, f *cloudtrail.Fields) {
	inResources := func(arn cloudtrail.ARN) bool { return !arn.Request }
	own := len(f.ARNs) > 0 && (string(cloudtrail.Text(f.Source)) != "s3.amazonaws.com" || slices.ContainsFunc(f.ARNs, inResources))
	u.more = u.more || !own
	for _, arn := range f.ARNs {
		u.more = u.more || arn.Mixed
		a.resource(u, cloudtrail.Text(arn.Raw))
	}
}

// resource keeps an ARN if it is among the smallest.
func (a *aggregate) resource(u *counted, arn []byte) {
	n, known := a.arns[string(arn)]
	if known && slices.Contains(u.arns, n) {
		return
	}
	i := 0
	for i < len(u.arns) && a.texts[u.arns[i]] < string(arn) {
		i++
	}
	if i == MaxResources || len(arn) > 1024 || !printable(arn) {
		u.more = true
		return
	}
	if !known {
		n = uint32(len(a.texts))
		text := string(arn)
		a.arns[text] = n
		a.texts = append(a.texts, text)
		a.size += len(arn) + 72
	}
	if len(u.arns) == MaxResources {
		u.arns, u.more = u.arns[:MaxResources-1], true
	} else {
		a.size += 6
	}
	u.arns = slices.Insert(u.arns, i, n)
}

// roles infers the use of iam:PassRole.
func (a *aggregate) roles(h *holder, f *cloudtrail.Fields, source, account, region []byte, c call) {
	if string(f.ReadOnly) == "true" || passesNothing(source) || len(f.Request) < 8 {
		return
	}
	var u *counted
	pass := func(arn []byte) {
		if u == nil {
			p := PassRole()
			u = a.use(h, []byte(p.Source), []byte(p.Name), c.trust)
			u.hit(c.at, c.one)
			u.succeeded = max(u.succeeded, c.at)
		}
		a.resource(u, arn)
	}
	for _, arn := range f.ARNs {
		if text := cloudtrail.Text(arn.Raw); arn.Request && passes(text) {
			pass(text)
		}
	}
	if hasRoleName(f.Request) {
		for _, arn := range namedRoles(f.Request, dera.PartitionOf(string(region)).ID, string(account)) {
			pass([]byte(arn))
		}
	}
}

// session notes when the session that a call made will end.
func (a *aggregate) session(f *cloudtrail.Fields) {
	s, ok := f.Session(a.scratch[:0])
	if !ok || s.Key == nil {
		return
	}
	a.scratch = s.Key
	if h := a.holder(s.Key); h != nil {
		h.kind = max(h.kind, cloudtrail.Role)
		h.end = max(h.end, SecondOf(s.End))
	}
}

// each hands over what was collected part by part, sorted, so that never all of
// it is in memory twice.
func (a *aggregate) each(f func(part int, list []Activity)) {
	var keys [Parts][]string
	for key := range a.principals {
		p := Part(key)
		keys[p] = append(keys[p], key)
	}
	for part, keys := range keys {
		if len(keys) == 0 {
			continue
		}
		slices.Sort(keys)
		list := make([]Activity, len(keys))
		for i, key := range keys {
			list[i] = a.activity(key, a.principals[key])
		}
		f(part, list)
	}
}

func (a *aggregate) activity(key string, h *holder) Activity {
	act := Activity{Key: key, Kind: h.kind, ARN: h.arn, SessionEnd: h.end, Uses: make([]Use, len(h.uses))}
	arns := 0
	for _, u := range h.uses {
		arns += len(u.arns)
	}
	arena := make([]string, 0, arns)
	for i, u := range h.uses {
		n := h.numbers[i]
		begin := len(arena)
		for _, n := range u.arns {
			arena = append(arena, a.texts[n])
		}
		act.Uses[i] = Use{
			Action: a.named[n>>1], Trust: Trust(n & 1), First: Second(u.first), Last: Second(u.last), Count: u.count,
			Succeeded: Second(u.succeeded), LastDenied: Second(u.denied), Denied: u.denials, More: u.more,
		}
		if len(u.arns) > 0 {
			act.Uses[i].Resources = arena[begin:len(arena):len(arena)]
		}
	}
	slices.SortFunc(act.Uses, compareUses)
	return act
}
