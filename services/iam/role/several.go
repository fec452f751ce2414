package role

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// openKey begins the key of a finding that one service may assume the role on behalf of any
// account, and severalKey that several may.
const (
	openKey    = "service/"
	severalKey = "services/"
)

// several puts one finding in the place of those on the services that may assume the role on
// behalf of any account, where these are not one, in whatever regions.
func several(found map[string]control.Failure) {
	var names, labels []string
	for key := range found {
		if name, ok := strings.CutPrefix(key, openKey); ok && !strings.Contains(name, "/") {
			label, _, _ := strings.Cut(name, ".")
			names, labels = append(names, name), append(labels, label)
		}
	}
	slices.Sort(names)
	slices.Sort(labels)
	services := len(slices.Compact(labels))
	if services < 2 {
		return
	}
	why := fmt.Sprintf("%s may assume it, and no condition limits on whose behalf they act (aws:SourceArn, aws:SourceAccount).", strings.Join(names, ", "))
	for _, name := range names {
		delete(found, openKey+name)
	}
	key := severalKey + strings.Join(names, "+")
	found[key] = control.Failure{Key: key, Start: dera.Review, Severity: dera.Medium, Title: fmt.Sprintf("Role is trusted by %d services on behalf of any account", services), Why: why}
}
