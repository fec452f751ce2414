package resource

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
)

// Setting is an operation by data: one member of the configuration and the write
// that sets it.
type Setting struct {
	// Path is the JSON member of the configuration; dots stand between levels.
	Path string
	// Says is what people call it, for example "public accessibility".
	Says string
	// Operation is the write, by its IAM action, and Off the one that sets OffValue, where
	// AWS has two; nil is false.
	Operation string
	Off       string
	OffValue  any
	DryRun    bool // AWS has a dry run of the write
	// Once says that dera sets it once: whoever sets it back after a fix may need what was
	// there, so that a person decides from then on.
	Once bool
	// Final says that no plan takes it back: the way back harms, or is a person's.
	Final bool
	// Order are its values, the least secure first. A value that is not there cannot
	// be compared.
	Order []any
	// Terraform is RESOURCE.ARGUMENT or RESOURCE.BLOCK.ARGUMENT, CloudFormation the property
	// of the type; empty where there is none.
	Terraform      string
	CloudFormation string
	// Denies bounds what its most secure value may deny, given a plan that sets it; no
	// bounds for nothing. Nil is not declared.
	Denies func(p dera.Plan) []Bounds
}

// SettingInput is version 1 of the input of the operation of a setting.
type SettingInput struct {
	Resource string          `json:"resource"` // the ID
	Path     string          `json:"setting"`
	Value    json.RawMessage `json:"value"`
}

// operation is the write that sets the value.
func (s Setting) operation(value json.RawMessage) string {
	off, err := dera.CanonicalJSON(s.OffValue)
	if s.OffValue == nil {
		off = []byte("false")
	}
	if s.Off != "" && err == nil && bytes.Equal(value, off) {
		return s.Off
	}
	return s.Operation
}

// Rank is the place of a value in the order of a setting, from 0 for the least
// secure; ok is false for a value that is not in it.
func (s Setting) Rank(value json.RawMessage) (rank int, ok bool) {
	for i, v := range s.Order {
		if text, err := dera.CanonicalJSON(v); err == nil && bytes.Equal(text, value) {
			return i, true
		}
	}
	return 0, false
}

// Setting returns the setting of the type with the path.
func (t Type) Setting(path string) (Setting, error) {
	i := slices.IndexFunc(t.Settings, func(s Setting) bool { return s.Path == path })
	if i < 0 {
		return Setting{}, fmt.Errorf("%s has no setting %q", t.Name, path)
	}
	return t.Settings[i], nil
}

// Values are the settings of a configuration by their paths, each as canonical
// JSON.
func (t Type) Values(config any) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for _, s := range t.Settings {
		v, err := member(config, s.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		out[s.Path] = v
	}
	return out, nil
}

// Set returns the change that sets a setting; its undo sets what was there. It is
// an error where the configuration has no value to go back to.
func (t Type) Set(config any, path string, value any) (dera.Change, error) {
	s, err := t.Setting(path)
	if err != nil {
		return dera.Change{}, err
	}
	before, err := member(config, path)
	if err != nil {
		return dera.Change{}, err
	}
	if string(before) == "null" {
		return dera.Change{}, fmt.Errorf("setting %s of %s is not known", path, t.Name)
	}
	after, err := dera.CanonicalJSON(value)
	if err != nil {
		return dera.Change{}, err
	}
	id, _, _ := t.Identify(config)
	diff := []string{"- " + path + " = " + string(before), "+ " + path + " = " + string(after)}
	c, err := NewChange(s.operation(after), SettingInput{id, path, after}, json.RawMessage(before), json.RawMessage(after),
		s.operation(before), SettingInput{id, path, before}, diff)
	if s.Final {
		c.Undo = nil
	}
	return c, err
}

// settingOperators are the operations of settings: one for each write.
func settingOperators[T any](settings []Setting) []Operator[T] {
	var out []Operator[T]
	for _, s := range settings {
		for _, name := range []string{s.Operation, s.Off} {
			if name == "" || slices.ContainsFunc(out, func(o Operator[T]) bool { return o.Name == name }) {
				continue
			}
			o := Operator[T]{OperationType: OperationType{Name: name, Version: 1, DryRun: s.DryRun, Denies: DeniesWithin}}
			o.apply = func(c *T, id string, op Operation) (*T, error) { return applySetting(settings, c, id, op) }
			o.refuse = func(*T, Operation) error { return nil }
			o.output = func(*T, Operation) map[string]string { return nil }
			o.taken = took(settingTook(settings))
			out = append(out, o)
		}
	}
	return out
}

