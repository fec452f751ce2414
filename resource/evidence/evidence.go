// Package evidence is the kinds of evidence: what a plan is proved to do, and how a
// stored proof is checked alone. None knows a resource type.
package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"dera.example/dera"
)

// ErrHidden: what is proved of a document does not hold with stand-ins for the values
// that can be secret, so that no evidence without those can be kept. A person decides.
var ErrHidden = errors.New("what is proved does not hold without the values that can be secret")

// Check computes a stored evidence blob again from its body alone and
// returns an error if the claims, their witnesses or the denied packet are not
// those that it states, or if anything else stands in it.
func Check(blob []byte, kinds ...Kind) error {
	var ev dera.Evidence
	if err := Strict(blob, &ev); err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == ev.Kind })
	if i < 0 {
		return fmt.Errorf("evidence of kind %q cannot be checked by this version", ev.Kind)
	}
	again, err := kinds[i].Remake(ev.Body)
	switch {
	case err != nil:
		return err
	case !slices.Equal(again.Claims, ev.Claims):
		return errors.New("the stated verdicts are not those that the body proves")
	case !slices.Equal(again.Compared, ev.Compared):
		return errors.New("how the plan compares with what others recommend is not what the body shows")
	case again.Denied != ev.Denied:
		return fmt.Errorf("what is denied now is stated as %q; the body shows %q", ev.Denied, again.Denied)
	case !bytes.Equal(again.Body, ev.Body):
		return errors.New("the body of the evidence is not in its one canonical form")
	}
	return nil
}

// RecordedCalls is the claim that no recorded call would be denied after the plan, of
// every kind of evidence about who may do what. What it says names the calls, and is
// what people see of it first.
const RecordedCalls = "recorded_calls"

// Kind is one kind of evidence: its name, and how it is made again from its
// body alone.
type Kind struct {
	Name   string
	Remake func(body []byte) (dera.Evidence, error)
	// Policies are those of a body, for people and solvers; nil for a kind that is
	// about none.
	Policies func(body []byte) (Policies, error)
}

// Policies are a policy before and after a plan, where that changes it, and the
// certificates about it.
type Policies struct {
	Before, After string
	Certificates  []Certificate
}

// Certificate is one certificate, by the name of its file, and what it says.
type Certificate struct{ Name, Says, Text string }

// PoliciesOf are the policies that a piece of evidence is about, or nothing.
func PoliciesOf(ev dera.Evidence, kinds ...Kind) (Policies, error) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == ev.Kind })
	if i < 0 || kinds[i].Policies == nil {
		return Policies{}, nil
	}
	return kinds[i].Policies(ev.Body)
}

// Remade makes the evidence again from its body alone.
func Remade[T interface{ Evidence() (dera.Evidence, error) }](body []byte) (dera.Evidence, error) {
	var v T
	if err := Strict(body, &v); err != nil {
		return dera.Evidence{}, fmt.Errorf("read body of evidence: %w", err)
	}
	return v.Evidence()
}

// Strict reads one JSON value without unknown fields and nothing after it.
func Strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after the value")
	}
	return nil
}
