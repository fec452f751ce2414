package document

import (
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// Outsider is someone outside of the bucket's account whom its policy names: an account, an organisation, or a principal of which the account does not
// show. Kind is account, organisation, canonical or principal.
type Outsider struct{ Kind, ID string }

// ByCondition finds the accounts and organisations that a condition holds a
// statement for anybody to, by each key with which it is not public (package reason,
// trustOf): one that is forgotten here is found by no control.
func ByCondition(c policy.Condition, add func(kind, id string)) {
	op, ok := policy.ParseOperator(c.Operator)
	if !ok || op.Negated() || !strings.HasPrefix(op.Test, "String") && !strings.HasPrefix(op.Test, "Arn") {
		return
	}
	for _, v := range c.Values {
		unique, _, _ := strings.Cut(v, ":") // of the user or role: the name of a session follows
		if fixed := !strings.ContainsAny(v, "*?$"); !fixed && !strings.HasPrefix(v, "arn:") && !strings.HasPrefix(v, "o-") &&
			(!strings.EqualFold(c.Key, "aws:userid") || unique == v || unique == "" || strings.ContainsAny(unique, "*?$")) {
			continue
		}
		switch key := strings.ToLower(c.Key); key {
		case "aws:principalaccount", "s3:dataaccesspointaccount", "aws:sourceaccount", "aws:sourceowner", "aws:vpceaccount", "kms:calleraccount":
			add("account", v)
		case "aws:userid":
			kind := "principal"
			if len(unique) == 12 && strings.Trim(unique, "0123456789") == "" {
				kind = "account"
			}
			add(kind, unique)
		case "aws:principalarn", "s3:dataaccesspointarn", "aws:sourcearn", "aws:sourcevpcarn", "lambda:sourcefunctionarn":
			if parts := strings.SplitN(v, ":", 6); len(parts) == 6 && !strings.ContainsAny(parts[4], "*?$") {
				add("account", parts[4])
			}
		case "aws:principalorgid", "aws:principalorgpaths", "aws:sourceorgid", "aws:sourceorgpaths", "aws:vpceorgid", "aws:vpceorgpaths":
			if org, _, _ := strings.Cut(v, "/"); !strings.ContainsAny(org, "*?$") {
				add("organisation", org)
			}
		}
	}
}

// OpenServices are the services of AWS that a statement allows on behalf of any
// account: without a condition on whose behalf they come, and with no denial of
// that. A service can be made to act by any of its customers.
//
// Source: IAM user guide, "The confused deputy problem".
func OpenServices(doc *policy.Document, index int) []string {
	st := &doc.Statements[index]
	behalf := func(st *policy.Statement) bool {
		return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
			op, _ := policy.ParseOperator(c.Operator)
			switch strings.ToLower(c.Key) {
			case "aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner":
				return !slices.ContainsFunc(c.Values, unlimited) &&
					(st.Effect == policy.Deny && op.Negated() || st.Effect == policy.Allow && !op.Negated() && !op.IfExists && op.Set != policy.ForAllValues)
			}
			return false
		})
	}
	if st.Effect != policy.Allow || behalf(st) {
		return nil
	}
	denied := func(service Principal) bool {
		return slices.ContainsFunc(doc.Statements, func(s policy.Statement) bool {
			return s.Effect == policy.Deny && behalf(&s) && slices.ContainsFunc(PrincipalsOf(&s), func(p Principal) bool { return p == service || p.Everyone() })
		})
	}
	var out []string
	for _, p := range PrincipalsOf(st) {
		name := p.Value
		if p.Everyone() && slices.ContainsFunc(st.Conditions, isService) {
			name = "*.amazonaws.com"
		} else if p.Kind != policy.PrincipalService {
			continue
		}
		if !denied(p) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// isService reports whether a condition holds a statement to services of AWS.
func isService(c policy.Condition) bool {
	op, ok := policy.ParseOperator(c.Operator)
	return ok && op.Test == "Bool" && strings.EqualFold(c.Key, "aws:PrincipalIsAWSService") && len(c.Values) == 1 && strings.EqualFold(c.Values[0], "true")
}

// unlimited reports whether a value leaves open on whose behalf a service comes: a
// wildcard in the place of the account or organisation. The ARN of a bucket has none.
func unlimited(v string) bool {
	parts := strings.SplitN(v, ":", 6)
	if len(parts) == 6 && parts[4] == "" {
		return strings.ContainsAny(parts[2], "*?") || strings.HasPrefix(parts[5], "*")
	}
	if len(parts) == 6 {
		return strings.ContainsAny(parts[4], "*?")
	}
	head, _, _ := strings.Cut(v, "/")
	return strings.ContainsAny(head, "*?")
}
