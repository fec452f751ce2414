package trust_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam/trust"
)

const (
	foreign = "999900001111"
	root    = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999900001111:root"},"Action":["sts:AssumeRole","sts:TagSession"]}`
	deploy  = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999900001111:role/deploy"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"s3cr3t-of-deploy"}}}`
	org     = `{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`
	tags    = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999900001111:root"},"Action":"sts:TagSession"}`
	service = `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`
)

func trusting(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func prove(t *testing.T, z reason.Zone, old, after string) dera.Evidence {
	t.Helper()
	z.Accounts = append(z.Accounts, "111122223333")
	ev, err := trust.Prove(trust.Change{Role: "arn:aws:iam::111122223333:role/app", Old: old, New: after, House: document.House{Account: "111122223333"}, Zone: z},
		[]control.Failure{{Key: trust.AccountKey + foreign}}, map[string]resource.Use{foreign: {}})
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// verdict is that on the claim about declared ones; "" where there is none.
func verdict(ev dera.Evidence) dera.Verdict {
	i := slices.IndexFunc(ev.Claims, func(c dera.Claim) bool { return c.Name == "declared_kept" })
	if i < 0 {
		return ""
	}
	return ev.Claims[i].Verdict
}

// TestDeclaredKept: that an account goes takes nothing from those of it who are declared,
// by name or by organisation; a plan that does is not proved.
func TestDeclaredKept(t *testing.T) {
	t.Parallel()
	byName, byOrg := reason.Zone{Principals: []string{"arn:aws:iam::999900001111:role/deploy"}}, reason.Zone{Organizations: []string{"o-a1b2c3d4e5"}}
	free := strings.Replace(deploy, `,"Condition":{"StringEquals":{"sts:ExternalId":"s3cr3t-of-deploy"}}`, "", 1)
	for name, tc := range map[string]struct {
		zone       reason.Zone
		old, after string
		want       dera.Verdict
	}{
		"by_name":                      {byName, trusting(service, root, free), trusting(service, free, tags), dera.Proved},
		"by_name_loses_tags":           {byName, trusting(service, root, free), trusting(service, free), dera.Refuted},
		"by_name_goes":                 {byName, trusting(service, root, free), trusting(service, tags), dera.Refuted},
		"by_name_had_no_tags":          {byName, trusting(service, strings.Replace(root, `,"sts:TagSession"`, "", 1), free), trusting(service, free), dera.Proved},
		"by_name_with_a_secret":        {byName, trusting(service, deploy, tags), trusting(service, deploy, tags), dera.Proved},
		"by_name_with_a_secret_goes":   {byName, trusting(service, deploy, tags), trusting(service, tags), dera.Refuted},
		"by_organisation":              {byOrg, trusting(service, root, org), trusting(service, org, tags), dera.Proved},
		"by_organisation_loses_tags":   {byOrg, trusting(service, root, org), trusting(service, org), dera.Refuted},
		"by_organisation_goes":         {byOrg, trusting(service, root, org), trusting(service, tags), dera.Refuted},
		"nobody":                       {reason.Zone{}, trusting(service, root), trusting(service), ""},
		"organisation_of_someone":      {reason.Zone{}, trusting(service, root, org), trusting(service, org), ""},
		"denied_besides":               {byName, trusting(service, root, free), trusting(service, free, tags, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::999900001111:role/deploy"},"Action":"sts:TagSession"}`), dera.Refuted},
		"under_one_more_condition":     {byName, trusting(service, root, free), trusting(service, deploy, tags), dera.Refuted},
		"beside_a_principal_that_goes": {byName, trusting(service, strings.Replace(free, `"arn:aws:iam::999900001111:role/deploy"`, `["arn:aws:iam::999900001111:role/deploy","arn:aws:iam::999900001111:user/x"]`, 1)), trusting(service, free), dera.Proved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev := prove(t, tc.zone, tc.old, tc.after)
			got := verdict(ev)
			if tc.want == dera.Refuted && got == dera.Unknown {
				got = dera.Refuted // not proved is what counts
			}
			if got != tc.want || tc.want == dera.Refuted && ev.Proved() {
				t.Errorf("got %q, want %q: %+v", verdict(ev), tc.want, ev.Claims)
			}
			if strings.Contains(string(ev.Body), "s3cr3t") {
				t.Errorf("the evidence tells a secret: %s", ev.Body)
			}
			blob, _, err := ev.Blob()
			if err != nil {
				t.Fatal(err)
			}
			if err := evidence.Check(blob, trust.Evidence()); err != nil {
				t.Errorf("the evidence does not check: %v", err)
			}
		})
	}
}

// TestDeclaredKeptForged: the claim is decided from the body alone, and whatever is bent
// in it shows.
func TestDeclaredKeptForged(t *testing.T) {
	t.Parallel()
	z := reason.Zone{Organizations: []string{"o-a1b2c3d4e5"}}
	ev := prove(t, z, trusting(service, root, org), trusting(service, org, tags))
	for how, bend := range map[string]func(*trust.Change){
		"no certificate":          func(c *trust.Change) { c.DeclaredKept = "" },
		"another's certificate":   func(c *trust.Change) { c.DeclaredKept = c.NothingNew },
		"the declared lose":       func(c *trust.Change) { c.New = trusting(service, tags) },
		"their sessions lose":     func(c *trust.Change) { c.New = trusting(service, org) },
		"nobody is declared":      func(c *trust.Change) { c.Zone.Organizations = nil },
		"nobody is, and no proof": func(c *trust.Change) { c.Zone.Organizations, c.DeclaredKept = nil, "" },
		"the account is another":  func(c *trust.Change) { c.Goals = []string{"account/888800002222"} },
		"they were never told":    func(c *trust.Change) { c.Old = trusting(service, root) },
		"they were, and no proof": func(c *trust.Change) { c.Old, c.DeclaredKept = trusting(service, root), "" },
		"the certificate is broken": func(c *trust.Change) {
			c.DeclaredKept = strings.Replace(c.DeclaredKept, "sts:TagSession", "sts:SetContext", 1)
		},
	} {
		var c trust.Change
		if err := json.Unmarshal(ev.Body, &c); err != nil {
			t.Fatal(err)
		}
		bend(&c)
		body, err := dera.CanonicalJSON(c)
		if err != nil {
			t.Fatal(err)
		}
		forged := ev
		forged.Body = body
		blob, _, err := forged.Blob()
		if err != nil {
			t.Fatal(err)
		}
		if evidence.Check(blob, trust.Evidence()) == nil {
			t.Errorf("%s: the evidence checks", how)
		}
	}
}

// TestAssumes: whatever lets somebody assume a role is about that, however it is written;
// what is about sessions alone is not.
func TestAssumes(t *testing.T) {
	t.Parallel()
	for element, want := range map[string]bool{
		`"Action":"sts:AssumeRole"`: true, `"Action":"STS:assumerole"`: true, `"Action":"sts:Assume*"`: true, `"Action":"sts:*"`: true, `"Action":"*"`: true, `"Action":"*:*"`: true,
		`"Action":"**"`: true, `"Action":"*:**"`: true, `"Action":"s?s:AssumeRole"`: true, `"Action":"sts:A?sumeRole"`: true, `"Action":"sts:AssumeRoleWith*"`: true,
		`"Action":["sts:TagSession","sts:*Role"]`: true, `"Action":"sts:AssumeRoleAsYetUnknown"`: true,
		`"NotAction":"sts:TagSession"`: true, `"NotAction":["sts:TagSession","sts:SetSourceIdentity"]`: true, `"NotAction":"s3:*"`: true, `"NotAction":"?ts:AssumeRole*"`: true,
		`"NotAction":"sts:AssumeRole"`: true, `"NotAction":"sts:AssumeRoleWith*"`: true,
		`"Action":"sts:TagSession"`: false, `"Action":"sts:Tag*"`: false, `"Action":"sts:Set*"`: false, `"NotAction":"sts:Assume*"`: false, `"NotAction":"sts:*"`: false, `"NotAction":"*"`: false,
		`"Action":"s3:*"`: false, `"Action":"sts:AssumeRoot"`: false,
	} {
		doc, err := policy.Parse(trusting(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999900001111:root"},` + element + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := trust.Assumes(&doc.Statements[0]); got != want {
			t.Errorf("%s: got %t, want %t", element, got, want)
		}
		list, _ := trust.Outsiders(doc, reason.Zone{Accounts: []string{"111122223333"}})
		if (len(list) == 1) != want {
			t.Errorf("%s: got %+v, want the account found: %t", element, list, want)
		}
	}
}
