package cloudtrail

// Triage reports whether an event is worth decoding. It is false only for an
// event that is none of dera's business: a CloudTrail record whose eventSource
// and eventName, read at the record's own first level, are none of the watched
// calls, and whose userIdentity is no root user. In doubt (a wrapped, broken or strange event, a member that
// stands twice) it is true, and Decode tells.
//
// For all events: if Triage is false, Decode fails or its record has no hints.
// readOnly is not consulted: the types listen to writes only, and a flag that is
// wrong must not hide one.
func (w Watch) Triage(raw []byte) bool {
	if len(raw) > MaxSize {
		return true
	}
	return w.triage(raw, true)
}

func (w Watch) triage(raw []byte, notification bool) bool {
	var kind, message, detail, source, name, who member
	ok := eachMember(raw, func(n, value []byte) {
		switch string(n) {
		case "Type":
			kind.set(value)
		case "Message":
			message.set(value)
		case "detail":
			detail.set(value)
		case "eventSource":
			source.set(value)
		case "eventName":
			name.set(value)
		case "userIdentity":
			who.set(value)
		}
	})
	if !ok || kind.twice || message.twice || detail.twice || source.twice || name.twice {
		return true
	}
	if typ, _ := unquote(kind.value); notification && string(typ) == "Notification" {
		if inner, _ := unquote(message.value); len(inner) > 0 {
			return w.triage(inner, false)
		}
	}
	if detail.value != nil {
		return w.triageRecord(detail.value)
	}
	return !w.irrelevant(source, name, who)
}

func (w Watch) triageRecord(raw []byte) bool {
	var source, name, who member
	ok := eachMember(raw, func(n, value []byte) {
		switch string(n) {
		case "eventSource":
			source.set(value)
		case "eventName":
			name.set(value)
		case "userIdentity":
			who.set(value)
		}
	})
	return !ok || !w.irrelevant(source, name, who)
}

// member is a value that must not stand twice.
type member struct {
	value []byte
	twice bool
}

func (m *member) set(value []byte) {
	m.twice = m.value != nil
	m.value = value
}

// irrelevant reports whether source and name are certain and not watched, and whoever
// called certainly no root user that a type listens to.
func (w Watch) irrelevant(source, name, who member) bool {
	if source.twice || name.twice {
		return false
	}
	s, ok := unquote(source.value)
	n, also := unquote(name.value)
	return ok && also && len(s) > 0 && len(n) > 0 && w.calls[string(s)][string(n)] == nil && (len(w.root) == 0 || notRoot(who))
}

// notRoot reports whether an identity is certainly of another type than a root user.
func notRoot(who member) bool {
	if who.twice {
		return false
	}
	if len(who.value) == 0 || who.value[0] != '{' {
		return true // it has no type
	}
	var typ member
	ok := eachMember(who.value, func(n, value []byte) {
		if string(n) == "type" {
			typ.set(value)
		}
	})
	if !ok || typ.twice {
		return false
	}
	t, ok := unquote(typ.value)
	return typ.value == nil || ok && string(t) != rootType
}
