package services

import (
	"slices"
	"strings"

	events "dera.example/dera/cloudtrail"
)

// The sources of events that are findings, or are about them.
const (
	configSource = "aws.config"
	hubSource    = "aws." + events.ReportSecurityHub
	guardSource  = "aws." + events.ReportGuardDuty
)

// add adds an event. A call has no member of a finding, and nothing else has those of a call.
func (t *Triggers) add(is eventKind, types []string, source, kind string, detail map[string]any) {
	if detail == nil {
		detail = map[string]any{}
	}
	absent := []string{"eventName", "eventSource"}
	if detail["eventName"] != nil {
		absent = []string{"findings", "configurationItem", "newEvaluationResult"}
	}
	for _, member := range absent {
		detail[member] = nil
	}
	t.samples = append(t.samples, sample{is, types, map[string]any{"source": source, "detail-type": kind, "detail": detail}})
}

// sampleCalls adds the calls that change something of ours. One that only hints at resources of
// a type when it names them, as the launch of an instance does at its groups, is none of it.
func (t *Triggers) sampleCalls() {
	for _, c := range Watch().Calls() {
		service := strings.TrimSuffix(c.Source, ".amazonaws.com")
		if service == "signin" {
			continue // nobody changes anything by it
		}
		call := events.Record{Source: c.Source, Name: c.Name, Account: "111122223333", Region: "us-east-1", Request: []byte("null"), Response: []byte("null")}.Call()
		var types []string
		for _, s := range c.Find(call) {
			types = append(types, s.Type)
		}
		for _, typ := range c.Types {
			if last := typ[strings.LastIndex(typ, ":")+1:]; strings.Contains(c.Name, last) && !slices.Contains(types, typ) {
				types = append(types, typ)
			}
		}
		if len(types) > 0 {
			t.add(isChange, types, "aws."+service, "AWS API Call via CloudTrail", map[string]any{"eventSource": c.Source, "eventName": c.Name})
		}
	}
	t.add(isState, []string{"AWS::EC2::Instance"}, "aws.ec2", "EC2 Instance State-change Notification", nil)
}

// sampleConfig adds what AWS Config says of resources.
func (t *Triggers) sampleConfig() {
	for typ, ours := range t.config {
		t.add(isFinding, ours, configSource, events.ComplianceKind, map[string]any{
			"messageType": "ComplianceChangeNotification", "resourceType": typ, "newEvaluationResult": map[string]any{"complianceType": "NON_COMPLIANT"},
		})
		t.add(isChange, ours, configSource, events.ItemKind, map[string]any{
			"messageType": "ConfigurationItemChangeNotification", "configurationItem": map[string]any{"resourceType": typ},
		})
	}
}

// sampleFinders adds the findings of others that are about what a control looks at.
func (t *Triggers) sampleFinders() {
	of := map[string]string{}
	for _, c := range Controls() {
		of[c.ID] = c.Type
		for _, threat := range c.Threats {
			if !strings.HasPrefix(threat, "!") {
				t.sampleThreat(threat, c.Type)
			}
		}
	}
	for _, l := range foundLines() {
		for _, id := range l.controls {
			typ := of[id]
			switch l.by {
			case "AWS Config":
				t.names[l.rule] = append(t.names[l.rule], typ)
			case "GuardDuty":
				t.sampleThreat(l.rule, typ)
			case "Access Analyzer":
				for _, kind := range events.AnalysisKinds() {
					t.add(isFinding, []string{typ}, "aws.access-analyzer", kind, map[string]any{"resourceType": t.reportedTypes(typ)})
				}
				t.sampleHub(typ, "IAM Access Analyzer", "aws/access-analyzer", "")
			case "Prowler":
				t.sampleHub(typ, "Prowler", "prowler-"+l.rule, l.rule)
			case "CIS":
				version, rule, _ := strings.Cut(strings.TrimPrefix(l.rule, "CIS "), "/")
				t.sampleHub(typ, "Security Hub", "*cis-aws-foundations-benchmark/v/"+version+"/*"+rule, "")
			default:
				t.sampleHub(typ, "Security Hub", "*/*"+l.rule, l.rule)
			}
		}
	}
	t.add(isChosen, nil, hubSource, events.ActionKind, nil)
	t.add(isChosen, nil, hubSource, events.InsightKind, nil)
}

// sampleThreat adds a finding of GuardDuty, whose type says what it is about.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html
func (t *Triggers) sampleThreat(finding, typ string) {
	threat := map[string]any{"type": finding}
	_, about, _ := strings.Cut(finding, ":")
	switch kind, _, _ := strings.Cut(about, "/"); kind {
	case "EC2":
		threat["resource"] = map[string]any{"resourceType": "Instance"}
	case "IAMUser":
		threat["resource"] = map[string]any{"resourceType": "AccessKey"}
	case "S3":
		threat["resource"] = map[string]any{"resourceType": []string{"S3Bucket", "AccessKey"}}
	}
	t.add(isCentral, []string{typ}, guardSource, events.GuardDutyKind, threat)
	t.sampleHub(typ, "GuardDuty", "*guardduty*", "")
}

// sampleHub adds a finding of Security Hub, in both formats. The control is "" where the finding
// has none.
func (t *Triggers) sampleHub(typ, product, generator, control string) {
	t.add(isCentral, []string{typ}, hubSource, events.ImportedKind, map[string]any{"findings": map[string]any{
		"ProductName": product, "ProductArn": "*:product/" + productID(product), "GeneratorId": generator, "RecordState": "ACTIVE", "Workflow": map[string]any{"Status": []string{"NEW", "NOTIFIED"}},
		"Compliance": map[string]any{"Status": "FAILED", "SecurityControlId": control}, "ProductFields": map[string]any{"ControlId": control},
		"Resources": map[string]any{"Type": t.reportedTypes(typ)},
	}})
	for _, class := range []float64{2003, 2004} { // compliance and detection, of OCSF
		t.add(isCentral, []string{typ}, hubSource, events.ImportedV2Kind, map[string]any{"findings": map[string]any{
			"class_uid": class, "compliance": map[string]any{"control": control}, "resources": map[string]any{"type": append(t.reportedTypes(typ), typ)},
		}})
	}
}

// productID is what ends the ARN of a product in Security Hub.
func productID(product string) string {
	switch product {
	case "Prowler":
		return "prowler/prowler"
	case macie:
		return "aws/macie"
	case "IAM Access Analyzer":
		return "aws/access-analyzer"
	}
	return "aws/" + strings.ToLower(strings.ReplaceAll(product, " ", ""))
}

// reportedTypes are the names that others may have for the type of a resource: that of
// CloudFormation, that of ASFF, and what the resource is a part of.
func (t *Triggers) reportedTypes(typ string) []string {
	out := []string{typ, strings.ReplaceAll(typ, "::", "")} // AWSEC2SecurityGroup: case does not count
	if strings.HasPrefix(typ, "AWS::IAM::") {
		out = append(out, "AWS::IAM::User", "AwsIamUser", "AwsIamPolicy", "AWS::IAM::Policy")
	}
	if _, own := t.config[typ]; !own {
		out = append(out, "AwsAccount", "AWS::::Account")
	}
	return out
}
