package policy

import (
	"slices"
	"strconv"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
)

// Name is the CloudFormation type name.
const Name = "AWS::IAM::ManagedPolicy"

// Type is customer managed policies. The ID is the path and the name, as in the ARN.
func Type() resource.Type {
	return resource.Define(resource.Spec[Policy]{
		Name: Name, Global: true,
		ARN:       func(partition, account, _, id string) dera.ARN { return ARNOf(partition, account, id) },
		SampleIDs: []string{"app", "team/web/app", "zz-quite-another_name.9@x"},
		Identify:  func(p *Policy) (id, name string, tags map[string]string) { return p.Key(), p.Name, p.Tags },
		Parts:     Parts(), Operations: operations(), Events: Events(),
		Redact: iam.Redact,
		Canon:  (*Policy).Canon, Spare: spare,
		Brief: func(p *Policy) *Policy {
			brief := *p
			brief.Tags, brief.Reported = nil, nil
			brief.Unread = slices.DeleteFunc(slices.Clone(p.Unread), func(part string) bool { return part == PartTags || part == iam.PartReported })
			return &brief
		},
		Attached:    (*Policy).attached,
		Attachments: (*Policy).attachments,
		Principals:  (*Policy).principals,
		Neighbours: func(p *Policy) (out []resource.Neighbour) {
			for _, h := range p.Holders {
				out = append(out, resource.Neighbour{Type: h.Kind.Type(), ID: h.Name})
			}
			return slices.Compact(out)
		},
		Note: "A policy decides for everyone who has it, also for sessions that were begun before; IAM takes seconds to spread a change.",
	})
}

// ARNOf names a policy of an account.
func ARNOf(partition, account, id string) dera.ARN {
	return dera.NewARN(partition, "iam", "", account, "policy/"+id)
}

// spare begins the lines of Canon about versions that are not in force.
const spare = "other version "

// Canon is equal for two policies that allow the same, in all of their versions. IDs of
// AWS, versions' too, when they were made and who has the policy are no part of it.
func (p *Policy) Canon() string {
	lines := []string{"path " + p.Path, "tags" + resource.CanonTags(p.Tags)}
	for _, l := range document.CanonPolicy(p.Default.Document) {
		lines = append(lines, "in force "+l)
	}
	for _, v := range p.Others {
		lines = append(lines, spare+"description "+strconv.Quote(document.CanonText(v.Document)))
	}
	for _, part := range p.Unread {
		if part == PartPolicy || part == PartVersions || part == PartTags {
			lines = append(lines, "not read: "+part)
		}
	}
	slices.Sort(lines)
	return "policy " + p.Key() + "\n" + strings.Join(lines, "\n") + "\n"
}

// attached names those who have the policy, for people.
func (p *Policy) attached() (out []string) {
	for _, h := range p.Holders {
		name := string(h.Kind) + " " + h.Name
		if h.Via != "" {
			name += ", by its group " + h.Via
		}
		out = append(out, name)
	}
	for _, arn := range p.BoundaryOf {
		out = append(out, dera.ARN(arn).Resource()+dera.AsBoundary)
	}
	return out
}

func (p *Policy) attachments() (out []resource.Attachment) {
	for _, h := range p.Holders {
		if id := dera.ARN(h.ARN).Resource(); !slices.ContainsFunc(out, func(a resource.Attachment) bool { return a.ID == id }) {
			out = append(out, resource.Attachment{ID: id, Name: h.Name, Tags: h.Tags})
		}
	}
	return out
}

// principals are those who have the policy. A group that has it has no members, so
// that it is nobody.
func (p *Policy) principals() (out []resource.Principal) {
	for _, h := range p.Holders {
		if h.Kind == iam.GroupKind || slices.ContainsFunc(out, func(o resource.Principal) bool { return o.ARN == h.ARN }) {
			continue
		}
		out = append(out, resource.Principal{
			ARN: h.ARN, Name: h.Name, Tags: h.Tags, Human: h.Kind == iam.UserKind, Services: iam.ServicesOf(h.Trust),
			Created: h.Created, Granted: p.granted(), Use: h.Use,
		})
	}
	return out
}
