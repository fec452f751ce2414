package resource_test

import (
	"testing"

	"dera.example/dera/resource"
)

// TestSettingOfNoValue: an operation that names no value is none, and does not show in
// a configuration whose setting could not be read.
func TestSettingOfNoValue(t *testing.T) {
	t.Parallel()
	type lamp struct {
		Name string `json:"name"`
		On   *bool  `json:"on"`
	}
	typ := resource.Define(resource.Spec[lamp]{
		Name:     "AWS::Test::Lamp",
		Identify: func(l *lamp) (id, name string, tags map[string]string) { return l.Name, l.Name, nil },
		Settings: []resource.Setting{{Path: "on", Operation: "test:PutOn", Order: []any{false, true}}},
	})
	for _, input := range []string{`{"resource":"a","setting":"on","value":null}`, `{"resource":"a","setting":"on"}`} {
		if done, _, err := typ.Effect(&lamp{Name: "a"}, resource.Operation{Name: "test:PutOn", Version: 1, Input: []byte(input)}); done || err == nil {
			t.Errorf("%s: got %t, %v, want an error", input, done, err)
		}
	}
}
