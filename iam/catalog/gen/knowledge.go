package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
)

// knowledge is what the text files beside the catalogue say.
type knowledge struct {
	services map[string]catalog.Row
	logs     map[string]map[string]bool // prefix -> operations, in lower case
	models   map[string]string          // API model -> prefix
	apart    map[string]bool            // API models
	data     []string                   // patterns of actions
	silent   []string
	hidden   []rule
	needs    []rule
	passRole []string
	sources  map[string][]string // name of an event source -> prefixes
	events   map[string]event    // "prefix Event"
}

// rule says that some actions are used with others.
type rule struct{ actions, with []string }

// event is what an event means in actions: those that the call is authorized
// by always, and those only at times.
type event struct{ always, maybe []string }

// newKnowledge reads the text files of a folder.
func newKnowledge(folder string) (*knowledge, error) {
	k := &knowledge{
		services: map[string]catalog.Row{}, logs: map[string]map[string]bool{}, models: map[string]string{}, apart: map[string]bool{},
		sources: map[string][]string{}, events: map[string]event{},
	}
	for name, line := range map[string]func(words []string) error{
		"services.txt": k.service, "classes.txt": k.class, "dataevents.txt": k.dataEvent, "passrole.txt": k.pass, "events.txt": k.event,
	} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		n := 0
		for l := range strings.Lines(string(text)) {
			n++
			words := strings.Fields(l)
			if len(words) == 0 || words[0][0] == '#' {
				continue
			}
			if err := line(words); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
		}
	}
	return k, nil
}

func (k *knowledge) service(words []string) error {
	switch {
	case words[0] == "service" && len(words) == 6:
		if !slices.Contains([]string{"all", "calls", "writes", "listed", "none"}, words[2]) {
			return fmt.Errorf("%q is no mode", words[2])
		}
		k.services[words[1]] = catalog.Row{Mode: words[2], Since: words[3], Read: words[4], Document: words[5]}
	case words[0] == "logs" && len(words) > 2:
		if k.logs[words[1]] == nil {
			k.logs[words[1]] = map[string]bool{}
		}
		for _, w := range words[2:] {
			k.logs[words[1]][strings.ToLower(w)] = true
		}
	case words[0] == "model" && len(words) == 3:
		k.models[words[1]] = words[2]
	default:
		return fmt.Errorf("%q is no line of this file", strings.Join(words, " "))
	}
	return nil
}

func (k *knowledge) class(words []string) error {
	list, with := words[1:], []string(nil)
	if i := slices.Index(list, "with"); i >= 0 {
		list, with = list[:i], list[i+1:]
	}
	switch words[0] {
	case "apart":
		for _, w := range list {
			k.apart[w] = true
		}
	case "silent":
		k.silent = append(k.silent, list...)
	case "hidden":
		k.hidden = append(k.hidden, rule{list, with})
	case "needs":
		k.needs = append(k.needs, rule{list, with})
	default:
		return fmt.Errorf("%q is no line of this file", strings.Join(words, " "))
	}
	return nil
}

func (k *knowledge) dataEvent(words []string) error {
	if !strings.HasPrefix(words[0], "AWS::") || len(words) < 2 {
		return fmt.Errorf("%q is no type of resource", words[0])
	}
	for _, w := range words[1:] {
		if w != "-" {
			k.data = append(k.data, w)
		}
	}
	return nil
}

func (k *knowledge) pass(words []string) error {
	k.passRole = append(k.passRole, words...)
	return nil
}

func (k *knowledge) event(words []string) error {
	if source, ok := strings.CutPrefix(words[0], "@"); ok {
		k.sources[source] = append(k.sources[source], words[1:]...)
		return nil
	}
	if len(words) < 3 {
		return fmt.Errorf("%q says nothing of an event", strings.Join(words, " "))
	}
	var e event
	into := &e.always
	for _, w := range words[2:] {
		switch w {
		case "+":
			into = &e.maybe
		case "-":
		default:
			*into = append(*into, w)
		}
	}
	k.events[words[0]+" "+words[1]] = e
	return nil
}

// matches reports whether one of some entries of an Action list matches.
func matches(entries []string, action string) bool {
	return slices.ContainsFunc(entries, func(e string) bool { return catalog.MatchAction(e, action) })
}
