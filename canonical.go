package dera

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// CanonicalJSON returns v as JSON in the canonical form of RFC 8785 (JCS): no
// blanks, object members sorted by UTF-16 code units, shortest string escapes.
// Numbers must be integers within ±(2^53-1), since nothing that dera signs needs
// others; any other number is an error. Bytes of a string that are not UTF-8
// become U+FFFD, as encoding/json writes them, so that hostile text cannot keep
// a record from being made. Of several members with one name the last counts, as
// in what encoding/json reads.
func CanonicalJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err == nil {
		err = integers(text)
	}
	if err == nil {
		err = (*jsontext.Value)(&text).Canonicalize(jsontext.AllowInvalidUTF8(true))
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		if v, err = lastOfEqualNames(text); err == nil {
			return CanonicalJSON(v)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return text, nil
}

// integers refuses every number that is not an integer within 2^53: the
// canonical form of the RFC would round it.
func integers(text []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	for {
		token, err := d.ReadToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if token.Kind() != '0' {
			continue
		}
		word := token.String()
		if n, err := strconv.ParseInt(word, 10, 64); err != nil || n > 1<<53-1 || n < -(1<<53-1) {
			return fmt.Errorf("number %s is not an integer within 2^53", word)
		}
	}
}

// lastOfEqualNames reads text, in which encoding/json leaves the last of several
// members with one name.
func lastOfEqualNames(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}
