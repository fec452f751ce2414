package usage

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// passes reports whether an ARN in the parameters of a call is that of a role
// that the call may hand to a service (iam-reasoning: iam:PassRole is authorized
// with the call and is no event of its own).
func passes(arn []byte) bool {
	return bytes.HasPrefix(arn, []byte("arn:")) && bytes.Contains(arn, []byte(":iam::")) &&
		(bytes.Contains(arn, []byte(":role/")) || bytes.Contains(arn, []byte(":instance-profile/")))
}

// passesNothing are services whose calls name roles without passing them.
func passesNothing(source []byte) bool {
	return slices.Contains([]string{
		"iam.amazonaws.com", "sts.amazonaws.com", "access-analyzer.amazonaws.com", "kms.amazonaws.com", "signin.amazonaws.com",
		"sso.amazonaws.com", "cloudtrail.amazonaws.com", "organizations.amazonaws.com",
	}, string(source))
}

// roleNames are parameters that name a role or an instance profile without an
// ARN, in lower case.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
func roleName(parameter string) (kind string, ok bool) {
	switch strings.ToLower(parameter) {
	case "taskrolearn", "executionrolearn", "servicerole", "autoscalingrole", "rolearn", "iamrole", "cloudwatchlogsrolearn", "monitoringrolearn":
		return "role", true
	case "iaminstanceprofile", "jobflowrole", "instanceprofile", "instanceprofilename":
		return "instance-profile", true
	}
	return "", false
}

// hasRoleName is a quick look whether some parameter can name a role.
func hasRoleName(request []byte) bool {
	if !bytes.Contains(request, []byte("Role")) && !bytes.Contains(request, []byte("Profile")) {
		return false
	}
	for _, word := range [...]string{"nstanceProfile", "taskRole", "executionRole", "serviceRole", "jobFlowRole", "autoScalingRole", "iamRole"} {
		if bytes.Contains(request, []byte(word)) {
			return true
		}
	}
	return false
}

// namedRoles returns the ARNs, made from the names, of roles that a call passes.
func namedRoles(request []byte, partition, account string) []string {
	var tree any
	if json.Unmarshal(request, &tree) != nil {
		return nil
	}
	var out []string
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				kind, ok := roleName(name)
				if inner, isObject := value.(map[string]any); ok && isObject {
					value = inner["name"]
				}
				if s, isText := value.(string); ok && isText && s != "" && !strings.HasPrefix(s, "arn:") && len(s) <= 128 {
					out = append(out, "arn:"+partition+":iam::"+account+":"+kind+"/"+s)
					continue
				}
				if depth < 8 {
					walk(v[name], depth+1)
				}
			}
		case []any:
			for _, item := range v {
				if depth < 8 {
					walk(item, depth+1)
				}
			}
		}
	}
	walk(tree, 0)
	return out
}
