package cloudtrail

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Fields is what the usage ledger needs of one record, found in one pass. Its
// bytes are raw JSON values that alias the text they were read from; what stands
// deeper than the record's first level (or than the members of userIdentity that
// AWS writes) can neither hide nor fake one of them.
type Fields struct {
	ID, Time, Source, Name, Region, Account, ErrorCode, ErrorMessage, Type, Category []byte
	ReadOnly, Request, Response, Resources                                           []byte
	Identity                                                                         Identity
	// ARNs are the texts in requestParameters and resources, at any depth, that
	// begin with arn:, as raw JSON values.
	ARNs []ARN
	seen uint32
	list string // the member that holds records, where skim found one instead of a record
}

// ARN is a raw JSON text that begins with arn:.
type ARN struct {
	Raw     []byte
	Request bool // it stands in requestParameters
	// Mixed says that it stands in a list beside a text that begins otherwise: beside what
	// may name the same kind of thing by less than its ARN.
	Mixed bool
}

// Identity is the userIdentity of a record, as raw JSON values.
type Identity struct {
	Type, ARN, Account, PrincipalID, InvokedBy, UserName, Provider []byte
	Issuer, IssuerType, Created                                    []byte // of sessionContext
	BehalfUser, BehalfStore                                        []byte // of onBehalfOf
	region                                                         []byte // of the record
	seen                                                           uint32
}

var (
	errShort  = errors.New("text ends within a record")
	errSyntax = errors.New("record is not a JSON object")
	errList   = errors.New("object holds records in a member")
)

// Skim reads the fields of one record, which is the whole of raw. It is exact for
// JSON that json.Valid accepts. A member that it reads and that stands twice is
// ErrDuplicateName.
func (f *Fields) Skim(raw []byte) error {
	i := skipSpace(raw, 0)
	if i == len(raw) || raw[i] != '{' {
		return fmt.Errorf("read record: %w", ErrNotJSON)
	}
	end, err := f.skim(raw, i, false)
	switch {
	case errors.Is(err, ErrDuplicateName):
		return fmt.Errorf("read record: %w", err)
	case err != nil || skipSpace(raw, end) != len(raw):
		return fmt.Errorf("read record: %w", ErrNotJSON)
	}
	return nil
}

// skim reads the object that begins at i and returns the index behind it. After
// ErrDuplicateName the index is good too. With lists, an object that is no record
// and holds some in a member is errList, with the index of the member's value.
func (f *Fields) skim(raw []byte, i int, lists bool) (int, error) {
	*f = Fields{ARNs: f.ARNs[:0]}
	twice := false
	end, err := members(raw, i, func(name []byte, at int) (int, error) {
		into, bit := f.member(name)
		if bit == bitList && lists && f.seen&bitNamed == 0 {
			switch {
			case at >= len(raw):
				return at, errShort
			case raw[at] == '[' || raw[at] == '{' && (string(name) == resultSet || string(name) == "hits"):
				f.list = string(name)
				return at, errList
			}
		}
		if bit == 0 || bit == bitList {
			return valueEnd(raw, at)
		}
		twice = twice || f.seen&bit != 0
		f.seen |= bit
		if into == nil {
			end, again, err := f.Identity.skim(raw, at)
			twice = twice || again
			return end, err
		}
		if bit&(bitRequest|bitResources) != 0 && at < len(raw) && (raw[at] == '{' || raw[at] == '[') {
			end, err := f.deep(raw, at, bit == bitRequest)
			if err == nil {
				*into = raw[at:end]
			}
			return end, err
		}
		end, err := valueEnd(raw, at)
		if err == nil {
			*into = raw[at:end]
		}
		return end, err
	})
	f.Identity.region = f.Region
	if err == nil && twice {
		err = ErrDuplicateName
	}
	return end, err
}

const (
	bitRequest, bitResources = 1024, 4096
	bitNamed                 = 4 | 8 // eventSource, eventName
	bitList                  = 1 << 20
)

// resultSet is the member of an answer of Athena that holds its Rows.
const resultSet = "ResultSet"

// member says where the value of a member goes, and its bit; 0 for one that is
// not read. The identity goes nowhere: it is taken apart.
func (f *Fields) member(name []byte) (into *[]byte, bit uint32) {
	switch string(name) {
	case "eventID":
		return &f.ID, 1
	case "eventTime":
		return &f.Time, 2
	case "eventSource":
		return &f.Source, 4
	case "eventName":
		return &f.Name, 8
	case "awsRegion":
		return &f.Region, 16
	case "recipientAccountId":
		return &f.Account, 32
	case "errorCode":
		return &f.ErrorCode, 64
	case "errorMessage":
		return &f.ErrorMessage, 16384
	case "eventType":
		return &f.Type, 128
	case "eventCategory":
		return &f.Category, 256
	case "readOnly":
		return &f.ReadOnly, 512
	case "requestParameters":
		return &f.Request, bitRequest
	case "responseElements":
		return &f.Response, 2048
	case "resources":
		return &f.Resources, bitResources
	case "userIdentity":
		return nil, 8192
	case "Records", // a log file
		"Events",          // LookupEvents
		"events",          // FilterLogEvents and GetLogEvents of CloudWatch Logs
		"logEvents",       // a subscription of CloudWatch Logs
		"QueryResultRows", // GetQueryResults of CloudTrail Lake
		"results",         // GetQueryResults of CloudWatch Logs
		"Rows", resultSet, // GetQueryResults of Athena
		"Messages",           // ReceiveMessage of SQS
		"hits",               // Elastic, which is refused
		"configurationItems": // AWS Config, which is something else
		return nil, bitList
	}
	return nil, 0
}

