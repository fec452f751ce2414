package awssim

import (
	"regexp"
	"time"
)

// newSTS returns the Security Token Service.
func newSTS() service {
	return service{protocol: queryProtocol{stsNamespace}, operations: map[string]operation{
		"GetCallerIdentity": {run: getCallerIdentity, readOnly: true},
		"AssumeRole": {
			run: assumeRole, readOnly: true, request: assumeRoleRequest,
			accepts:   "RoleArn RoleSessionName ExternalId DurationSeconds Policy",
			resources: func(k *call) []string { return []string{k.p.text("RoleArn")} },
			account: func(_ *call, answer any) string {
				if session, ok := answer.(*session); ok {
					return session.principal.account
				}
				return ""
			},
		},
	}}
}

type callerIdentity struct{ *principal }

func getCallerIdentity(k *call) (any, error) {
	return callerIdentity{k.principal}, nil
}

func (a callerIdentity) write(e *encoder) {
	e.text("UserId", a.id)
	e.text("Account", a.account)
	e.text("Arn", a.arn)
}

// session is the answer of AssumeRole.
type session struct{ *principal }

// sessionName is what AWS takes for RoleSessionName.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const sessionName = `^[\w+=,.@-]{2,64}$`

// assumeRole checks the role's trust and opens a session. That a role is absent is not told apart from a denial, as on AWS.
func assumeRole(k *call) (any, error) {
	arn, name := k.p.text("RoleArn"), k.p.text("RoleSessionName")
	if ok, err := regexp.MatchString(sessionName, name); err != nil || !ok {
		return nil, errorf(400, "ValidationError", "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", name)
	}
	if k.principal.isRoot() {
		return nil, errorf(403, "AccessDenied", "Roles may not be assumed by root accounts.")
	}
	r, ok := k.cloud.roles[arn]
	if !ok || r.trustAccount != k.Account || r.externalID != "" && r.externalID != k.p.text("ExternalId") {
		return nil, errorf(403, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", k.Principal, arn)
	}
	seconds, given, err := k.p.number("DurationSeconds")
	switch {
	case err != nil:
		return nil, err
	case !given:
		seconds = 3600
	case seconds < 900 || seconds > 43200:
		return nil, errorf(400, "ValidationError", "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must be between 900 and 43200", seconds)
	}
	var policy []statement
	if text := k.p.text("Policy"); text != "" {
		if policy, err = parseSessionPolicy(text); err != nil {
			return nil, err
		}
	}
	now, ids := k.cloud.now(), k.cloud.ids
	p := &principal{
		account: r.account, role: r.arn, id: r.id + ":" + name, session: policy, created: now,
		arn: "arn:aws:sts::" + r.account + ":assumed-role/" + r.name + "/" + name,
		credentials: Credentials{
			AccessKeyID: ids.key("ASIA", 16), SecretAccessKey: ids.key("", 40), SessionToken: ids.hex(96),
			Expires: now.Add(time.Duration(seconds) * time.Second).Truncate(time.Second),
		},
	}
	k.cloud.principals[p.credentials.AccessKeyID] = p
	return &session{p}, nil
}

func (a *session) write(e *encoder) {
	names := [...]string{"Credentials", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AssumedRoleUser", "AssumedRoleId", "Arn"}
	expires := a.credentials.Expires.Format(time.RFC3339)
	if e.json { // CloudTrail writes its own names and dates, and no secret key
		names = [...]string{"credentials", "accessKeyId", "", "sessionToken", "expiration", "assumedRoleUser", "assumedRoleId", "arn"}
		expires = a.credentials.Expires.Format("Jan 2, 2006, 3:04:05 PM")
	}
	e.begin(names[0])
	e.text(names[1], a.credentials.AccessKeyID)
	if !e.json {
		e.text(names[2], a.credentials.SecretAccessKey)
	}
	e.text(names[3], a.credentials.SessionToken)
	e.text(names[4], expires)
	e.end(names[0])
	e.begin(names[5])
	e.text(names[6], a.id)
	e.text(names[7], a.arn)
	e.end(names[5])
}

func assumeRoleRequest(k *call, e *encoder) {
	e.text("roleArn", k.p.text("RoleArn"))
	e.text("roleSessionName", k.p.text("RoleSessionName"))
	e.optional("externalId", k.p.text("ExternalId"))
	e.optional("policy", k.p.text("Policy"))
	if seconds, given, err := k.p.number("DurationSeconds"); given && err == nil {
		e.number("durationSeconds", seconds)
	}
}
