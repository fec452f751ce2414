package iam

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/scope"
)

// Keys of findings on permissions that nobody used.
const (
	UnusedKey         = "unused"
	UnusedPassRoleKey = "unused/passrole"
	UnusedRareKey     = "unused/rare"
	UnusedIdentityKey = "unused/identity"
	UnusedDoubtedKey  = "unused/doubted" // by AWS, which counts it as used
	UnusedStagedKey   = dera.StagedKey   // what was denied for long enough, and goes out of the policy
	UnusedAttachedKey = "unused/attached/"
	UnusedAWSKey      = "unused/aws-managed/"
)

// classes are the keys of what is narrowed, in the order in which it is decided.
func classes() []string {
	return []string{UnusedKey, UnusedPassRoleKey, UnusedRareKey, UnusedIdentityKey, UnusedDoubtedKey, UnusedStagedKey}
}

// The places of UnusedDoubtedKey and UnusedStagedKey in classes.
const (
	doubted = 4
	graded  = 5
)

// rarely reports whether some of a list of actions is for recovery, incidents or identities.
func rarely(actions []string) bool {
	return slices.ContainsFunc(actions, func(a string) bool { return classOf(a) > 1 })
}

// classOf is the place of an action in classes.
func classOf(action string) int {
	lower := strings.ToLower(action)
	switch service, _, _ := strings.Cut(lower, ":"); {
	case lower == passRole:
		return 1
	case service == "iam", service == "sts", service == "organizations":
		return 3
	case scope.Rare(lower) != "", scope.Repairs(lower) != "":
		return 2
	}
	return 0
}
