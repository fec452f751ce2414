package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// guardDuty is GuardDuty before moto, which has no findings: it reports what a test says.
type guardDuty struct {
	*moto.StubWorld
	account string
}

func newGuardDuty(t *testing.T, w *motoWorld) *guardDuty {
	t.Helper()
	g := &guardDuty{moto.StartStub(t).Before(t, w.creds, w.server.URL()), w.creds.Account}
	t.Setenv("AWS_ENDPOINT_URL", g.URL())
	g.On("guardduty", "ListDetectors", moto.Answer{Output: members{"DetectorIds": []string{"d"}}})
	return g
}

// says sets what GuardDuty reports; no findings are archived ones.
func (g *guardDuty) says(list ...members) {
	ids, found := []string{}, []members{}
	for i, f := range list {
		id := fmt.Sprintf("16dd674a4cb5437c9a66d14f11839b0%d", i)
		ids = append(ids, id)
		f["Id"], f["AccountId"], f["Region"], f["SchemaVersion"] = id, g.account, "us-east-1", "2.0"
		f["Arn"], f["CreatedAt"], f["UpdatedAt"] = "arn:aws:guardduty:us-east-1:"+g.account+":detector/d/finding/"+id, "2026-11-20T08:00:00.000Z", "2026-11-20T09:00:00.000Z"
		if f["Service"] == nil {
			f["Service"] = members{"Archived": false, "EventFirstSeen": "2026-11-20T08:00:00.000Z", "EventLastSeen": "2026-11-20T09:00:00.000Z"}
		}
		found = append(found, f)
	}
	g.On("guardduty", "ListFindings", moto.Answer{Output: members{"FindingIds": ids}})
	g.On("guardduty", "GetFindings", moto.Answer{Output: members{"Findings": found}})
}

// onKey is a finding about an access key, and onInstance one about an instance.
func onKey(typ, user, key string) members {
	return members{"Type": typ, "Severity": 5.0, "Resource": members{"ResourceType": "AccessKey", "AccessKeyDetails": members{"AccessKeyId": key, "PrincipalId": "AIDACKCEVSQ6C2EXAMPLE", "UserName": user, "UserType": "IAMUser"}}}
}

func onInstance(typ, id string) members {
	return members{"Type": typ, "Severity": 8.0, "Resource": members{"ResourceType": "Instance", "InstanceDetails": members{"InstanceId": id}}}
}

// approveOne approves the one plan that waits.
func approveOne(w *motoWorld, r app.ScanReport) {
	w.t.Helper()
	for _, f := range r.Findings {
		if f.Plan == nil {
			continue
		}
		if _, errOut, code := w.dera("approve", f.Plan.Remediation, "--digest", f.Plan.Digest); code != exitGood {
			w.t.Errorf("approve: got exit code %d\n%s", code, errOut)
		}
		return
	}
	w.t.Errorf("nothing waits: got %+v", r.Findings)
}

const (
	torCaller = "UnauthorizedAccess:IAMUser/TorIPCaller"
	coins     = "CryptoCurrency:EC2/BitcoinTool.B!DNS"
)

