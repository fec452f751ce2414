package recorded

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
)

// details is what aws iam get-account-authorization-details prints.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
type details struct {
	UserDetailList, GroupDetailList, RoleDetailList []detail
	Policies                                        []struct {
		PolicyName, Path, Arn, DefaultVersionId string
		CreateDate                              date
		PolicyVersionList                       []struct {
			VersionId  string
			Document   document
			CreateDate date
		}
	}
	IsTruncated bool
}

// detail is a user, group or role.
type detail struct {
	UserName, GroupName, RoleName, Path, Arn        string
	CreateDate                                      date
	UserPolicyList, GroupPolicyList, RolePolicyList []struct {
		PolicyName     string
		PolicyDocument document
	}
	AttachedManagedPolicies  []struct{ PolicyArn string }
	GroupList                []string
	AssumeRolePolicyDocument document
	PermissionsBoundary      *struct{ PermissionsBoundaryArn string }
	Tags                     []struct{ Key, Value string }
}

// document is a policy document: an object, as the AWS CLI prints it, or a text that may be
// percent-encoded, as IAM sends it.
type document string

// UnmarshalJSON reads it.
func (d *document) UnmarshalJSON(raw []byte) error {
	var sent string
	if json.Unmarshal(raw, &sent) != nil {
		sent = string(raw)
	}
	if *d = document(text(sent)); *d == "" && sent != "" && sent != "null" {
		return errors.New("a policy document is no JSON object, nor one that is percent-encoded")
	}
	return nil
}

// date is a time in the form of the AWS CLI, or in seconds since 1970.
type date struct{ time.Time }

// UnmarshalJSON reads it.
func (d *date) UnmarshalJSON(raw []byte) error {
	var seconds float64
	if json.Unmarshal(raw, &seconds) == nil {
		whole, part := math.Modf(seconds)
		d.Time = time.Unix(int64(whole), int64(part*1e9)).UTC()
		return nil
	}
	err := json.Unmarshal(raw, &d.Time)
	d.Time = d.UTC()
	return err
}

// Load reads what aws iam get-account-authorization-details prints of one account, one page
// after the other. It returns the account; the error names no content of a policy.
func Load(in io.Reader) (*Account, error) {
	var a *Account
	d := json.NewDecoder(in)
	for n := 1; ; n++ {
		var page details
		err := d.Decode(&page)
		switch {
		case errors.Is(err, io.EOF) && a != nil:
			return a, nil
		case errors.Is(err, io.EOF):
			return nil, errors.New("it has no user, group or role: want what aws iam get-account-authorization-details prints")
		case err != nil:
			return nil, fmt.Errorf("page %d: %w", n, err)
		}
		for _, list := range [][]detail{page.UserDetailList, page.GroupDetailList, page.RoleDetailList} {
			for _, x := range list {
				arn := dera.ARN(x.Arn)
				if a == nil {
					a = New(arn.Partition(), arn.Account())
				}
				if arn.Account() != a.id || arn.Account() == "" {
					return nil, fmt.Errorf("page %d: %q is of another account than %s: give a file for each account", n, x.Arn, a.id)
				}
				if err := a.load(x); err != nil {
					return nil, fmt.Errorf("page %d: %w", n, err)
				}
			}
		}
		if a == nil {
			continue
		}
		for _, p := range page.Policies {
			m := a.managed(p.Arn)
			m.Created = p.CreateDate.Time
			for _, v := range p.PolicyVersionList {
				is := policy.Version{ID: v.VersionId, Document: string(v.Document), Created: v.CreateDate.Time}
				if v.VersionId != p.DefaultVersionId {
					m.Others = append(m.Others, is)
					continue
				}
				m.Default, m.unknown = is, is.Document == ""
			}
			m.Sort()
		}
		if page.IsTruncated && !d.More() {
			return nil, errors.New("its last page says that there are more: give all pages")
		}
	}
}

