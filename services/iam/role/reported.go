package role

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
)

// PartThreats is what GuardDuty reports of the role.
const PartThreats = "threats"

// Answered are GuardDuty's finding types for which a role is bound to its instances' VPCs.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html#unauthorizedaccess-iam-instancecredentialexfiltrationoutsideaws
func Answered() []string { return []string{"*:IAMUser/InstanceCredentialExfiltration*"} }

// boundName is the name of the inline policy that binds a role to the VPCs of its instances.
const boundName = "dera-only-from-its-instances-vpc"

// bound denies what is signed with credentials that EC2 gave an instance (ec2:SourceInstanceARN is
// there) and does not come by a VPC endpoint of the VPC of that instance, other than what AWS
// calls on its behalf. Of a call that comes by no endpoint there is no aws:SourceVpc, which
// differs too.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-ec2instancesourcevpc
const bound = `{"Version":"2012-10-17","Statement":[{"Sid":"OnlyFromItsInstancesVPC","Effect":"Deny","Action":"*","Resource":"*","Condition":{` +
	`"StringNotEquals":{"aws:SourceVpc":"${aws:EC2InstanceSourceVPC}"},"Null":{"ec2:SourceInstanceARN":"false"},"BoolIfExists":{"aws:ViaAWSService":"false"}}}]}`

// Reported finds roles whose instances' credentials GuardDuty reports to be used elsewhere.
func Reported() control.Control {
	meta := control.Meta{
		ID: "iam-role-reported", Title: "GuardDuty reports that credentials of the role's instances are used elsewhere", Type: Name, Severity: dera.Critical,
		Why: "Somebody took the credentials of an instance and calls AWS with them from another place: all that the role may do is theirs until the credentials end, and longer while they reach the instance.",
		Fix: "An inline policy denies calls that are signed with credentials of an instance and do not come by a VPC endpoint of the instance's VPC; calls that AWS makes on behalf of the role (aws:ViaAWSService) are left. " +
			"It breaks every call of the role's own instances that leaves by a NAT or internet gateway. A rollback takes the policy away. It is no denial by aws:TokenIssueTime, which ends every session of the role: " +
			"instances get other credentials only shortly before the old ones end.",
		Complexity: "high", Threats: Answered(),
		Cases: []control.Case{
			{When: "GuardDuty has an open finding InstanceCredentialExfiltration of the last 30 days about the role; samples and archived ones do not count", Disposition: dera.Review, Because: "whether all that the instances call has a VPC endpoint the owner knows; it is never automatic, whatever the configuration says"},
			{When: "somebody else than EC2 may assume the role, it is in no instance profile, or that is not known", Disposition: dera.Review, Because: "no plan is made: the policy would not hold whoever is not on an instance"},
		},
		Refs: []control.Ref{
			{Standard: "GuardDuty", ID: "InstanceCredentialExfiltration.OutsideAWS", URL: "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html#unauthorizedaccess-iam-instancecredentialexfiltrationoutsideaws"},
			{Standard: "IAM user guide", ID: "aws:EC2InstanceSourceVPC", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-ec2instancesourcevpc"},
			{Standard: "IAM user guide", ID: "revoke IAM role temporary security credentials", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html"},
		},
		Reads: iam.ReadsOf(Parts()), Writes: []string{iam.RoleKind.PutInline(), iam.RoleKind.DeleteInline()},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}
	return control.Define(control.Spec[*Role]{
		Meta: meta,
		Check: func(r *Role, s control.Settings) control.Result {
			out := control.Reported(meta, r.Threats, s, func(resource.Threat) (dera.Disposition, string) {
				return dera.Review, "Of a role that is never automatic."
			})
			if out.Outcome != control.Fail {
				return out
			}
			switch {
			case !r.Read(PartInline):
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the inline policies of the role"}
			case r.isBound():
				return control.Result{Outcome: control.Pass}
			}
			for i := range out.Failures {
				out.Failures[i].Severity = dera.Critical
				out.Failures[i].Why += " The plan breaks calls of the role's instances that leave by a NAT or internet gateway."
			}
			return out
		},
		Plan: func(r *Role, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			return r.bind()
		},
		Prove: func(r *Role, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			next := *r
			next.Inline = append(slices.Clone(r.Inline), iam.Inline{Name: boundName, Document: bound})
			next.Sort()
			before := strings.Split(r.Canon(), "\n")
			come := slices.DeleteFunc(strings.Split(next.Canon(), "\n"), func(l string) bool { return slices.Contains(before, l) })
			return evidence.ProveParts(Type(), r, changes, nil, come)
		},
	})
}

// Is reports whether a threat is about sessions of the role.
func (r *Role) Is(t resource.Threat) bool {
	return t.User == r.Name && t.UserType == "AssumedRole"
}

// isBound reports whether the policy is there as dera puts it.
func (r *Role) isBound() bool {
	return slices.ContainsFunc(r.Inline, func(p iam.Inline) bool { return p.Name == boundName && p.Document == bound })
}

// bind puts the policy, or says why not.
func (r *Role) bind() ([]dera.Change, *control.Refusal) {
	c, err := r.SetInline(iam.RoleKind, boundName, bound)
	size, errSize := r.InlineSize()
	who := r.beside()
	switch err := errors.Join(err, errSize); {
	case err != nil:
		return nil, iam.CannotPlan(err)
	case !r.Read(PartProfiles):
		return nil, &control.Refusal{Code: "not-known", Why: "whether instances have the role is not known"}
	case who != "":
		return nil, &control.Refusal{Code: "not-only-instances", Why: who + " may assume the role too: the policy would not hold them"}
	case len(r.Profiles) == 0:
		return nil, &control.Refusal{Code: "not-only-instances", Why: "the role is in no instance profile"}
	case slices.ContainsFunc(r.Inline, func(p iam.Inline) bool { return strings.EqualFold(p.Name, boundName) }):
		return nil, &control.Refusal{Code: "name-taken", Why: fmt.Sprintf("there is an inline policy %q that says something else", boundName)}
	case size+len(bound) > iam.RoleKind.InlineLimit():
		return nil, &control.Refusal{Code: "no-space", Why: "the inline policies leave no space for another one"}
	}
	return []dera.Change{c}, nil
}

// beside is who may assume the role beside EC2, as far as the trust policy says; nothing for
// nobody. What cannot be read is somebody.
func (r *Role) beside() string {
	doc, err := policy.Parse(r.Trust)
	if err != nil || len(doc.Statements) == 0 {
		return "somebody that the trust policy does not clearly say"
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect == policy.Deny {
			continue
		}
		if st.Principals == nil || st.NotPrincipals != nil {
			return "everybody but some"
		}
		for _, p := range document.PrincipalsOf(st) {
			if p.Kind != policy.PrincipalService || p.Value != "ec2.amazonaws.com" && p.Value != "ec2.amazonaws.com.cn" {
				return p.Value
			}
		}
	}
	return ""
}
