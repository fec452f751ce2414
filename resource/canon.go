package resource

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
)

// canon is the canonical form of a configuration: that of its type, or all of it as
// canonical JSON but for its Around members and the tags that dera writes.
func (d definition[T]) canon(c *T) (string, error) {
	if d.Canon != nil {
		return d.Canon(c), nil
	}
	_, _, tags := d.Identify(c)
	text, err := CanonMembers(c, tags, d.Around)
	if err != nil {
		return "", fmt.Errorf("canonical form of %s: %w", d.Name, err)
	}
	return text, nil
}

// CanonMembers is a configuration as canonical JSON, a line a member, so that a difference
// names it: without the members that belong to other resources, and of its tags without
// those that dera writes.
func CanonMembers(config any, tags map[string]string, around []string) (string, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return "", err
	}
	for _, name := range around {
		delete(members, name)
	}
	if _, ok := members["tags"]; ok {
		tags = maps.Clone(tags)
		maps.DeleteFunc(tags, func(k, _ string) bool { return strings.HasPrefix(k, TagPrefix) })
		delete(members, "tags")
		if len(tags) > 0 {
			if members["tags"], err = json.Marshal(tags); err != nil {
				return "", err
			}
		}
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value, err := dera.CanonicalJSON(members[name])
		if err != nil {
			return "", err
		}
		lines = append(lines, name+" "+string(value))
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// declare tells an operation as infrastructure as code: as its type does, or, of a
// setting, by data.
func (d definition[T]) declare(c *T, op Operation, as Format) ([]string, error) {
	var in SettingInput
	if Decode(op, &in) == nil {
		for _, s := range d.Settings {
			if s.Path != in.Path || s.operation(in.Value) != op.Name {
				continue
			}
			before, err := member(c, s.Path)
			if err != nil {
				return nil, err
			}
			id, name, _ := d.Identify(c)
			if name == "" {
				name = id
			}
			return declareSetting(d.Spec.Name, name, s, before, in.Value, as)
		}
	}
	if d.Declare == nil {
		return nil, fmt.Errorf("%s cannot be written as %s", d.Name, as.Language)
	}
	next, err := d.apply(c, op, true)
	if err != nil {
		return nil, err
	}
	return d.Declare(c, next.(*T), op, as)
}