func (a *Account) load(x detail) error {
	k, name, inline := iam.RoleKind, x.RoleName, x.RolePolicyList
	switch {
	case x.UserName != "":
		k, name, inline = iam.UserKind, x.UserName, x.UserPolicyList
	case x.GroupName != "":
		k, name, inline = iam.GroupKind, x.GroupName, x.GroupPolicyList
	}
	e := &entity{kind: k, Identity: iam.Identity{Name: name, Path: cmp.Or(x.Path, "/"), Created: x.CreateDate.Time}, trust: string(x.AssumeRolePolicyDocument), unknown: map[string]bool{}}
	if !k.ValidName(name) || e.arn(a) != x.Arn {
		return fmt.Errorf("%q is not the ARN of a %s %q below the path %q", x.Arn, k, name, e.Path)
	}
	for _, p := range inline {
		e.Inline = append(e.Inline, iam.Inline{Name: p.PolicyName, Document: string(p.PolicyDocument)})
	}
	for _, p := range x.AttachedManagedPolicies {
		e.Attached = append(e.Attached, iam.Attached{ARN: p.PolicyArn})
	}
	if x.PermissionsBoundary != nil {
		e.Boundary = &iam.Attached{ARN: x.PermissionsBoundary.PermissionsBoundaryArn}
	}
	for _, t := range x.Tags {
		if e.Tags == nil {
			e.Tags = map[string]string{}
		}
		e.Tags[t.Key] = t.Value
	}
	e.groups = slices.Sorted(slices.Values(x.GroupList))
	e.Sort()
	a.entities[keyOf(k, name)] = e
	return nil
}

// Before takes back what the calls did, which come in the order of their times: IAM said how things were
// once, which may be after them. The first call on each thing tells whether it was there before: what is
// made, attached or joined was not, what is detached or left was. What a document said
// before it was replaced is not known.
func (a *Account) Before(calls []cloudtrail.Call) {
	seen := map[string]bool{}
	first := func(parts ...string) bool {
		key := strings.Join(parts, "\x00")
		was := seen[key]
		seen[key] = true
		return !was
	}
	for _, c := range calls {
		if c.Source != iam.Source || c.Failed() || c.Account != a.id {
			continue
		}
		arn := c.Parameters.Text("policyArn")
		switch c.Name {
		case "CreatePolicy":
			if arn = c.Answer.Object("policy").Text("arn"); first(arn) {
				delete(a.policies, arn)
			}
		case "DeletePolicy":
			first(arn)
		case "CreatePolicyVersion", "SetDefaultPolicyVersion":
			if c.Name == "CreatePolicyVersion" && !c.Parameters.Flag("setAsDefault") {
				continue
			}
			if first(arn) {
				a.managed(arn).unknown = true
			}
		case "AddUserToGroup", "RemoveUserFromGroup":
			user, group := c.Parameters.Text("userName"), c.Parameters.Text("groupName")
			if e := a.entities[keyOf(iam.UserKind, user)]; e != nil && first("member", strings.ToLower(user), strings.ToLower(group)) {
				e.groups = slices.DeleteFunc(e.groups, func(n string) bool { return strings.EqualFold(n, group) })
				if c.Name == "RemoveUserFromGroup" {
					e.groups = append(e.groups, a.of(iam.GroupKind, group).Name)
				}
			}
		default:
			for _, k := range []iam.Kind{iam.RoleKind, iam.UserKind, iam.GroupKind} {
				if verb, ok := verbOf(c.Name, k); ok {
					a.undo(verb, k, c, first)
				}
			}
		}
	}
}

// undo takes back one call on an entity.
func (a *Account) undo(verb string, k iam.Kind, c cloudtrail.Call, first func(...string) bool) {
	name := c.Parameters.Text(string(k) + "Name")
	key := keyOf(k, name)
	e, named, arn := a.entities[key], c.Parameters.Text("policyName"), c.Parameters.Text("policyArn")
	switch {
	case verb == "Create" && first(key):
		delete(a.entities, key)
	case verb == "Delete":
		if first(key) && e != nil { // what is there has been made after it
			e.unknown[all] = true
		}
	case e == nil || verb == "Create":
	case verb == "PutPolicy" || verb == "DeletePolicy":
		if first(key, named) {
			e.unknown[inlineOf(named)] = true
		}
	case verb == "AttachPolicy" || verb == "DetachPolicy":
		if !first(key, arn) {
			return
		}
		e.Attached = slices.DeleteFunc(e.Attached, func(p iam.Attached) bool { return p.ARN == arn })
		if verb == "DetachPolicy" {
			e.Attached = append(e.Attached, iam.Attached{ARN: arn})
		}
		e.Sort()
	}
}