// members calls f with the unescaped name of each member of the object at i and
// the index of its value; f returns the index behind the value.
func members(raw []byte, i int, f func(name []byte, at int) (int, error)) (int, error) {
	i = skipSpace(raw, i+1)
	if i < len(raw) && raw[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(raw) {
			return i, errShort
		}
		if raw[i] != '"' {
			return i, errSyntax
		}
		end, escaped := textSpan(raw, i+1)
		if end < 0 {
			return i, errShort
		}
		name := raw[i+1 : end]
		if escaped {
			var ok bool
			if name, ok = unescape(name); !ok {
				return i, errSyntax
			}
		}
		if i = skipSpace(raw, end+1); i >= len(raw) {
			return i, errShort
		}
		if raw[i] != ':' {
			return i, errSyntax
		}
		var err error
		if i, err = f(name, skipSpace(raw, i+1)); err != nil {
			return i, err
		}
		if i = skipSpace(raw, i); i >= len(raw) {
			return i, errShort
		}
		switch raw[i] {
		case '}':
			return i + 1, nil
		case ',':
			i = skipSpace(raw, i+1)
		default:
			return i, errSyntax
		}
	}
}

// textEnd returns the index of the quote that ends the string whose first
// character is at i, or -1.
func textEnd(raw []byte, i int) int {
	end, _ := textSpan(raw, i)
	return end
}

// textSpan is textEnd that also tells whether the string holds an escape.
func textSpan(raw []byte, i int) (end int, escaped bool) {
	for {
		if i = special(raw, i); i < 0 || raw[i] == '"' {
			return i, escaped
		}
		escaped = true
		if i += 2; i > len(raw) {
			return -1, true
		}
	}
}

// special returns the index of the first quote or backslash from i on, or -1. It
// looks at eight bytes at a time: most texts are too short for bytes.IndexByte to
// pay.
func special(raw []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for n := 0; n < 8; n++ {
		if i+8 > len(raw) {
			break
		}
		x := binary.LittleEndian.Uint64(raw[i:])
		q, s := x^'"'*ones, x^'\\'*ones
		if found := ((q-ones)&^q | (s-ones)&^s) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
	}
	end := bytes.IndexByte(raw[i:], '"')
	rest := raw[i:]
	if end >= 0 {
		rest = rest[:end]
	}
	if n := bytes.IndexByte(rest, '\\'); n >= 0 {
		end = n
	}
	if end < 0 {
		return -1
	}
	return i + end
}

// valueEnd returns the index behind the value that begins at i.
func valueEnd(raw []byte, i int) (int, error) {
	if i >= len(raw) {
		return i, errShort
	}
	switch raw[i] {
	case '"':
		if end := textEnd(raw, i+1); end >= 0 {
			return end + 1, nil
		}
		return i, errShort
	case '{', '[':
		return deepEnd(raw, i)
	}
	for start := i; ; i++ {
		if i == len(raw) {
			return i, errShort // a scalar is never the last of a record
		}
		switch raw[i] {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			if i == start {
				return i, errSyntax
			}
			return i, nil
		case '"', '{', '[', ':':
			return i, errSyntax
		}
	}
}

// deepEnd returns the index behind the object or array that begins at i.
func deepEnd(raw []byte, i int) (int, error) {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			end := textEnd(raw, i+1)
			if end < 0 {
				return i, errShort
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
		i++
	}
	return i, errShort
}

// deep is deepEnd that notes ARNs.
func (f *Fields) deep(raw []byte, i int, request bool) (int, error) {
	depth, text, was := 0, -1, false // where the last text ends, and whether it is an ARN
	for i < len(raw) {
		switch raw[i] {
		case '"':
			end := textEnd(raw, i+1)
			if end < 0 {
				return i, errShort
			}
			is := end-i > 5 && raw[i+1] == 'a' && raw[i+2] == 'r' && raw[i+3] == 'n' && raw[i+4] == ':'
			next := (is || was) && text >= 0 && string(bytes.TrimSpace(raw[text+1:i])) == ","
			if is {
				f.ARNs = append(f.ARNs, ARN{raw[i : end+1], request, next && !was})
			} else if after := skipSpace(raw, end+1); next && after < len(raw) && raw[after] != ':' {
				f.ARNs[len(f.ARNs)-1].Mixed = true
			}
			i, text, was = end, end, is
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
		i++
	}
	return i, errShort
}

// Text returns the text of a raw JSON string, and nil for any other value. It
// aliases raw unless raw holds escapes.
func Text(raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' {
		return nil
	}
	s, ok := unquote(raw)
	if !ok {
		return nil
	}
	return s
}
