package cloudtrail

import (
	"bytes"
	"strings"

	"dera.example/dera"
)

// Leaning is what the words of a call suggest about exposure. It decides in which order dera looks, and nothing
// else: whoever calls chooses the words.
func (r Record) Leaning() dera.Leaning {
	takes := false
	for _, verb := range []string{"Revoke", "Detach", "Remove", "Delete", "Deregister", "Terminate"} {
		takes = takes || strings.HasPrefix(r.Name, verb)
	}
	if takes { // but for what takes away something that protects
		for _, what := range []string{"Block", "Boundary", "Trail", "Detector", "Recorder", "Rule", "FlowLog", "Member", "Encryption", "Password", "MFA", "Analyzer"} {
			if strings.Contains(r.Name, what) {
				return dera.LeansNowhere
			}
		}
		return dera.LeansClosed
	}
	for _, word := range worldly() {
		if bytes.Contains(r.Request, word) {
			return dera.LeansOpen
		}
	}
	return dera.LeansNowhere
}

// worldly are words by which requests name everybody: networks, principals (also in a policy, which is a text within
// the request), groups of EC2 and S3, and canned ACLs.
func worldly() [][]byte {
	return [][]byte{
		[]byte(`0.0.0.0/0`), []byte(`::/0`), []byte(`"*"`), []byte(`\"*\"`), []byte(`"all"`), []byte(`AllUsers`), []byte(`AuthenticatedUsers`),
		[]byte(`public-read`), []byte(`"publiclyAccessible":true`), []byte(`AdministratorAccess`),
	}
}