// TestStubReportedKey: a key that GuardDuty reports waits for a person, is made inactive when
// that approves, verified, and active again by the rollback. A sample and another user's key
// are no matter, and what is archived in GuardDuty is resolved.
func TestStubReportedKey(t *testing.T) {
	w := newCredentialWorld(t, "iam-accesskey-reported")
	w.behind(t, 0)
	for _, name := range []string{"ann", "bob", "eve"} {
		w.must(w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(name)}))
	}
	ann, bob, eve := w.accessKey("ann"), w.accessKey("bob"), w.accessKey("eve")
	g := newGuardDuty(t, w.motoWorld)
	sample := onKey(torCaller, "bob", bob)
	sample["Service"] = members{"Archived": false, "AdditionalInfo": members{"Type": "default", "Value": `{"sample":true}`}}
	g.says(onKey(torCaller, "ann", ann), sample)

	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	want := finding{torCaller, "iam-accesskey-reported", "review", "open"}
	if got := findingsOf(r, "ann#"+ann); !slices.Equal(got, []finding{want}) || len(r.Findings) != 1 || w.status("ann", ann) != "Active" {
		t.Fatalf("got %v of %d, and the key %s, want %v alone", got, len(r.Findings), w.status("ann", ann), want)
	}
	if !strings.Contains(r.Findings[0].Why, "threats.automatic") {
		t.Errorf("got %q, want it to say why a person decides", r.Findings[0].Why)
	}
	approveOne(w.motoWorld, r)
	if got := w.status("ann", ann) + w.status("bob", bob) + w.status("eve", eve); got != "InactiveActiveActive" {
		t.Errorf("after the approval: got %s, want the one key inactive", got)
	}
	if again := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(again) != 0 {
		t.Errorf("the next look finds %+v, want nothing open", again.Findings)
	}
	w.rollBackAll()
	if again := w.scan(exitNo, "--mode", "observe", "--no-exemptions"); openOf(again) != 1 || w.status("ann", ann) != "Active" {
		t.Errorf("after the rollback: got %+v and the key %s, want the finding again", again.Findings, w.status("ann", ann))
	}
	g.On("guardduty", "ListFindings", moto.Answer{Error: "AccessDeniedException", Status: 403})
	if again := w.scan(exitNo, "--mode", "observe", "--no-exemptions"); openOf(again) == 0 {
		t.Errorf("GuardDuty may not be read: got %+v, want nothing resolved", again.Findings)
	}
	g.says()
	if again := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(again) != 0 {
		t.Errorf("archived in GuardDuty: got %+v, want nothing open", again.Findings)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

// TestStubReportedKeyWithoutRecord: although the configuration would answer it automatically, a
// key of whose use nothing is recorded waits for a person.
func TestStubReportedKeyWithoutRecord(t *testing.T) {
	w := newCredentialWorld(t, "iam-accesskey-reported")
	w.must(w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}))
	key := w.accessKey("ann")
	w.behind(t, 0)
	w.quiet(t, fmt.Sprintf("controls: [iam-accesskey-reported]\nthreats: {automatic: [{type: 'UnauthorizedAccess:IAMUser/*', severity: low, data_unseen: true, match: {account: '%s'}}]}", w.creds.Account))
	newGuardDuty(t, w.motoWorld).says(onKey(torCaller, "ann", key))
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got := findingsOf(r, "ann#"+key); !slices.Equal(got, []finding{{torCaller, "iam-accesskey-reported", "review", "open"}}) || w.status("ann", key) != "Active" {
		t.Fatalf("got %v and the key %s, want it to wait", got, w.status("ann", key))
	}
	if !strings.Contains(r.Findings[0].Why, "from which networks") {
		t.Errorf("got %q, want it to say what is not known", r.Findings[0].Why)
	}
}

// TestStubReportedKeyAutomatic: with a whole record the key of a user who made no call before
// GuardDuty saw it is made inactive as the configuration says, and that of one who did waits.
func TestStubReportedKeyAutomatic(t *testing.T) {
	w := newCredentialWorld(t, "iam-accesskey-reported")
	for _, name := range []string{"ann", "bob"} {
		w.must(w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(name)}))
	}
	ann, bob := w.accessKey("ann"), w.accessKey("bob")
	w.behind(t, 0)
	w.recorded(map[string][][2]string{w.arn("user", "bob"): {{"s3.amazonaws.com", "ListBuckets"}}})
	w.quiet(t, fmt.Sprintf("controls: [iam-accesskey-reported]\nthreats: {automatic: [{type: 'UnauthorizedAccess:IAMUser/*', severity: low, data_unseen: true, match: {account: '%s'}}]}", w.creds.Account))
	g := newGuardDuty(t, w.motoWorld)
	g.says(onKey(torCaller, "ann", ann), onKey(torCaller, "bob", bob))
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got := findingsOf(r, "ann#"+ann); !slices.Equal(got, []finding{{torCaller, "iam-accesskey-reported", "auto", "resolved"}}) || w.status("ann", ann) != "Inactive" {
		t.Errorf("nobody else used it: got %v and the key %s, want it inactive\n%v", got, w.status("ann", ann), r.Findings)
	}
	if got := findingsOf(r, "bob#"+bob); !slices.Equal(got, []finding{{torCaller, "iam-accesskey-reported", "review", "open"}}) || w.status("bob", bob) != "Active" {
		t.Errorf("its user used it before: got %v and the key %s, want it to wait", got, w.status("bob", bob))
	}
	w.rollBackAll()
	if got := w.status("ann", ann); got != "Active" {
		t.Errorf("after the rollback: got %s", got)
	}
}

