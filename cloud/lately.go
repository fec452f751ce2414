package cloud

// lately keeps what was used lately by its name, and drops the rest: a client of the SDK takes tens of kilobytes,
// and there may be one for each service in each region of thousands of accounts. The zero value is empty.
type lately struct{ now, old map[string]any }

// mostLately is how many are kept for certain; at most twice as many are.
const mostLately = 512

// get returns what is kept under a name, or nil.
func (l *lately) get(name string) any {
	if v, ok := l.now[name]; ok {
		return v
	}
	v, ok := l.old[name]
	if ok { // it is used still
		l.put(name, v)
	}
	return v
}

// put keeps something under a name.
func (l *lately) put(name string, v any) {
	if len(l.now) >= mostLately || l.now == nil {
		l.old, l.now = l.now, map[string]any{}
	}
	l.now[name] = v
}
