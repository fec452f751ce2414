package catalog

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The file is a magic line, the length of the first part, and two parts, each
// compressed for itself, because most questions need the first only:
//
//	names      version NL, then per service "!prefix" NL and per action its
//	           level and name: "RGetObject" NL
//	details    per service "!prefix" NL, "n" name, then "k" key TAB type, "t"
//	           type TAB ARNs TAB keys, and per action, in order, "a" types ";" keys,
//	           where types and keys are numbers into the lists of the service
const magic = "dera catalogue 1\n"

// maxPart bounds what a part may grow to when it is decompressed.
const maxPart = 16 << 20

// Encode writes a catalogue. The same services give the same bytes, in
// whatever order they come.
func Encode(version string, services []Service) ([]byte, error) {
	var head, tail strings.Builder
	head.WriteString(version + "\n")
	services = slices.SortedFunc(slices.Values(services), func(a, b Service) int { return cmp.Compare(a.Prefix, b.Prefix) })
	for i := range services {
		if i > 0 && services[i].Prefix == services[i-1].Prefix {
			return nil, fmt.Errorf("service %q comes twice", services[i].Prefix)
		}
		if err := encodeService(&head, &tail, services[i]); err != nil {
			return nil, err
		}
	}
	first, second := deflate(head.String()), deflate(tail.String())
	out := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(first)))
	return slices.Concat(out, first, second), nil
}

func encodeService(head, tail *strings.Builder, s Service) error {
	if s.Prefix == "" || s.Prefix != strings.ToLower(s.Prefix) || strings.ContainsAny(s.Prefix, "!:\n") || strings.Contains(s.Name, "\n") {
		return fmt.Errorf("%q is no prefix of a service", s.Prefix)
	}
	fmt.Fprintf(head, "!%s\n", s.Prefix)
	fmt.Fprintf(tail, "!%s\nn%s\n", s.Prefix, s.Name)
	keys, types := map[string]int{}, map[string]int{}
	for _, k := range slices.SortedFunc(slices.Values(s.Keys), func(a, b ConditionKey) int { return cmp.Compare(a.Name, b.Name) }) {
		if k.Name == "" || strings.ContainsAny(k.Name+k.Type, "\t\n") {
			return fmt.Errorf("%q is no condition key", k.Name)
		}
		keys[k.Name] = len(keys)
		fmt.Fprintf(tail, "k%s\t%s\n", k.Name, k.Type)
	}
	for _, t := range slices.SortedFunc(slices.Values(s.Resources), func(a, b ResourceType) int { return cmp.Compare(a.Name, b.Name) }) {
		arns := strings.Join(t.ARNs, "|")
		if strings.ContainsAny(t.Name+arns, "\t\n") || t.Name == "" || arns == "" {
			return fmt.Errorf("%q %q is no resource type", t.Name, arns)
		}
		types[t.Name] = len(types)
		fmt.Fprintf(tail, "t%s\t%s\t%s\n", t.Name, arns, numbers(keys, t.Keys))
	}
	actions := slices.SortedFunc(slices.Values(s.Actions), func(a, b Action) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	for i, a := range actions {
		if strings.ContainsAny(a.Name, "*?:! \n") || a.Name == "" || a.Level.String() == "unknown level" {
			return fmt.Errorf("%s:%q is no action", s.Prefix, a.Name)
		}
		if i > 0 && strings.EqualFold(a.Name, actions[i-1].Name) {
			return fmt.Errorf("action %s:%s comes twice", s.Prefix, a.Name)
		}
		fmt.Fprintf(head, "%c%s\n", a.Level, a.Name)
		var uses, required []string
		for _, u := range a.Resources {
			uses = append(uses, u.Type)
			if u.Required {
				required = append(required, u.Type)
			}
		}
		fmt.Fprintf(tail, "a%s;%s;%s\n", numbers(types, uses), numbers(types, required), numbers(keys, a.Keys))
	}
	return nil
}

// numbers writes the places of names in a list; a name that is not there is
// left out.
func numbers(at map[string]int, names []string) string {
	var all []int
	for _, n := range names {
		if i, ok := at[n]; ok {
			all = append(all, i)
		}
	}
	slices.Sort(all)
	var out []string
	for _, i := range slices.Compact(all) {
		out = append(out, strconv.Itoa(i))
	}
	return strings.Join(out, ",")
}

func deflate(text string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

var errDamaged = errors.New("the catalogue is damaged")

// part decompresses the first or second part of a file.
func part(data []byte, second bool) (string, error) {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < 4 {
		return "", errors.New("this is no catalogue")
	}
	n := uint64(binary.BigEndian.Uint32(rest))
	if rest = rest[4:]; n > uint64(len(rest)) {
		return "", errDamaged
	}
	if second {
		rest = rest[n:]
	} else {
		rest = rest[:n]
	}
	return inflate(rest)
}

// inflate decompresses what deflate wrote.
func inflate(data []byte) (string, error) {
	var b strings.Builder
	b.Grow(len(data) * 6)
	got, err := io.Copy(&b, io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxPart+1))
	if err != nil {
		return "", fmt.Errorf("read the catalogue: %w", err)
	}
	if got > maxPart {
		return "", errDamaged
	}
	return b.String(), nil
}

// names is the first part: services and actions.
type names struct {
	version string
	list    []service
	at      map[string]int
}

// service is the names of one service.
type service struct {
	prefix  string
	actions []string // level and name, sorted by name without case
	first   int      // the place of the first action among those of all services
	known   func() knownActions
}

func decodeNames(data []byte) (*names, error) {
	text, err := part(data, false)
	if err != nil {
		return nil, err
	}
	version, text, _ := strings.Cut(text, "\n")
	first := 0
	out := &names{version: version, at: map[string]int{}, list: make([]service, 0, strings.Count(text, "!"))}
	for text != "" {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok || len(line) < 2 || line[0] != '!' {
			return nil, errDamaged
		}
		block := rest
		if end := strings.IndexByte(rest, '!'); end >= 0 {
			block = rest[:end]
		}
		text = rest[len(block):]
		s := service{prefix: line[1:], actions: make([]string, 0, strings.Count(block, "\n"))}
		for block != "" {
			line, block, ok = strings.Cut(block, "\n")
			if !ok || len(line) < 2 {
				return nil, errDamaged
			}
			s.actions = append(s.actions, line)
		}
		s.first, s.known = first, sync.OnceValue(func() knownActions { return s.know() })
		first += len(s.actions)
		out.at[s.prefix] = len(out.list)
		out.list = append(out.list, s)
	}
	return out, nil
}

func (n *names) find(prefix string) *service {
	i, ok := n.at[prefix]
	if !ok {
		if i, ok = n.at[strings.ToLower(prefix)]; !ok {
			return nil
		}
	}
	return &n.list[i]
}

// find looks an action up by its name without level.
func (s *service) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.actions, name, func(have, want string) int { return compareFold(have[1:], want) })
}

