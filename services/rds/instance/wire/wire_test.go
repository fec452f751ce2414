package wire_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/rds/instance"
	"dera.example/dera/services/rds/instance/wire"
)

const account, region = cloudtest.Hub, cloudtest.East

// world is an RDS and an EC2 with what a test sets.
type world struct {
	*cloudtest.Server
	instances []string // of all pages, as XML
	rules     string   // as XML; empty: EC2 refuses
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.Server = cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, func(a cloudtest.Asked) (int, string) { return w.answer(a.Form) })
	return w
}

func (w *world) answer(form url.Values) (int, string) {
	const ns = `xmlns="http://rds.amazonaws.com/doc/2014-10-31/"`
	switch form.Get("Action") {
	case "DescribeDBInstances":
		list, marker := w.instances, ""
		if id := form.Get("DBInstanceIdentifier"); id != "" {
			i := slices.IndexFunc(list, func(x string) bool { return strings.Contains(x, "<DBInstanceIdentifier>"+id+"<") })
			if i < 0 {
				return 404, `<ErrorResponse ` + ns + `><Error><Type>Sender</Type><Code>DBInstanceNotFound</Code><Message>DBInstance ` + id + ` not found.</Message></Error></ErrorResponse>`
			}
			list = list[i : i+1]
		} else if len(list) > 1 && form.Get("Marker") == "" {
			list, marker = list[:1], "<Marker>second</Marker>"
		} else if form.Get("Marker") == "second" {
			list = list[1:]
		}
		return 200, `<DescribeDBInstancesResponse ` + ns + `><DescribeDBInstancesResult><DBInstances>` + strings.Join(list, "") + `</DBInstances>` + marker + `</DescribeDBInstancesResult></DescribeDBInstancesResponse>`
	case "ModifyDBInstance":
		return 200, `<ModifyDBInstanceResponse ` + ns + `><ModifyDBInstanceResult/></ModifyDBInstanceResponse>`
	case "DescribeSecurityGroupRules":
		if w.rules != "" {
			return 200, `<DescribeSecurityGroupRulesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><securityGroupRuleSet>` + w.rules + `</securityGroupRuleSet></DescribeSecurityGroupRulesResponse>`
		}
		return 403, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>`
	}
	return 501, "no"
}

func database(id, status, beside string) string {
	return `<DBInstance><DBInstanceIdentifier>` + id + `</DBInstanceIdentifier><DBInstanceArn>arn:aws:rds:` + region + `:` + account + `:db:` + id + `</DBInstanceArn>
<Engine>postgres</Engine><DBInstanceStatus>` + status + `</DBInstanceStatus><PubliclyAccessible>true</PubliclyAccessible><DeletionProtection>false</DeletionProtection>
<AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade><VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId></VpcSecurityGroupMembership></VpcSecurityGroups>` + beside + `</DBInstance>`
}

func rule(source string) string {
	return `<item><groupId>sg-1</groupId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>` + source + `</item>`
}

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: account, Region: region, Type: instance.Name, IDs: ids}
}

func TestRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.instances = []string{
		database("shop", "available", `<TagList><Tag><Key>team</Key><Value>web</Value></Tag></TagList><PendingModifiedValues/>`),
		database("orders", "available", `<PendingModifiedValues><DBInstanceClass>db.r6g.large</DBInstanceClass><MultiAZ>true</MultiAZ></PendingModifiedValues><DBClusterIdentifier>c</DBClusterIdentifier>`),
	}
	w.rules = rule("<cidrIpv4>10.0.0.0/8</cidrIpv4>") + rule("<cidrIpv4>203.0.113.0/24</cidrIpv4>") + rule("<cidrIpv6>::/0</cidrIpv6>") + rule("<prefixListId>pl-1</prefixListId>") +
		rule("<referencedGroupInfo><groupId>sg-2</groupId></referencedGroupInfo>") + strings.Replace(rule("<cidrIpv4>0.0.0.0/0</cidrIpv4>"), "false", "true", 1)
	first, err := w.Read(t.Context(), scope(), true)
	if err != nil || len(first.Resources) != 1 || first.Next != "second" {
		t.Fatalf("first page: got %+v, %v", first, err)
	}
	yes, no := true, false
	want := &instance.Instance{ID: "shop", Engine: "postgres", Public: &yes, DeletionProtection: &no, MinorUpgrade: &yes, Groups: []string{"sg-1"}, Tags: map[string]string{"team": "web"},
		Status: "available", Sources: []string{"203.0.113.0/24", "::/0", "pl-1"}}
	if diff := cmp.Diff(want, first.Resources[0].Config); diff != "" {
		t.Errorf("shop (-want +got):\n%s", diff)
	}
	next := scope()
	next.Page = first.Next
	second, err := w.Read(t.Context(), next, false)
	if err != nil || len(second.Resources) != 1 || second.Next != "" {
		t.Fatalf("second page: got %+v, %v", second, err)
	}
	orders := second.Resources[0].Config.(*instance.Instance)
	if diff := cmp.Diff([]string{"DBInstanceClass", "MultiAZ"}, orders.Pending); diff != "" || orders.Cluster != "c" || orders.Sources != nil {
		t.Errorf("orders: got %+v, want what waits, the cluster, and no sources in a quick look", orders)
	}
	w.rules = ""
	page, err := w.Read(t.Context(), scope("shop", "nothing"), true)
	if err != nil || len(page.Resources) != 1 || !slices.Equal(page.Missing, []string{"nothing"}) {
		t.Fatalf("by ID: got %+v, %v", page, err)
	}
	if c := page.Resources[0].Config.(*instance.Instance); !c.SourcesUnread || page.Resources[0].Unread != "" {
		t.Errorf("EC2 refuses: got %+v, unread %q, want the sources alone to be unknown", c, page.Resources[0].Unread)
	}
}

// TestSourcesOfUnknownGroups: what nobody reports of a security group is not known,
// least of all that it allows private sources alone.
func TestSourcesOfUnknownGroups(t *testing.T) {
	t.Parallel()
	private := rule("<cidrIpv4>10.0.0.0/8</cidrIpv4>")
	with := func(groups string) string {
		text := database("shop", "available", "")
		i, j := strings.Index(text, "<VpcSecurityGroups>"), strings.Index(text, "</VpcSecurityGroups>")
		return text[:i] + "<VpcSecurityGroups>" + groups + text[j:]
	}
	group := func(id string) string {
		return "<VpcSecurityGroupMembership><VpcSecurityGroupId>" + id + "</VpcSecurityGroupId></VpcSecurityGroupMembership>"
	}
	for name, tt := range map[string]struct {
		groups, rules string
		unread        bool
	}{
		"rules_of_its_group":            {group("sg-1"), private, false},
		"a_group_without_rules":         {group("sg-1") + group("sg-2"), private, true},
		"rules_of_another_group_alone":  {group("sg-2"), private, true},
		"no_group_is_reported":          {"", private, true},
		"a_group_with_outbound_alone":   {group("sg-1"), strings.Replace(private, "false", "true", 1), false},
		"its_group_allows_the_internet": {group("sg-1"), rule("<cidrIpv4>0.0.0.0/0</cidrIpv4>"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.instances, w.rules = []string{with(tt.groups)}, tt.rules
			page, err := w.Read(t.Context(), scope("shop"), true)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			if c := page.Resources[0].Config.(*instance.Instance); c.SourcesUnread != tt.unread {
				t.Errorf("got %+v, want the sources unknown: %t", c, tt.unread)
			}
		})
	}
}

// TestForeignAnswers: what is not about the instance is no answer.
func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"of_another_account": strings.ReplaceAll(database("shop", "available", ""), account, "999988887777"),
		"of_another_region":  strings.ReplaceAll(database("shop", "available", ""), region, "eu-west-2"),
		"without_an_arn":     strings.ReplaceAll(database("shop", "available", ""), "DBInstanceArn", "Other"),
	} {
		w := newWorld(t)
		w.instances = []string{answer}
		if page, err := w.Read(t.Context(), scope(), false); !errors.Is(err, cloud.ErrForeignAnswer) {
			t.Errorf("%s: got %+v, %v, want a foreign answer", name, page, err)
		}
	}
}

// TestChange: the change is applied at once, only while nothing waits that would
// come with it, and does not show before RDS says that it is done.
func TestChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rules = rule("<cidrIpv4>10.0.0.0/8</cidrIpv4>")
	w.instances = []string{database("shop", "available", "")}
	page, err := w.Read(t.Context(), scope("shop"), true)
	if err != nil {
		t.Fatal(err)
	}
	c, err := instance.Type().Set(page.Resources[0].Config, instance.Public, false)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: account, Region: region, Resource: page.Resources[0].ARN, Type: instance.Name, Changes: []dera.Change{c}}
	do := func() error {
		_, err := w.Do(t.Context(), p, resource.Of(c), func(context.Context) error { return nil })
		return err
	}
	for status, beside := range map[string]string{"available": "<PendingModifiedValues><EngineVersion>17</EngineVersion></PendingModifiedValues>", "modifying": "", "stopped": ""} {
		w.instances = []string{database("shop", status, beside)}
		if err := do(); !errors.Is(err, cloud.ErrMoved) || len(w.Sent("ModifyDBInstance")) > 0 {
			t.Errorf("%s %s: got %v and %d requests, want nothing sent", status, beside, err, len(w.Sent("ModifyDBInstance")))
		}
	}
	w.instances = []string{database("shop", "available", "")}
	if err := do(); err != nil {
		t.Fatal(err)
	}
	sent := w.Sent("ModifyDBInstance")
	want := url.Values{"Action": {"ModifyDBInstance"}, "Version": {"2014-10-31"}, "DBInstanceIdentifier": {"shop"}, "ApplyImmediately": {"true"}, "PubliclyAccessible": {"false"}}
	if len(sent) != 1 || cmp.Diff(want, sent[0].Form) != "" {
		t.Errorf("sent %v, want %v", sent, want)
	}
	w.instances = []string{database("shop", "modifying", "")}
	var unread *cloud.UnreadError
	if _, err := w.ReadAgain(t.Context(), scope("shop")); !errors.As(err, &unread) {
		t.Errorf("while it is modifying: got %v, want that it is not known", err)
	}
	w.instances = []string{database("shop", "available", "")}
	for _, shows := range []bool{false, true} {
		page, err := w.ReadAgain(t.Context(), scope("shop"))
		if err != nil {
			t.Fatal(err)
		}
		if done, _, err := instance.Type().Effect(page.Resources[0].Config, resource.Of(c)); err != nil || done != shows {
			t.Errorf("effect: got %t, %v, want %t", done, err, shows)
		}
		w.instances = []string{strings.Replace(w.instances[0], "<PubliclyAccessible>true", "<PubliclyAccessible>false", 1)}
	}
}

// TestBackups: the retention is raised and never lowered, and nothing takes it back.
func TestBackups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.instances = []string{database("shop", "available", "<BackupRetentionPeriod>1</BackupRetentionPeriod>")}
	page, err := w.Read(t.Context(), scope("shop"), true)
	if err != nil {
		t.Fatal(err)
	}
	c, err := instance.Type().Set(page.Resources[0].Config, instance.BackupDays, 7)
	if err != nil || c.Undo != nil {
		t.Fatalf("got %+v, %v, want no undo", c.Undo, err)
	}
	p := dera.Plan{Partition: "aws", Account: account, Region: region, Resource: page.Resources[0].ARN, Type: instance.Name, Changes: []dera.Change{c}}
	for days, moved := range map[string]bool{"30": true, "1": false} {
		w.instances = []string{database("shop", "available", "<BackupRetentionPeriod>"+days+"</BackupRetentionPeriod>")}
		if _, err := w.Do(t.Context(), p, resource.Of(c), func(context.Context) error { return nil }); errors.Is(err, cloud.ErrMoved) != moved {
			t.Errorf("%s days now: got %v", days, err)
		}
	}
	if sent := w.Sent("ModifyDBInstance"); len(sent) != 1 || sent[0].Form.Get("BackupRetentionPeriod") != "7" {
		t.Errorf("sent %v, want one request for 7 days", sent)
	}
}
