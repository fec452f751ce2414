package catalog

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed observed.bin
var observedBytes []byte

// observedMagic stands before the compressed text of observed.bin:
//
//	the inputs, then per service "!" prefix, mode, since, read, document,
//	per action its class, its level in lower case if it is no pure read, its
//	name, the operations if they are not just its name, and what is missing;
//	then "=" and what it is used with. Last "@" name of an event source and
//	prefixes, and "&" prefix Event and action. Tabs separate the fields.
const observedMagic = "dera observed 1\n"

// NoPureRead stands in the place of a name in Evidence.With for all actions of
// the service that do more than read.
const NoPureRead = "~"

// What is missing for the absence of use to mean that an action was not used.
const (
	NoOperation    = 'p'
	NoDocument     = 'u'
	NotListed      = 'l'
	ReadsNotLogged = 'r'
	DataPlane      = 'd'
	Streams        = 's'
	Agent          = 'a'
	Unsigned       = 'n'
	Silent         = 'x'
)

// Row is what a document of AWS says of a service: which calls CloudTrail logs
// as management events. services.txt explains the modes.
type Row struct{ Mode, Since, Read, Document string }

// Evidence says what CloudTrail shows of the use of an action.
type Evidence struct {
	Action   Action
	Class    Class
	Missing  byte     // for Unknown: what is missing; 0: the catalogue's evidence does not have the action
	PureRead bool     // it only reads
	With     []string // entries: while one of these stays, the action stays
	// Operations are the API operations, or events, by which its use shows.
	Operations []string
	Row        Row // what the document of the service says
}

// Observed is the whole table.
type Observed struct {
	Inputs   string // packages with their versions
	Services []ObservedService
	Sources  map[string][]string // name of an event source -> prefixes
	Verbs    map[string]string   // "prefix Event" -> action
}

// ObservedService is the part of one service.
type ObservedService struct {
	Prefix  string
	Row     Row
	Actions []Evidence
}

// EncodeObserved writes the table. The same table gives the same bytes.
func EncodeObserved(o Observed) ([]byte, error) {
	var b strings.Builder
	b.WriteString(o.Inputs + "\n")
	services := slices.SortedFunc(slices.Values(o.Services), func(a, b ObservedService) int { return cmp.Compare(a.Prefix, b.Prefix) })
	for _, s := range services {
		fmt.Fprintf(&b, "!%s\t%s\t%s\t%s\t%s\n", s.Prefix, s.Row.Mode, s.Row.Since, s.Row.Read, s.Row.Document)
		actions := slices.SortedFunc(slices.Values(s.Actions), func(a, b Evidence) int { return compareFold(a.Action.Name, b.Action.Name) })
		for _, e := range actions {
			e.encode(&b)
		}
	}
	for _, name := range sortedKeys(o.Sources) {
		if got := o.Sources[name]; len(got) != 1 || got[0] != name {
			fmt.Fprintf(&b, "@%s\t%s\n", name, strings.Join(got, " "))
		}
	}
	for _, event := range sortedKeys(o.Verbs) {
		fmt.Fprintf(&b, "&%s\t%s\n", event, o.Verbs[event])
	}
	text := b.String()
	out := slices.Concat([]byte(observedMagic), deflate(text))
	again, err := decodeObserved(out)
	if err == nil {
		err = again.check()
	}
	if err != nil {
		return nil, fmt.Errorf("write the observed actions: %w", err)
	}
	return out, nil
}

func (e Evidence) encode(b *strings.Builder) {
	class := map[Class]byte{Management: 'M', Data: 'D', Hidden: 'H', Unknown: 'U'}[e.Class]
	kind := byte('w')
	if e.PureRead {
		kind = 'r'
	}
	operations := strings.Join(e.Operations, ",")
	if operations == e.Action.Name {
		operations = ""
	}
	fmt.Fprintf(b, "%c%c%s\t%s", class, kind, e.Action.Name, operations)
	if e.Missing != 0 {
		fmt.Fprintf(b, "\t%c", e.Missing)
	}
	b.WriteByte('\n')
	if len(e.With) == 0 {
		return
	}
	var with []string
	for _, w := range e.With {
		if own, ok := strings.CutPrefix(w, e.Action.Service+":"); ok {
			w = ":" + own
		}
		with = append(with, w)
	}
	fmt.Fprintf(b, "=%s\n", strings.Join(with, " "))
}

// observed is the table as it is looked up. The actions of a service are decoded
// when one of them is asked for.
type observed struct {
	inputs   string
	services map[string]*observedService
	sources  map[string][]string
	verbs    map[string]string
}

