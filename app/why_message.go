package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"dera.example/dera/cloudtrail"
)

// EncodedError means that a text holds an encoded authorization message, which only AWS can
// decode.
type EncodedError struct{ Message string }

// Error implements error. The message is none for a log: it says what the account may do.
func (e *EncodedError) Error() string {
	return "the error holds an encoded authorization message, which only AWS can decode"
}

// ReadDenial reads what someone pasted of a denied call: the text of the error as AWS, a
// command line or an SDK prints it, or the decoded authorization message as JSON. Where there
// is nothing but an encoded message, the error is an *EncodedError.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func ReadDenial(text string) (DeniedCall, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		return readDecoded(text)
	}
	message := withoutTrailer(text)
	who, resource := cloudtrail.AskedOf(message)
	d := cloudtrail.DenialOf(message)
	if who != "" && d.Action != "" {
		return DeniedCall{Principal: who, Action: d.Action, Resource: resource, Policy: string(d.Policy), Explicit: d.Explicit, Authorization: true}, nil
	}
	if _, secret, ok := strings.Cut(text, "ncoded authorization failure message: "); ok {
		if words := strings.Fields(secret); len(words) > 0 {
			return DeniedCall{}, &EncodedError{words[0]}
		}
	}
	return DeniedCall{}, errors.New("the text is no denial that dera understands: paste the whole error (\"User: … is not authorized to perform: … on resource: …\"), " +
		"the decoded authorization message as JSON, or give --principal, --action and --resource")
}

// withoutTrailer leaves out what SDKs write behind a message: Java the service and the
// request in parentheses, Go's first version a line with the status.
func withoutTrailer(text string) string {
	for _, sep := range []string{"\n", " (Service: ", " (service: "} {
		i := strings.LastIndex(text, sep)
		if i >= 0 && strings.Contains(text[:i], "is not authorized to perform: ") && (sep == "\n" || strings.Contains(text[i:], "tatus Code: ") && strings.HasSuffix(text, ")")) {
			text = text[:i]
		}
	}
	return strings.TrimSpace(text)
}

// decoded is an authorization message as sts:DecodeAuthorizationMessage returns it.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
type decoded struct {
	DecodedMessage string `json:"DecodedMessage"` // around it, as the command line prints it
	Allowed        *bool  `json:"allowed"`
	ExplicitDeny   bool   `json:"explicitDeny"`
	Context        struct {
		Principal struct {
			ARN string `json:"arn"`
		} `json:"principal"`
		Action   string `json:"action"`
		Resource string `json:"resource"`
	} `json:"context"`
}

func readDecoded(text string) (DeniedCall, error) {
	var d decoded
	err := json.Unmarshal([]byte(text), &d)
	if err == nil && d.DecodedMessage != "" {
		text = d.DecodedMessage
		d = decoded{}
		err = json.Unmarshal([]byte(text), &d)
	}
	if err != nil {
		return DeniedCall{}, fmt.Errorf("read the decoded authorization message: %w", err)
	}
	switch {
	case d.Allowed == nil || d.Context.Action == "" || d.Context.Principal.ARN == "":
		return DeniedCall{}, errors.New("the JSON is no decoded authorization message: it has no \"allowed\", or no principal and action in its \"context\"")
	case *d.Allowed:
		return DeniedCall{}, errors.New("the decoded authorization message says that the call was allowed")
	}
	return DeniedCall{Principal: d.Context.Principal.ARN, Action: d.Context.Action, Resource: d.Context.Resource, Explicit: d.ExplicitDeny, Authorization: true}, nil
}
