package cloudtrail

// Triage reports whether an event is worth decoding. It is false only for an
// event that is none of dera's business: a CloudTrail record whose eventSource
// and eventName, read at the record's own first level, are none of the watched
// calls. In doubt (a wrapped, broken or strange event, a member that
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
	var kind, message, detail, source, name member
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
	return !w.irrelevant(source, name)
}

func (w Watch) triageRecord(raw []byte) bool {
	var source, name member
	ok := eachMember(raw, func(n, value []byte) {
		switch string(n) {
		case "eventSource":
			source.set(value)
		case "eventName":
			name.set(value)
		}
	})
	return !ok || !w.irrelevant(source, name)
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

// irrelevant reports whether source and name are certain and not watched.
func (w Watch) irrelevant(source, name member) bool {
	if source.twice || name.twice {
		return false
	}
	s, ok := unquote(source.value)
	n, also := unquote(name.value)
	return ok && also && len(s) > 0 && len(n) > 0 && w.calls[string(s)][string(n)] == nil
}
