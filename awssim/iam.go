package awssim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera/iam/policy"
)

// iamNamespace is that of IAM's answers, and iamHome where it is: its events are in no other Region.
const (
	iamNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"
	iamHome      = "us-east-1"
)

// newIAM returns roles, users and groups with their policies, and managed policies with their versions. Those that
// [Account.AddRole] and [Account.AddUser] make call the simulated AWS and are not among them: what is set here decides
// nothing of what a caller may do.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
func newIAM() service {
	ops := iamPolicyOperations()
	for _, kind := range []string{"Role", "User", "Group"} {
		addEntityOperations(ops, kind)
	}
	ops["AddUserToGroup"] = operation{run: addUserToGroup, accepts: "UserName GroupName"}
	ops["RemoveUserFromGroup"] = operation{run: removeUserFromGroup, accepts: "UserName GroupName"}
	ops["ListGroupsForUser"] = operation{run: listGroupsForUser, readOnly: true, accepts: "UserName Marker MaxItems"}
	ops["UpdateAssumeRolePolicy"] = operation{run: updateTrust, accepts: "RoleName PolicyDocument"}
	ops["ListInstanceProfilesForRole"] = operation{run: noInstanceProfiles, readOnly: true, accepts: "RoleName Marker MaxItems"}
	ops["ListRoles"] = operation{run: listRoles, readOnly: true, accepts: "Marker MaxItems"}
	ops["GetAccountAuthorizationDetails"] = operation{run: accountDetails, readOnly: true, accepts: "Filter Marker MaxItems"}
	for name, op := range ops {
		op.home, op.request, op.resources = globalHome, iamTrail, iamResources
		ops[name] = op
	}
	return service{protocol: queryProtocol{iamNamespace}, operations: ops}
}

// iamTime is how IAM writes times.
const iamTime = "2006-01-02T15:04:05Z"

// noSuchEntity is IAM's answer to what is not there.
func noSuchEntity(what, name string) *Error {
	return errorf(404, "NoSuchEntity", "The %s with name %s cannot be found.", what, name)
}

// fields writes the members of an answer: for the wire as the API names them, for the event with a small first letter.
type fields struct{ *encoder }

func (f fields) name(name string) string {
	if f.json {
		return lowerFirst(name)
	}
	return name
}

func (f fields) text(name, value string) {
	if value != "" {
		f.encoder.text(f.name(name), value)
	}
}

func (f fields) number(name string, value int) { f.encoder.number(f.name(name), value) }
func (f fields) flag(name string, value bool)  { f.encoder.flag(f.name(name), value) }

func (f fields) time(name string, at time.Time) {
	layout := iamTime
	if f.json { // as CloudTrail writes dates of IAM
		layout = "Jan 2, 2006, 3:04:05 PM"
	}
	f.text(name, at.Format(layout))
}

func (f fields) object(name string, write func()) {
	f.begin(f.name(name))
	write()
	f.end(f.name(name))
}

// memberList writes a list.
func memberList[T any](f fields, name string, list []T, write func(T)) {
	if f.json {
		return // no answer that an event shows has a list
	}
	f.begin(name)
	for _, x := range list {
		f.begin("member")
		write(x)
		f.end("member")
	}
	f.end(name)
}

// written is an answer.
type written func(f fields)

func (w written) write(e *encoder) { w(fields{e}) }

// encoded is a document as IAM sends it: percent-encoded, by RFC 3986.
func encoded(text string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// readDocument reads a policy document.
func readDocument(k *call, parameter string) (string, error) {
	text := k.p.text(parameter)
	if _, err := policy.Parse(text); err != nil || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return "", errorf(400, "MalformedPolicyDocument", "Syntax errors in policy.")
	}
	return text, nil
}

// weight is how long a document is to IAM's quotas, which do not count white space.
func weight(text string) int { return len(strings.Join(strings.Fields(text), "")) }

// iamTags reads Tags.member.N.Key and Value.
func iamTags(k *call) (tags, error) {
	var read tags
	for _, t := range k.p.get("Tags").list("member") {
		if t.text("Key") == "" || len(t.text("Key")) > 128 || len(t.text("Value")) > 256 {
			return nil, errorf(400, "ValidationError", "1 validation error detected: Value at 'tags' failed to satisfy constraint")
		}
		read = read.with(tags{t.text("Key"): t.text("Value")})
	}
	return read, nil
}

func (t tags) members(f fields) {
	if len(t) == 0 {
		return
	}
	memberList(f, "Tags", t.keys(), func(key string) {
		f.encoder.text("Key", key)
		f.encoder.text("Value", t[key])
	})
}

func (t tags) keys() (out []string) {
	for key := range t {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// iamPath reads a path, which begins and ends with a slash.
func iamPath(k *call) (string, error) {
	path := k.p.text("Path")
	switch {
	case path == "":
		return "/", nil
	case !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") || len(path) > 512:
		return "", errorf(400, "ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

// iamPage cuts a page of what is listed, in order of the keys, and returns what ends the page in the answer.
func iamPage[T any](k *call, all []T, key func(T) string) (shown []T, end func(fields), err error) {
	size, given, err := k.p.number("MaxItems")
	if err != nil || given && (size < 1 || size > 1000) {
		return nil, nil, errorf(400, "ValidationError", "1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000", k.p.text("MaxItems"))
	}
	if !given {
		size = 100
	}
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	shown, next, err := listing(k, all, key, size, k.p.text("Marker"))
	if err != nil {
		return nil, nil, errorf(400, "ValidationError", "Invalid Marker.")
	}
	return shown, func(f fields) {
		f.flag("IsTruncated", next != "")
		f.text("Marker", next)
	}, nil
}

// iamTrail writes requestParameters: the parameters with a small first letter, lists as arrays.
func iamTrail(k *call, e *encoder) {
	for _, name := range sortedKids(k.p) {
		kid := k.p.get(name)
		list := kid.list("member")
		switch {
		case len(list) > 0:
			items := &encoder{json: true, buf: []byte{'['}}
			for _, m := range list {
				if len(m.kids) == 0 {
					items.comma()
					items.quote(m.value)
					continue
				}
				items.item()
				for _, part := range sortedKids(m) {
					items.text(lowerFirst(part), m.text(part))
				}
				items.endItem()
			}
			e.raw(lowerFirst(name), append(items.buf, ']'))
		case name == "SetAsDefault":
			e.flag(lowerFirst(name), kid.value == "true")
		case name == "MaxSessionDuration" || name == "MaxItems":
			e.raw(lowerFirst(name), []byte(kid.value))
		default:
			e.text(lowerFirst(name), kid.value)
		}
	}
}

func sortedKids(p *parameters) (out []string) {
	for name := range p.kids {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
