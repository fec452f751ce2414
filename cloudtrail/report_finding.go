package cloudtrail

import (
	"encoding/json"
	"strings"
	"time"

	"dera.example/dera"
)

// asff reads a finding in the AWS Security Finding Format. One that passed or was archived is a
// hint too: something of the resource is another.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-attributes.html
func (r Report) asff(t Tree) Report {
	fields, compliance, note := t.Object("ProductFields"), t.Object("Compliance"), t.Object("Note")
	r.Account, r.Region = t.Value("AwsAccountId"), first(t.Text("Region"), r.Region)
	r.ID, r.Time = withoutRegion(t.Text("Id")), moment(t.Text("UpdatedAt"), r.Time.Format(time.RFC3339))
	r.Rule = first(compliance.Text("SecurityControlId"), ruleOf(t.Text("GeneratorId"), fields))
	for _, x := range t.List("Resources") {
		r.name(reportedAs(x.Text("Id"), x.Text("Type"), x.Text("Region")))
	}
	for name, v := range fields { // what the finding is also about, where it is an ARN
		if arn, _ := v.(string); strings.HasPrefix(name, "RelatedAWSResources:") && strings.HasSuffix(name, "/name") && strings.HasPrefix(arn, "arn:") {
			r.name(Reported{ARN: dera.ARN(arn)})
		}
	}
	// A note stays on its finding. It is an echo only as long as nobody observed anything after
	// it: what comes later is a hint again.
	if noted := moment(note.Text("UpdatedAt")); note.Text("UpdatedBy") == dera.NoteAuthor && !noted.IsZero() && !r.Now && !moment(t.Text("UpdatedAt")).After(noted) {
		r.Left = LeftEcho
	}
	return r
}

// ocsf reads a finding of Security Hub V2, Prowler and others in the Open Cybersecurity Schema
// Framework.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-ocsf.html
func (r Report) ocsf(t Tree) Report {
	cloud, info, compliance := t.Object("cloud"), t.Object("finding_info"), t.Object("compliance")
	r.Account, r.Region = cloud.Object("account").Value("uid"), first(cloud.Text("region"), r.Region)
	modified := moment(info.Text("modified_time_dt"), t.Text("time_dt"), unix(info.Get("modified_time")), unix(t.Get("time")))
	r.ID = withoutRegion(info.Text("uid"))
	if !modified.IsZero() {
		r.Time = modified
	}
	r.Rule = ruleOf(first(compliance.Text("control"), t.Object("metadata").Text("event_code"), info.Object("analytic").Text("uid"), info.Value("types")), nil)
	for _, x := range append(t.List("resources"), t.List("resource")...) {
		r.name(reportedAs(x.Text("uid"), x.Text("type"), first(x.Text("region"), cloud.Text("region"))))
	}
	if at, own := dera.CommentTime(t.Text("comment")); own && !r.Now && !modified.After(at) {
		r.Left = LeftEcho
	}
	return r
}

// reportedAs is a resource by an ARN or an ID.
func reportedAs(id, typ, region string) Reported {
	x := Reported{Type: typ, Region: region}
	if strings.HasPrefix(id, "arn:") {
		x.ARN = dera.ARN(id)
	} else {
		x.ID = id
	}
	return x
}

// unix is a time in milliseconds or seconds as text, or "".
func unix(v any) string {
	n, ok := v.(float64)
	switch {
	case !ok || n <= 0 || n > 1e14:
		return ""
	case n > 1e11:
		n /= 1000
	}
	return time.Unix(int64(n), 0).UTC().Format(time.RFC3339)
}

// ruleOf is the rule behind the generator of a finding, in the form in which the table of the
// controls has it. Without consolidated findings each standard has its own form.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/controls-findings-create-update.html
func ruleOf(generator string, fields Tree) string {
	if i := strings.Index(generator, "cis-aws-foundations-benchmark/v/"); i >= 0 {
		version, rest, _ := strings.Cut(generator[i+len("cis-aws-foundations-benchmark/v/"):], "/")
		return "CIS " + version + "/" + first(fields.Text("RuleId"), strings.TrimPrefix(rest, "rule/"))
	}
	if id, ok := strings.CutPrefix(generator, "security-control/"); ok {
		return id
	}
	if _, rest, ok := strings.Cut(generator, "/v/"); ok {
		_, id, _ := strings.Cut(rest, "/")
		id = first(fields.Text("ControlId"), id)
		for _, prefix := range []string{"SH.", "CT."} { // of the standard that Control Tower manages
			id = strings.TrimPrefix(id, prefix)
		}
		return id
	}
	return strings.TrimPrefix(generator, "prowler-")
}

// guardDuty reads a finding of GuardDuty.
//
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html
func (r Report) guardDuty(t Tree) Report {
	service := t.Object("service")
	r.Account, r.Region = first(t.Value("accountId"), r.Account), first(t.Text("region"), r.Region)
	r.ID, r.Rule, r.Time = withoutRegion(t.Text("id")), t.Text("type"), moment(t.Text("updatedAt"), r.Time.Format(time.RFC3339))
	switch more := service.Object("additionalInfo"); {
	case more.Flag("sample") || sampleIn(more.Text("value")):
		r.Left = LeftSample
	case service.Flag("archived"):
		r.Left = LeftArchived
	}
	about := t.Object("resource")
	at := func(typ, id string) { r.name(Reported{Type: typ, ID: id, Region: r.Region}) }
	instance := about.Object("instanceDetails")
	at("AwsEc2Instance", instance.Text("instanceId"))
	r.name(Reported{Type: "AwsGuardDutyFinding", ID: r.ID, Region: r.Region, Self: true})
	switch key := about.Object("accessKeyDetails"); key.Text("userType") {
	case "IAMUser":
		at("AwsIamUser", key.Text("userName"))
		if id := key.Text("accessKeyId"); strings.HasPrefix(id, "AKIA") && key.Text("userName") != "" {
			at("AwsIamAccessKey", key.Text("userName")+"#"+id) // as the type names it
		}
	case "Role", "AssumedRole":
		at("AwsIamRole", key.Text("userName"))
	}
	for _, d := range []struct{ member, name string }{{"lambdaDetails", "functionArn"}, {"rdsDbInstanceDetails", "dbInstanceArn"}, {"eksClusterDetails", "arn"}, {"ecsClusterDetails", "arn"}} {
		if arn := about.Object(d.member).Text(d.name); strings.HasPrefix(arn, "arn:") {
			r.name(Reported{ARN: dera.ARN(arn), Region: r.Region})
		}
	}
	// Of these there can be more than are named: they leave out nothing else.
	for _, b := range about.List("s3BucketDetails") {
		r.name(Reported{ARN: dera.ARN(b.Text("arn")), Type: "AwsS3Bucket", Region: r.Region})
	}
	for _, eni := range instance.List("networkInterfaces") {
		for _, g := range eni.List("securityGroups") {
			at("AwsEc2SecurityGroup", g.Text("groupId"))
		}
	}
	return r
}

// sampleIn reports whether the text of additional information says that it is a sample.
func sampleIn(text string) bool {
	var o struct{ Sample any }
	return json.Unmarshal([]byte(text), &o) == nil && (o.Sample == true || o.Sample == "true")
}