// TestStubReportedInstance: an instance that mines coins waits for a person, or is put in
// quarantine automatically where the configuration says so; the snapshots come first and stay,
// and the rollback brings the groups back. Brute force never does that.
func TestStubReportedInstance(t *testing.T) {
	for name, tc := range map[string]struct{ config, disposition, state string }{
		"by_default":        {"", "review", "open"},
		"declared":          {"threats: {automatic: [{type: 'CryptoCurrency:EC2/*', severity: high, match: {account: '*'}}]}", "auto", "resolved"},
		"declared_by_a_tag": {"threats: {automatic: [{type: 'CryptoCurrency:EC2/*', severity: high, match: {account: '*', resource_tags: {tier: test}}}]}", "review", "open"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newContainWorld(t)
			text := "version: 1\nsettle: 10ms\ncontrols: [ec2-instance-reported, guardduty-finding-open]\n" + tc.config + "\n"
			if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			before, _ := w.instance()
			g := newGuardDuty(t, w.motoWorld)
			g.says(onInstance("UnauthorizedAccess:EC2/SSHBruteForce", w.id))
			r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions") // of severity 8 it is an alert
			if got := findingsOf(r, w.id); len(got) != 0 || len(r.Findings) != 1 || r.Findings[0].Control != "guardduty-finding-open" || r.Findings[0].Disposition.String() != "alert" {
				t.Errorf("brute force: got %+v, want an alert alone", r.Findings)
			}
			g.says(onInstance(coins, w.id))
			want := finding{coins, "ec2-instance-reported", tc.disposition, tc.state}
			code := exitGood
			if tc.state == "open" {
				code = exitNo
			}
			r = w.scan(code, "--apply", "--mode", "enforce", "--no-exemptions")
			if got := findingsOf(r, w.id); !slices.Equal(got, []finding{want}) {
				t.Fatalf("got %v, want %v", got, want)
			}
			if tc.state == "open" {
				if now, _ := w.instance(); !slices.Equal(now, before) || w.snapshots() != 0 {
					t.Errorf("it waits, and the groups are %v with %d snapshots", now, w.snapshots())
				}
				approveOne(w.motoWorld, r)
			}
			if now, _ := w.instance(); !slices.Equal(now, []string{w.group}) || w.snapshots() != 1 {
				t.Errorf("after the fix: got %v and %d snapshots, want the isolation group alone, and one", now, w.snapshots())
			}
			if again := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(again) != 0 {
				t.Errorf("the next look finds %+v, want nothing open", again.Findings)
			}
			w.rollBackAll()
			if now, _ := w.instance(); !slices.Equal(now, before) || w.snapshots() != 1 {
				t.Errorf("rolled back: got %v and %d snapshots, want %v, and the snapshot kept", now, w.snapshots(), before)
			}
			if got := findingsOf(w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions"), w.id); len(got) != 1 || got[0].Disposition != "review" {
				t.Errorf("after the rollback: got %v, want it to wait for a person", got)
			}
		})
	}
}

// TestStubReportedByEvent: an event of GuardDuty has the key and the finding looked at, at once.
// What is in it is not believed: one of which GuardDuty knows nothing finds nothing.
func TestStubReportedByEvent(t *testing.T) {
	w := newCredentialWorld(t, "iam-accesskey-reported")
	w.behind(t, 0)
	w.must(w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}))
	key := w.accessKey("ann")
	g := newGuardDuty(t, w.motoWorld)
	g.says()
	var q struct{ QueueUrl string }
	w.queue(&q)
	c := startConfigured(t, "controls: [iam-accesskey-reported, guardduty-finding-open]\nqueue_is_ours: true\n", "--queue", q.QueueUrl, "--sweep", "24h", "--output", "json")
	for _, typ := range []string{"AWS::IAM::AccessKey", "AWS::GuardDuty::Finding"} {
		c.has(t, "the sweep of "+typ+" ends", func(h app.Happening) bool { return h.What == app.SweepEnded && h.ResourceType == typ })
	}
	event := func(typ, about string) string {
		return fmt.Sprintf(`{"version":"0","id":"e-1","detail-type":"GuardDuty Finding","source":"aws.guardduty","account":%q,"region":"us-east-1","time":"2026-11-30T00:00:00Z","resources":[],`+
			`"detail":{"schemaVersion":"2.0","accountId":%q,"region":"us-east-1","id":"16dd674a4cb5437c9a66d14f11839b00","type":%q,"severity":8,"resource":%s,"service":{"count":1}}}`, w.creds.Account, w.creds.Account, typ, about)
	}
	about := fmt.Sprintf(`{"resourceType":"AccessKey","accessKeyDetails":{"accessKeyId":%q,"userName":"ann","userType":"IAMUser"}}`, key)
	w.send(q.QueueUrl, event(torCaller, about)) // forged: GuardDuty has no such finding
	asked := len(g.Calls("ListFindings"))
	c.eventually(t, "the forged event is taken", func() bool { return w.waitingIn(q.QueueUrl) == 0 && len(g.Calls("ListFindings")) > asked })
	if out, errOut, _ := w.deraOn(c.data, "findings", "--all", "--output", "json"); strings.Contains(out, key) || w.status("ann", key) != "Active" {
		t.Errorf("of the forged event came\n%s%s", out, errOut)
	}
	g.says(onKey(torCaller, "ann", key))
	w.send(q.QueueUrl, event(torCaller, about))
	c.has(t, "the key is found", func(h app.Happening) bool {
		return h.What == app.FindingOpened && h.Control == "iam-accesskey-reported" && h.Resource.Name() == "ann#"+key
	})
	g.says(members{"Type": "AttackSequence:IAM/CompromisedCredentials", "Severity": 9.0, "Resource": members{"ResourceType": "AttackSequence"}})
	w.send(q.QueueUrl, event("AttackSequence:IAM/CompromisedCredentials", `{"resourceType":"AttackSequence"}`))
	c.has(t, "the sequence is an alert", func(h app.Happening) bool {
		return h.What == app.FindingOpened && h.Control == "guardduty-finding-open"
	})
	c.stop(t)
	if got := w.status("ann", key); got != "Active" {
		t.Errorf("the key is %s, and nobody approved anything", got)
	}
}

