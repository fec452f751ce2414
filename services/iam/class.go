package iam

import (
	"strings"

	"dera.example/dera/iam/scope"
)

// Keys of findings on permissions that nobody used.
const (
	UnusedKey         = "unused"
	UnusedPassRoleKey = "unused/passrole"
	UnusedRareKey     = "unused/rare"
	UnusedIdentityKey = "unused/identity"
	UnusedDoubtedKey  = "unused/doubted" // by AWS, which counts it as used
	UnusedAttachedKey = "unused/attached/"
	UnusedAWSKey      = "unused/aws-managed/"
)

// classes are the keys of what is narrowed, in the order in which it is decided.
func classes() []string {
	return []string{UnusedKey, UnusedPassRoleKey, UnusedRareKey, UnusedIdentityKey, UnusedDoubtedKey}
}

// doubted is the place of UnusedDoubtedKey in classes.
const doubted = 4

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
