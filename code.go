package dera

// CodeDiff is a plan as infrastructure as code: what its owner would change in
// their text instead of dera's writing to the resource.
type CodeDiff struct {
	Language string   `json:"language"` // terraform or cloudformation
	Lines    []string `json:"lines"`    // a unified diff
}
