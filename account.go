package dera

import "fmt"

// Account is one AWS account that dera looks after. Tags, OU and Name come
// from the configuration (or from AWS Organizations later), never from the
// resources themselves.
type Account struct {
	ID        string            `json:"id" yaml:"id"`
	Partition string            `json:"partition,omitempty" yaml:"partition,omitempty"`
	Name      string            `json:"name,omitempty" yaml:"name,omitempty"`
	OU        string            `json:"ou,omitempty" yaml:"ou,omitempty"`
	Tags      map[string]string `json:"tags,omitempty" yaml:"tags,omitempty"`
	Owner     string            `json:"owner,omitempty" yaml:"owner,omitempty"` // of what no tag says otherwise
}

// ValidAccountID reports whether id has the twelve digits of an account ID.
func ValidAccountID(id string) error {
	if len(id) != 12 {
		return fmt.Errorf("account ID %q has %d characters, want 12 digits", id, len(id))
	}
	for _, c := range id {
		if c < '0' || c > '9' {
			return fmt.Errorf("account ID %q holds %q, want 12 digits (quote it in YAML: a leading zero is lost otherwise)", id, c)
		}
	}
	return nil
}