// TestStubReportedRole: a role whose instances' credentials GuardDuty reports to be used elsewhere
// waits for a person, whatever the configuration says; approved, it is bound to the VPCs of its
// instances by a policy of its own, and the rollback takes just that away. A role that others may
// assume gets no plan.
func TestStubReportedRole(t *testing.T) {
	w := newIAMWorld(t, "")
	ctx := t.Context()
	for name, trust := range map[string]string{
		"web":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
		"shared": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`,
	} {
		w.role(name, trust, "")
		w.must(w.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
		w.must(w.iam.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: &name}))
		w.must(w.iam.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name}))
	}
	w.behind(t, 0)
	w.quiet(t, "controls: [iam-role-reported, guardduty-finding-open]\nthreats: {automatic: [{type: '*:IAMUser/*', severity: low, data_unseen: true, match: {account: '*'}}]}")
	g := newGuardDuty(t, w.motoWorld)
	const stolen = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
	about := func(role, kind string) members {
		return members{"Type": stolen, "Severity": 8.0, "Resource": members{"ResourceType": "AccessKey", "AccessKeyDetails": members{"AccessKeyId": "ASIA2222BBBB3333CCCC", "PrincipalId": "AROACKCEVSQ6C2EXAMPLE:i-0123456789abcdef0", "UserName": role, "UserType": kind}}}
	}
	g.says(about("web", "Role"), about("shared", "AssumedRole"))
	before := w.policies("web")
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	for _, name := range []string{"web", "shared"} {
		if got := findingsOf(r, name); !slices.Equal(got, []finding{{stolen, "iam-role-reported", "review", "open"}}) || len(w.policies(name)) != 1 {
			t.Fatalf("%s: got %v and %v, want it to wait", name, got, w.policies(name))
		}
	}
	approveOne(w.motoWorld, r)
	bound := w.policies("web")["dera-only-from-its-instances-vpc"]
	if !strings.Contains(bound, `"${aws:EC2InstanceSourceVPC}"`) || w.policies("web")["own"] != before["own"] || len(w.policies("shared")) != 1 {
		t.Errorf("approved: got %v and %v", w.policies("web"), w.policies("shared"))
	}
	again := w.scan(exitNo, "--mode", "observe", "--no-exemptions")
	if got := findingsOf(again, "web"); len(got) > 0 && got[0].State != "resolved" {
		t.Errorf("the next look finds %v, want it resolved", got)
	}
	if got := findingsOf(again, "shared"); len(got) != 1 || got[0].State != "open" {
		t.Errorf("the next look finds %v, want it open", got)
	}
	w.rollBackAll()
	if got := w.policies("web"); len(got) != 1 || got["own"] != before["own"] {
		t.Errorf("after the rollback: got %v, want %v", got, before)
	}
	g.On("guardduty", "ListFindings", moto.Answer{Error: "AccessDeniedException", Status: 403})
	if again := w.scan(exitUndecided, "--mode", "observe", "--no-exemptions"); openOf(again) == 0 {
		t.Errorf("GuardDuty may not be read: got %+v, want nothing resolved", again.Findings)
	}
}