type observedService struct {
	row     Row
	actions func() (map[string]observedAction, error) // by name in lower case
}

// observedAction is the lines of an action.
type observedAction struct{ line, with string }

// theObserved is the table that is compiled in, a constant that is decoded once and
// never written to.
var theObserved = sync.OnceValue(func() *observed {
	o, err := decodeObserved(observedBytes)
	if err != nil {
		panic(fmt.Sprintf("read the embedded table of observed actions: %v", err))
	}
	return o
})

// ObservedText returns the text of the embedded table, for readers that want to
// draw their own conclusions from it, and ObservedDigest its SHA-256.
func ObservedText() (string, error) { return observedText(observedBytes) }

// ObservedDigest is the SHA-256 of the embedded table.
func ObservedDigest() string {
	sum := sha256.Sum256(observedBytes)
	return hex.EncodeToString(sum[:])
}

func observedText(data []byte) (string, error) {
	rest, ok := bytes.CutPrefix(data, []byte(observedMagic))
	if !ok {
		return "", errors.New("this is no table of observed actions")
	}
	return inflate(rest)
}

func decodeObserved(data []byte) (*observed, error) {
	text, err := observedText(data)
	if err != nil {
		return nil, err
	}
	inputs, text, _ := strings.Cut(text, "\n")
	o := &observed{inputs: inputs, services: map[string]*observedService{}, sources: map[string][]string{}, verbs: map[string]string{}}
	for text != "" && text[0] == '!' {
		head, rest, _ := strings.Cut(text, "\n")
		fields := strings.Split(head, "\t")
		if len(fields) != 5 {
			return nil, fmt.Errorf("%w: %q", errDamaged, head)
		}
		end := len(rest)
		for _, mark := range []string{"\n!", "\n@", "\n&"} {
			if i := strings.Index(rest[:end], mark); i >= 0 {
				end = i + 1
			}
		}
		block := rest[:end]
		o.services[fields[0][1:]] = &observedService{
			Row{fields[1], fields[2], fields[3], fields[4]},
			sync.OnceValues(func() (map[string]observedAction, error) { return decodeActions(block) }),
		}
		text = rest[end:]
	}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case ok && name[0] == '@':
			o.sources[name[1:]] = strings.Fields(value)
		case ok && name[0] == '&':
			o.verbs[name[1:]] = value
		default:
			return nil, fmt.Errorf("%w: %q", errDamaged, line)
		}
	}
	return o, nil
}

// decodeActions reads the lines of the actions of a service.
func decodeActions(block string) (map[string]observedAction, error) {
	out := make(map[string]observedAction, strings.Count(block, "\n"))
	last := ""
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case len(line) > 1 && line[0] == '=' && last != "":
			out[last] = observedAction{out[last].line, line[1:]}
		case len(line) > 3 && strings.IndexByte("MDHU", line[0]) >= 0 && strings.IndexByte(line, '\t') > 2:
			last = strings.ToLower(line[2:strings.IndexByte(line, '\t')])
			out[last] = observedAction{line: line}
		default:
			return nil, fmt.Errorf("%w: %q", errDamaged, line)
		}
	}
	return out, nil
}

// check decodes everything.
func (o *observed) check() error {
	for _, prefix := range sortedKeys(o.services) {
		if _, err := o.services[prefix].actions(); err != nil {
			return err
		}
	}
	return nil
}

// evidence decodes the line of an action that the catalogue has.
func (o *observed) evidence(a Action) Evidence {
	out := Evidence{Action: a}
	service, ok := o.services[a.Service]
	if !ok {
		return out
	}
	out.Row = service.row
	actions, err := service.actions()
	if err != nil {
		panic(fmt.Sprintf("read the embedded table of observed actions: %v", err))
	}
	found, ok := actions[strings.ToLower(a.Name)]
	if !ok {
		return out
	}
	fields := strings.Split(found.line, "\t")
	out.Class = map[byte]Class{'M': Management, 'D': Data, 'H': Hidden, 'U': Unknown}[found.line[0]]
	out.PureRead = found.line[1] == 'r'
	if out.Operations = []string{a.Name}; fields[1] != "" {
		out.Operations = strings.Split(fields[1], ",")
	}
	if len(fields) == 3 {
		out.Missing = fields[2][0]
		if out.Missing == NoOperation {
			out.Operations = nil
		}
	}
	for w := range strings.FieldsSeq(found.with) {
		if w[0] == ':' {
			w = a.Service + w
		}
		out.With = append(out.With, w)
	}
	return out
}
