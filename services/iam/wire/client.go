// Package wire is what the wires of IAM's resource types share: the client, the
// shapes of answers, and documents as IAM sends them.
package wire

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
)

// IAM returns the reading client of the scope's account. IAM is in one region of a
// partition, which the SDK finds by any of its regions.
func IAM(r *cloud.Reading) *iam.Client {
	return cloud.Service(r, "iam", r.Scope.Account, r.Home(), func(cfg aws.Config) *iam.Client { return iam.NewFromConfig(cfg) })
}

// Answers are the shapes of the answers of calls, and of those by which AWS is asked about use.
func Answers(calls ...string) map[string]cloud.Shape {
	out := map[string]cloud.Shape{
		"AccessAnalyzer ListAnalyzers": {Members: []string{"analyzers"}}, "AccessAnalyzer ListFindingsV2": {Members: []string{"findings"}},
		"AccessAnalyzer GetFindingV2": {Members: []string{"findingDetails"}}, "AccessAnalyzer GetFindingRecommendation": {Members: []string{"status"}},
	}
	for _, c := range append(calls, callGenerate[len("iam:"):], callAccessed[len("iam:"):]) {
		out["IAM "+c] = cloud.Shape{Root: "*Response", Space: "https://iam.amazonaws.com/doc/"}
	}
	return out
}

// Document is a policy document as text. IAM sends it percent-encoded (RFC 3986: a
// plus stays one). What is no JSON object is no document, and nothing is no empty
// one.
func Document(sent *string) (string, error) {
	text := strings.TrimSpace(aws.ToString(sent))
	if !strings.HasPrefix(text, "{") {
		var err error
		if text, err = url.PathUnescape(text); err != nil {
			return "", cloud.Foreign("a document is not encoded as IAM does: %v", err)
		}
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		return "", cloud.Foreign("a document is no JSON object")
	}
	return text, nil
}

// Tags are tags as a map; nil for none.
func Tags(list []types.Tag) map[string]string {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]string, len(list))
	for _, t := range list {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}

// Only is what is found of a type that an account has once, under one ID.
func Only(r *cloud.Reading, id, name string, arn dera.ARN, config any) (found cloud.Found) {
	for _, other := range r.Scope.IDs {
		if other != id {
			found.Missing = append(found.Missing, other)
		}
	}
	if r.Scope.Sweep() || slices.Contains(r.Scope.IDs, id) {
		found.Items = []*cloud.Item{cloud.NewItem(r, id, name, arn, config)}
	}
	return found
}
