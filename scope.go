package dera

import (
	"slices"
	"strings"
)

// Scope says where to look: some resources of one type by ID, or, without IDs,
// one page of all resources of that type in an account and region.
type Scope struct {
	Partition string   `json:"partition"`
	Account   string   `json:"account"`
	Region    string   `json:"region"`
	Type      string   `json:"type"`
	IDs       []string `json:"ids,omitempty"`
	Page      string   `json:"page,omitempty"` // continuation token of a sweep
}

// Sweep reports whether the scope is a page of everything of its type.
func (s Scope) Sweep() bool { return len(s.IDs) == 0 }

// Key identifies the scope; two events with the same key coalesce into one look.
func (s Scope) Key() string {
	ids := slices.Clone(s.IDs)
	slices.Sort(ids)
	return strings.Join([]string{s.Partition, s.Account, s.Region, s.Type, strings.Join(ids, ","), s.Page}, "/")
}