func applySetting[T any](settings []Setting, c *T, id string, op Operation) (*T, error) {
	var in SettingInput
	if err := Decode(op, &in); err != nil {
		return nil, err
	}
	if in.Resource != id {
		return nil, fmt.Errorf("%s of %q is not one of %s", op.Name, in.Resource, id)
	}
	i := slices.IndexFunc(settings, func(s Setting) bool { return s.Path == in.Path })
	if i < 0 || settings[i].operation(in.Value) != op.Name {
		return nil, fmt.Errorf("%s does not set %q to %s", op.Name, in.Path, in.Value)
	}
	if len(in.Value) == 0 || string(in.Value) == "null" {
		return nil, fmt.Errorf("%s of %q sets %q to no value", op.Name, in.Resource, in.Path)
	}
	next := new(T)
	return next, withMember(c, next, in.Path, in.Value)
}

// member is a member of a configuration as canonical JSON; null for one that is
// not there.
func member(config any, path string) (json.RawMessage, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(path, ".") {
		var level map[string]json.RawMessage
		if err := json.Unmarshal(text, &level); err != nil {
			return nil, fmt.Errorf("setting %q: %w", path, err)
		}
		if text = level[name]; text == nil {
			return json.RawMessage("null"), nil
		}
	}
	return dera.CanonicalJSON(json.RawMessage(text))
}

// withMember makes into a copy of a configuration with another value of a member.
func withMember(config, into any, path string, value json.RawMessage) error {
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	if text, err = put(text, strings.Split(path, "."), value); err != nil {
		return fmt.Errorf("set %q: %w", path, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("set %q to %s: %w", path, value, err)
	}
	return nil
}

func put(text json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	if len(path) == 0 {
		return value, nil
	}
	level := map[string]json.RawMessage{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &level); err != nil {
			return nil, err
		}
	}
	var err error
	if level[path[0]], err = put(level[path[0]], path[1:], value); err != nil {
		return nil, err
	}
	return json.Marshal(level)
}

// declareSetting tells the operation of a setting as infrastructure as code.
func declareSetting(typ, name string, s Setting, before, after json.RawMessage, as Format) ([]string, error) {
	if as.Language == CloudFormation && s.CloudFormation != "" {
		changed := []string{"-    " + s.CloudFormation + ": " + string(before), "+    " + s.CloudFormation + ": " + string(after)}
		return WrapCode(as, []string{LogicalID(name) + ":", "  Type: " + typ, "  Properties:"}, changed, nil)
	}
	if of, argument, ok := strings.Cut(s.Terraform, "."); ok && as.Language == Terraform {
		head, tail, indent := []string{fmt.Sprintf("resource %q %q {", of, Identifier(name))}, []string{"}"}, "  "
		if block, inner, ok := strings.Cut(argument, "."); ok {
			head, tail, argument, indent = append(head, "  "+block+" {"), []string{"  }", "}"}, inner, "    "
		}
		changed := []string{"-" + indent + argument + " = " + string(before), "+" + indent + argument + " = " + string(after)}
		return WrapCode(as, head, changed, tail)
	}
	return nil, fmt.Errorf("%s has nothing that declares %s", as.Language, s.Path)
}

// Split returns the settings of a configuration by their paths, and a digest of
// the rest of its canonical form.
func (t Type) Split(config any) (values map[string]json.RawMessage, rest string, err error) {
	if values, err = t.Values(config); err != nil {
		return nil, "", err
	}
	bare := config
	for _, s := range t.Settings {
		next := t.New()
		if err := withMember(bare, next, s.Path, json.RawMessage("null")); err != nil {
			return nil, "", err
		}
		bare = next
	}
	text, err := t.Canon(bare)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256([]byte(text))
	return values, hex.EncodeToString(sum[:]), nil
}

// Reads are the IAM actions with which a resource of the type is read.
func (t Type) Reads() (out []string) {
	for _, p := range t.Parts {
		out = append(out, p.Actions()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
