// Package iam is what the resource types of IAM share.
package iam

// Source is where IAM's events come from.
const Source = "iam.amazonaws.com"
