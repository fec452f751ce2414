package awssim

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// filterSet are the Filter parameters of a call: all of them must match, of each one value. Values know * and ?.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
type filterSet map[string][]string

// filters reads the filters of a request and refuses a name that the operation does not know. A known name may end in a
// star: tag:* is any tag.
func filters(p *parameters, known ...string) (filterSet, error) {
	set := filterSet{}
	for _, f := range p.list("Filter") {
		name := f.text("Name")
		if !slices.ContainsFunc(known, func(k string) bool { return glob(k, name) }) {
			return nil, invalid("The filter '%s' is invalid", name)
		}
		set[name] = append(set[name], f.texts("Value")...)
	}
	return set, nil
}

// text reports whether the filter of that name, if there is one, matches the value.
func (s filterSet) text(name, value string) bool {
	patterns, ok := s[name]
	return !ok || slices.ContainsFunc(patterns, func(p string) bool { return glob(p, value) })
}

// any reports whether the filter of that name, if there is one, matches one of the values.
func (s filterSet) any(name string, values []string) bool {
	_, ok := s[name]
	return !ok || slices.ContainsFunc(values, func(v string) bool { return s.text(name, v) })
}

func (s filterSet) flag(name string, value bool) bool {
	return s.text(name, strconv.FormatBool(value))
}

// tags applies tag:<key> and tag-key.
func (s filterSet) tags(t tags) bool {
	for name := range s {
		if key, ok := strings.CutPrefix(name, "tag:"); ok {
			if value, has := t[key]; !has || !s.text(name, value) {
				return false
			}
		}
	}
	keys := make([]string, 0, len(t))
	for key := range t {
		keys = append(keys, key)
	}
	return s.any("tag-key", keys)
}

// wanted reports whether the request asks for the identifier, or for none in particular.
func wanted(ids []string, id string) bool {
	return len(ids) == 0 || slices.Contains(ids, id)
}

// page returns the rows of one page and the token of the next. Without MaxResults everything is one page.
func page[T any](k *call, t *table[T], match func(*T) bool) ([]*T, string, error) {
	w, err := readWindow(k)
	if err != nil {
		return nil, "", err
	}
	var rows []*T
	for number, row := range t.from(w.start, k.view()) {
		if !match(row) {
			continue
		}
		if w.size > 0 && len(rows) == w.size {
			return cut(k, rows, strconv.Itoa(number))
		}
		rows = append(rows, row)
	}
	return cut(k, rows, "")
}

// window is the part of a listing that a call asks for.
type window struct {
	start int // row to begin with
	size  int // 0: all
}

const tokenPrefix = "awssim:"

// readWindow reads MaxResults (5 to 1,000; of prefix lists 1 to 100) and NextToken.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html
func readWindow(k *call) (window, error) {
	size, given, err := k.p.number("MaxResults")
	if err != nil {
		return window{}, err
	}
	low, high := 5, 1000
	if strings.Contains(k.Operation, "PrefixList") {
		low, high = 1, 100
	}
	if given && (size < low || size > high) {
		return window{}, invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d.", size, low, high)
	}
	token := k.p.text("NextToken")
	if token == "" {
		return window{size: size}, nil
	}
	text, err := base64.URLEncoding.DecodeString(token)
	position, ok := strings.CutPrefix(string(text), tokenPrefix+k.Operation+":")
	start, numberErr := strconv.Atoi(position)
	if err != nil || !ok || numberErr != nil || start < 0 {
		return window{}, errorf(400, "InvalidPaginationToken", "The specified pagination token is not valid or has expired.")
	}
	return window{start: start, size: size}, nil
}

// cut makes the token of the next page. The fault PartialPage cuts the first page to half and makes a token that is
// not valid.
func cut[T any](k *call, rows []T, next string) ([]T, string, error) {
	if k.effects.partial && !k.p.has("NextToken") {
		return rows[:(len(rows)+1)/2], base64.URLEncoding.EncodeToString([]byte(tokenPrefix + "cut")), nil
	}
	if next == "" {
		return rows, "", nil
	}
	return rows, base64.URLEncoding.EncodeToString([]byte(tokenPrefix + k.Operation + ":" + next)), nil
}
