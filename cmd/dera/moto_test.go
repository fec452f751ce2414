package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// The commands against an AWS that we did not write. These tests set the
// environment, so they do not run in parallel.

// motoWorld is one account of moto with a data folder for dera.
type motoWorld struct {
	t      *testing.T
	server *moto.Server
	creds  moto.Credentials
	api    *ec2.Client
	dir    string
	vpc    string
}

func newMotoWorld(t *testing.T, server *moto.Server) *motoWorld {
	t.Helper()
	w := newFullMotoWorld(t, server)
	w.emptyDefaults()
	return w
}

// newFullMotoWorld leaves the default groups their outbound rules.
func newFullMotoWorld(t *testing.T, server *moto.Server) *motoWorld {
	t.Helper()
	w := &motoWorld{t: t, server: server, creds: server.Account(t), dir: t.TempDir()}
	w.use(w.creds)
	w.api = ec2.New(ec2.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken),
	})
	out, err := w.api.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
	if err != nil || len(out.Vpcs) == 0 {
		t.Fatalf("find the default VPC: %v", err)
	}
	w.vpc = *out.Vpcs[0].VpcId
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte("version: 1\nsettle: 10ms\norganization: o-a1b2c3d4e5\ntrusted_accounts: [{id: '222233334444', name: ACME Data, reason: contract 42}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// emptyDefaults takes the outbound rules of the default groups away, which fail a
// control.
func (w *motoWorld) emptyDefaults() {
	w.t.Helper()
	out, err := w.api.DescribeSecurityGroups(w.t.Context(), &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("group-name"), Values: []string{"default"}}}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, g := range out.SecurityGroups {
		if _, err := w.api.RevokeSecurityGroupEgress(w.t.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: g.GroupId, IpPermissions: g.IpPermissionsEgress}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// inside are rules for the private ranges, as inbound lists them: what a plan keeps
// of a rule for the internet. The format takes the range.
func inside(format string, beside ...string) []string {
	out := beside
	for _, cidr := range []string{"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"} {
		out = append(out, fmt.Sprintf(format, cidr))
	}
	slices.Sort(out)
	return out
}

// use makes the credentials those of the environment.
func (w *motoWorld) use(c moto.Credentials) {
	w.t.Helper()
	for k, v := range map[string]string{
		"AWS_ENDPOINT_URL": w.server.URL(), "AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.SecretAccessKey,
		"AWS_SESSION_TOKEN": c.SessionToken, "AWS_REGION": "us-east-1", "AWS_CA_BUNDLE": "", "AWS_PROFILE": "", "NO_COLOR": "1",
		"DERA_CONTROLS": strings.Join(simulated(), ","), // the tests of other types name theirs in the configuration
	} {
		w.t.Setenv(k, v)
		if v == "" { // an empty profile is not no profile to boto, which moto uses
			if err := os.Unsetenv(k); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// dera runs one command line and returns its output and exit code.
func (w *motoWorld) dera(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	var out, errOut bytes.Buffer
	args = append(args, "--data", filepath.Join(w.dir, "data"), "--config", filepath.Join(w.dir, "config.yaml"))
	code = run(w.t.Context(), args, strings.NewReader(""), &out, &errOut)
	return out.String(), errOut.String(), code
}

// scan runs dera scan with --output json.
func (w *motoWorld) scan(wantCode int, args ...string) app.ScanReport {
	w.t.Helper()
	out, errOut, code := w.dera(append([]string{"scan", "--output", "json"}, args...)...)
	if code != wantCode {
		w.t.Fatalf("dera scan %v: got exit code %d, want %d\n%s%s", args, code, wantCode, out, errOut)
	}
	var r app.ScanReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		w.t.Fatalf("read output of dera scan: %v\n%s", err, out)
	}
	return r
}

func (w *motoWorld) group(name string, perms ...types.IpPermission) string {
	w.t.Helper()
	g, err := w.api.CreateSecurityGroup(w.t.Context(), &ec2.CreateSecurityGroupInput{GroupName: &name, Description: aws.String("test"), VpcId: &w.vpc})
	if err != nil {
		w.t.Fatal(err)
	}
	w.authorize(*g.GroupId, perms...)
	return *g.GroupId
}

func (w *motoWorld) authorize(id string, perms ...types.IpPermission) {
	w.t.Helper()
	for _, p := range perms {
		if _, err := w.api.AuthorizeSecurityGroupIngress(w.t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: []types.IpPermission{p}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// inbound is the group's inbound rules as moto has them.
func (w *motoWorld) inbound(id string) []string {
	w.t.Helper()
	out, err := w.api.DescribeSecurityGroupRules(w.t.Context(), &ec2.DescribeSecurityGroupRulesInput{
		Filters: []types.Filter{{Name: aws.String("group-id"), Values: []string{id}}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var list []string
	for _, r := range out.SecurityGroupRules {
		if !aws.ToBool(r.IsEgress) {
			source := aws.ToString(r.CidrIpv4) + aws.ToString(r.CidrIpv6) + aws.ToString(r.PrefixListId)
			if r.ReferencedGroupInfo != nil {
				source += aws.ToString(r.ReferencedGroupInfo.GroupId)
			}
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %d-%d %s %s", *r.IpProtocol, aws.ToInt32(r.FromPort), aws.ToInt32(r.ToPort), source, aws.ToString(r.Description))))
		}
	}
	slices.Sort(list)
	return list
}

func perm(protocol string, from, to int32, cidr, description string) types.IpPermission {
	p := types.IpPermission{IpProtocol: &protocol, FromPort: &from, ToPort: &to}
	var d *string
	if description != "" {
		d = &description
	}
	if strings.Contains(cidr, ":") {
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: &cidr, Description: d}}
	} else {
		p.IpRanges = []types.IpRange{{CidrIp: &cidr, Description: d}}
	}
	return p
}

// finding is what the tests compare of one.
type finding struct {
	Key, Control, Disposition, State string
}

func findingsOf(r app.ScanReport, group string) []finding {
	var out []finding
	for _, f := range r.Findings {
		if f.Resource.Name() == group {
			out = append(out, finding{f.Key, f.Control, f.Disposition.String(), string(f.State)})
		}
	}
	slices.SortFunc(out, func(a, b finding) int { return strings.Compare(a.Control+a.Key, b.Control+b.Key) })
	return out
}

// motoFixes is every kind of fix: what stands before, what after the automatic
// part, and what after a person approved the rest.
var motoFixes = []struct {
	name     string
	before   []types.IpPermission
	findings []finding
	after    []string
	approved []string
}{
	{
		name:     "world_open_ssh_beside_an_office_rule",
		before:   []types.IpPermission{perm("tcp", 22, 22, "0.0.0.0/0", ""), perm("tcp", 22, 22, "10.0.0.0/24", "office")},
		findings: []finding{{"tcp/22", "ec2-securitygroup-admin-ports-open", "auto", "resolved"}},
		after:    inside("tcp 22-22 %s", "tcp 22-22 10.0.0.0/24 office"),
	},
	{
		name:     "rdp_over_ipv6_in_two_halves",
		before:   []types.IpPermission{perm("tcp", 3389, 3389, "::/1", ""), perm("tcp", 3389, 3389, "8000::/1", "")},
		findings: []finding{{"tcp/3389", "ec2-securitygroup-admin-ports-open", "auto", "resolved"}},
		after:    []string{"tcp 3389-3389 fc00::/7"},
	},
	{
		name:   "a_wide_rule_is_split_and_the_rest_approved",
		before: []types.IpPermission{perm("tcp", 20, 25, "0.0.0.0/0", "vendor")},
		findings: []finding{
			{"tcp/22", "ec2-securitygroup-admin-ports-open", "auto", "resolved"},
			{"tcp/20-21", "ec2-securitygroup-other-ports-open", "review", "open"},
			{"tcp/23-25", "ec2-securitygroup-other-ports-open", "review", "open"},
		},
		after:    inside("tcp 22-22 %s vendor", "tcp 20-21 0.0.0.0/0 vendor", "tcp 23-25 0.0.0.0/0 vendor"),
		approved: inside("tcp 23-25 %s vendor", slices.Concat(inside("tcp 20-21 %s vendor"), inside("tcp 22-22 %s vendor"))...),
	},
	{
		name:     "a_database_port_waits_for_a_person",
		before:   []types.IpPermission{perm("tcp", 5432, 5432, "0.0.0.0/0", "db"), perm("tcp", 443, 443, "10.0.0.0/8", "")},
		findings: []finding{{"tcp/5432", "ec2-securitygroup-database-open", "review", "open"}},
		after:    []string{"tcp 443-443 10.0.0.0/8", "tcp 5432-5432 0.0.0.0/0 db"},
		approved: inside("tcp 5432-5432 %s db", "tcp 443-443 10.0.0.0/8"),
	},
	{
		name:     "a_web_port_only_alerts",
		before:   []types.IpPermission{perm("tcp", 443, 443, "0.0.0.0/0", "")},
		findings: []finding{{"tcp/443", "ec2-securitygroup-web-ports-open", "alert", "open"}},
		after:    []string{"tcp 443-443 0.0.0.0/0"},
	},
	{
		name:     "icmp_type_22_is_not_ssh",
		before:   []types.IpPermission{perm("icmp", 22, -1, "0.0.0.0/0", "")},
		findings: []finding{{"icmp", "ec2-securitygroup-other-ports-open", "review", "open"}},
		after:    []string{"icmp 22--1 0.0.0.0/0"},
		approved: inside("icmp 22--1 %s"),
	},
}

func TestMotoEveryFixAndUndo(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	for _, c := range motoFixes {
		t.Run(c.name, func(t *testing.T) {
			w := newMotoWorld(t, server)
			id := w.group("g", c.before...)
			original := w.inbound(id)
			r := w.scan(scanCode(c.findings), "--apply", "--mode", "enforce", "--no-exemptions")
			if diff := cmp.Diff(c.findings, findingsOf(r, id)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.after, w.inbound(id)); diff != "" {
				t.Errorf("inbound rules after the fix (-want +got):\n%s", diff)
			}
			w.approveRest(r, id, c.approved)
			w.rollBackAll()
			if diff := cmp.Diff(original, w.inbound(id)); diff != "" {
				t.Errorf("inbound rules after the rollback (-want +got):\n%s", diff)
			}
			if out, _, code := w.dera("audit", "verify"); code != exitGood {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}

func scanCode(findings []finding) int {
	for _, f := range findings {
		if f.State != "resolved" {
			return exitNo
		}
	}
	return exitGood
}

// approveRest approves the waiting plan of the group, if the case has one.
func (w *motoWorld) approveRest(r app.ScanReport, id string, want []string) {
	w.t.Helper()
	if want == nil {
		return
	}
	for _, f := range r.Findings {
		if f.Resource.Name() != id || f.Plan == nil || f.Plan.State != "waiting" {
			continue
		}
		if _, _, code := w.dera("approve", f.Plan.Remediation, "--digest", strings.Repeat("0", 64)); code != exitNo {
			w.t.Errorf("approve with a wrong digest: got exit code %d, want %d", code, exitNo)
		}
		out, errOut, code := w.dera("approve", f.Plan.Remediation, "--digest", f.Plan.Digest)
		if code != exitGood {
			w.t.Fatalf("approve: got exit code %d\n%s%s", code, out, errOut)
		}
		if diff := cmp.Diff(want, append([]string{}, w.inbound(id)...)); diff != "" {
			w.t.Errorf("inbound rules after the approval (-want +got):\n%s", diff)
		}
		return
	}
	w.t.Errorf("no plan of %s waits for an approval", id)
}

// rollBackAll takes back everything that is in effect, the latest first; an
// earlier one is refused while a later one of the same resource stands.
func (w *motoWorld) rollBackAll() {
	w.t.Helper()
	for _, id := range w.inEffect() {
		if out, errOut, code := w.dera("rollback", id, "--reason", "test"); code != exitGood {
			w.t.Fatalf("rollback %s: got exit code %d\n%s%s", id, code, out, errOut)
		}
		if _, errOut, code := w.dera("rollback", id, "--reason", "again"); code != exitNo {
			w.t.Errorf("second rollback of %s: got exit code %d, want %d\n%s", id, code, exitNo, errOut)
		}
	}
}

// inEffect lists the resolved remediations, the latest first.
func (w *motoWorld) inEffect() []string {
	w.t.Helper()
	out, _, _ := w.dera("audit", "show", "--output", "json")
	var records []struct {
		Remediation, State string
	}
	if err := json.Unmarshal([]byte(out), &records); err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, r := range records {
		if r.State == "resolved" {
			ids = append([]string{r.Remediation}, ids...)
		}
	}
	return ids
}
