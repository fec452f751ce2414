package awssim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Credentials are what a client signs with. awssim looks the access key up and compares the session token; it does not
// verify signatures.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string    // of a session only
	Expires         time.Time // zero: never
}

// principal is who calls: the root user, an IAM user, or a session of a role.
type principal struct {
	credentials Credentials
	account     string
	arn         string
	id          string // such as AIDA…, or AROA…:session
	user        string // name of an IAM user
	allowed     []statement
	role        string      // ARN of the session's role
	session     []statement // the session policy; nil: none
	created     time.Time
}

// role can be assumed from another account.
type role struct {
	account, name, arn, id   string
	trustAccount, externalID string
	allowed                  []statement
}

// statement allows or denies actions on resources. Patterns know * and ?; actions are compared without case.
type statement struct {
	deny      bool
	actions   []string
	resources []string
}

// allowActions is the statement that a plain list of actions stands for.
func allowActions(actions []string) []statement {
	return []statement{{actions: actions, resources: []string{"*"}}}
}

// decide reports whether the statements allow the action on the resource: an explicit deny wins, no allow is a deny.
func decide(statements []statement, action, resource string) bool {
	allowed := false
	for _, s := range statements {
		matches := slices.ContainsFunc(s.actions, func(p string) bool { return glob(strings.ToLower(p), strings.ToLower(action)) }) &&
			slices.ContainsFunc(s.resources, func(p string) bool { return glob(p, resource) })
		if matches && s.deny {
			return false
		}
		allowed = allowed || matches
	}
	return allowed
}

// authenticate finds the caller of k by its access key.
func (c *Cloud) authenticate(k *call) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	k.RequestID = c.ids.uuid()
	p, ok := c.principals[k.request.accessKey]
	switch {
	case !ok, p.credentials.SessionToken != k.request.token:
		return unknownKey(k.Service)
	case !slices.Contains(c.regions, k.Region) && k.Service != "cloudfront" && k.Service != "iam":
		return errorf(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
	case !p.credentials.Expires.IsZero() && !c.now().Before(p.credentials.Expires):
		return expiredToken(k.Service)
	}
	k.principal = p
	k.Account = p.account
	k.Principal = p.arn
	return nil
}

// unknownKey is how a service says that it does not know an access key.
func unknownKey(service string) *Error {
	switch service {
	case "ec2":
		return errorf(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
	case "s3", "s3control":
		return errorf(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	case "config":
		return errorf(400, "UnrecognizedClientException", "The security token included in the request is invalid.")
	default:
		return errorf(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
}

// expiredToken is how a service says that a session is over.
func expiredToken(service string) *Error {
	switch service {
	case "ec2":
		return errorf(400, "RequestExpired", "Request has expired.")
	case "s3", "s3control":
		return errorf(400, "ExpiredToken", "The provided token has expired.")
	case "config":
		return errorf(400, "ExpiredTokenException", "The security token included in the request is expired")
	default:
		return errorf(403, "ExpiredToken", "The security token included in the request is expired")
	}
}

// authorize checks the role's actions and the session policy. The root user and GetCallerIdentity need no permission.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (c *Cloud) authorize(k *call) error {
	p := k.principal
	if p.isRoot() || k.action() == "sts:GetCallerIdentity" {
		return nil
	}
	c.mu.Lock()
	allowed := p.allowed
	if p.role != "" {
		if r, ok := c.roles[p.role]; ok {
			allowed = r.allowed
		}
	}
	c.mu.Unlock()
	resources := []string{"*"}
	if k.op.resources != nil {
		resources = k.op.resources(k)
	}
	actions := []string{k.action()}
	if k.op.more != nil {
		actions = append(actions, k.op.more(k)...)
	}
	for _, action := range actions {
		for _, resource := range resources {
			if !decide(allowed, action, resource) {
				return denied(k, action, resource, "identity-based")
			}
			if p.session != nil && !decide(p.session, action, resource) {
				return denied(k, action, resource, "session")
			}
		}
	}
	return nil
}

// action is what the caller of an operation must be allowed.
func (k *call) action() string {
	if k.op.action != "" {
		return k.op.action
	}
	return k.Service + ":" + k.Operation
}

// denied is how a service refuses: EC2 with its own code.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func denied(k *call, action, resource, policy string) *Error {
	message := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because no %s policy allows the %s action",
		k.Principal, action, resource, policy, action)
	if k.Service == "ec2" {
		return errorf(403, "UnauthorizedOperation", "You are not authorized to perform this operation. %s", message)
	}
	if k.Service == "config" {
		return errorf(400, "AccessDeniedException", "%s", message)
	}
	return errorf(403, "AccessDenied", "%s", message)
}

func (p *principal) isRoot() bool {
	return p.user == "" && p.role == ""
}

// parseSessionPolicy reads the Policy parameter of AssumeRole. Only Effect, Action and Resource are simulated; a policy
// with anything else is refused rather than half understood.
func parseSessionPolicy(text string) ([]statement, error) {
	var document struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, errorf(400, "MalformedPolicyDocument", "Syntax errors in policy: %v", err)
	}
	var parts []map[string]json.RawMessage
	if err := oneOrMany(document.Statement, &parts); err != nil || len(parts) == 0 {
		return nil, errorf(400, "MalformedPolicyDocument", "Syntax errors in policy: Statement")
	}
	statements := make([]statement, len(parts))
	for i, part := range parts {
		var err error
		if statements[i], err = parseStatement(part); err != nil {
			return nil, err
		}
	}
	return statements, nil
}

func parseStatement(part map[string]json.RawMessage) (statement, error) {
	var s statement
	for name, value := range part {
		var err error
		switch name {
		case "Sid":
		case "Effect":
			s.deny = string(value) == `"Deny"`
			if !s.deny && string(value) != `"Allow"` {
				err = errors.New("neither Allow nor Deny")
			}
		case "Action":
			err = oneOrMany(value, &s.actions)
		case "Resource":
			err = oneOrMany(value, &s.resources)
		default:
			return s, notSimulated("%s in a session policy", name)
		}
		if err != nil {
			return s, errorf(400, "MalformedPolicyDocument", "Syntax errors in policy: %s", name)
		}
	}
	if len(part["Effect"]) == 0 || len(s.actions) == 0 || len(s.resources) == 0 {
		return s, errorf(400, "MalformedPolicyDocument", "Syntax errors in policy: a statement needs Effect, Action and Resource")
	}
	return s, nil
}

// oneOrMany decodes a JSON array, or a single value as an array of one.
func oneOrMany[T any](raw json.RawMessage, into *[]T) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, into)
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*into = []T{one}
	return nil
}

// glob reports whether text matches the pattern, in which * is any text and ? any one byte.
func glob(pattern, text string) bool {
	star, mark := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
