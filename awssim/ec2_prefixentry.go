package awssim

import "strconv"

type entryPage struct {
	entries []prefixEntry
	token   string
}

// getPrefixListEntries returns the entries of the current version, or of an earlier one.
func getPrefixListEntries(k *call) (any, error) {
	list, err := k.prefixList(k.p.text("PrefixListId"), k.view())
	if err != nil {
		return nil, err
	}
	version, given, err := k.p.number("TargetVersion")
	switch {
	case err != nil:
		return nil, err
	case !given:
		version = len(list.versions)
	case version < 1 || version > len(list.versions):
		return nil, invalid("The version '%d' of the prefix list does not exist.", version)
	}
	w, err := readWindow(k)
	if err != nil {
		return nil, err
	}
	entries, next := list.versions[version-1], ""
	entries = entries[min(w.start, len(entries)):]
	if w.size > 0 && len(entries) > w.size {
		entries, next = entries[:w.size], strconv.Itoa(w.start+w.size)
	}
	entries, token, err := cut(k, entries, next)
	return entryPage{entries, token}, err
}

func (a entryPage) write(e *encoder) {
	e.beginList("entrySet")
	for _, entry := range a.entries {
		e.item()
		e.text("cidr", entry.cidr)
		e.optional("description", entry.description)
		e.endItem()
	}
	e.endList("entrySet")
	e.optional("nextToken", a.token)
}