func (s *service) action(i int) Action {
	return Action{Service: s.prefix, Name: s.actions[i][1:], Level: Level(s.actions[i][0])}
}

// compareFold compares without regard to the case of ASCII letters.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(lower(a[i]), lower(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// decodeDetails cuts the second part into the blocks of the services.
func decodeDetails(data []byte) (map[string]string, error) {
	text, err := part(data, true)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for text != "" {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok || line == "" || line[0] != '!' {
			return nil, errDamaged
		}
		end := strings.Index(rest, "\n!") + 1
		if end == 0 {
			end = len(rest)
		}
		out[line[1:]], text = rest[:end], rest[end:]
	}
	return out, nil
}

// decode reads the block of a service.
func (s *service) decode(block string) (Service, error) {
	out := Service{Prefix: s.prefix}
	for line := range strings.Lines(block) {
		if !out.add(s, strings.TrimSuffix(line, "\n")) {
			return Service{}, fmt.Errorf("service %q: %w", s.prefix, errDamaged)
		}
	}
	if len(out.Actions) != len(s.actions) {
		return Service{}, fmt.Errorf("service %q: %w", s.prefix, errDamaged)
	}
	return out, nil
}

func (out *Service) add(s *service, line string) bool {
	if line == "" {
		return false
	}
	kind, line := line[0], line[1:]
	words := strings.Split(line, "\t")
	switch {
	case kind == 'n':
		out.Name = line
		return true
	case kind == 'k' && len(words) == 2:
		out.Keys = append(out.Keys, ConditionKey{words[0], words[1]})
		return true
	case kind == 't' && len(words) == 3:
		keys, ok := out.keys(words[2])
		out.Resources = append(out.Resources, ResourceType{words[0], strings.Split(words[1], "|"), keys})
		return ok
	case kind != 'a' || len(out.Actions) >= len(s.actions):
		return false
	}
	lists := strings.Split(line, ";")
	if len(lists) != 3 {
		return false
	}
	a := s.action(len(out.Actions))
	uses, okUses := places(lists[0], len(out.Resources))
	required, okRequired := places(lists[1], len(out.Resources))
	for _, i := range uses {
		a.Resources = append(a.Resources, Use{out.Resources[i].Name, slices.Contains(required, i)})
	}
	keys, okKeys := out.keys(lists[2])
	a.Keys = keys
	out.Actions = append(out.Actions, a)
	return okUses && okRequired && okKeys
}

func (out *Service) keys(list string) ([]string, bool) {
	at, ok := places(list, len(out.Keys))
	var names []string
	for _, i := range at {
		names = append(names, out.Keys[i].Name)
	}
	return names, ok
}

// places reads numbers below a bound.
func places(list string, bound int) ([]int, bool) {
	if list == "" {
		return nil, true
	}
	var out []int
	for word := range strings.SplitSeq(list, ",") {
		i, err := strconv.Atoi(word)
		if err != nil || i < 0 || i >= bound {
			return nil, false
		}
		out = append(out, i)
	}
	return out, true
}
