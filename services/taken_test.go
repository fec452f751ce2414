package services_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services"
)

// TestEveryWriteSaysWhatItDenies: of a write that does not say what it can deny, dera why
// would answer "not decidable" for ever; each that can deny something says what.
func TestEveryWriteSaysWhatItDenies(t *testing.T) {
	t.Parallel()
	for _, typ := range services.Types().Types() {
		for _, op := range typ.Operations {
			switch op.Denies {
			case resource.DeniesUndeclared:
				t.Errorf("%s: %s does not say what it can deny", typ.Name, op.Name)
			case resource.DeniesNothing, resource.DeniesByIdentity, resource.DeniesByResource, resource.DeniesByTrust, resource.DeniesInbound, resource.DeniesWithin:
			default:
				t.Errorf("%s: %s can deny %q, which nobody knows", typ.Name, op.Name, op.Denies)
			}
			_, err := typ.Taken(dera.Plan{Type: typ.Name}, dera.Change{Operation: op.Name, Version: op.Version, Input: []byte(`{}`)})
			if err != nil && strings.Contains(err.Error(), "does not say what it took away") {
				t.Errorf("%s: %v", typ.Name, err)
			}
		}
		for _, s := range typ.Settings {
			if s.Operation != "" && s.Denies == nil {
				t.Errorf("%s: setting %s does not say what it can deny", typ.Name, s.Path)
			}
		}
	}
}
