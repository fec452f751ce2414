package evaluate

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

func lastBy(actor, agent string) func(*Case) {
	return func(c *Case) { c.Finding.LastActor, c.Finding.LastAgent = actor, agent }
}

func TestGuardrailsOfCodeAndFlapping(t *testing.T) {
	t.Parallel()
	const deployer, eve = "arn:aws:sts::111122223333:assumed-role/deployer/ci", "arn:aws:iam::111122223333:user/eve"
	declared := Code{Principals: []string{"arn:aws:iam::*:role/ci/deployer"}}
	returns := func(actor, agent string, ago ...time.Duration) func(*Case) {
		return func(c *Case) {
			c.Finding.LastActor, c.Finding.LastAgent = actor, agent
			for _, d := range ago {
				c.Finding.Returns = append(c.Finding.Returns, noon.Add(-d))
			}
		}
	}
	flap := Flapping{Now: atNoon, Code: declared}
	thrice := []time.Duration{3 * time.Hour, 2 * time.Hour, time.Hour}
	tests := []struct {
		name   string
		rail   Guardrail
		change func(c *Case)
		want   dera.Disposition
		why    string
		ref    string
	}{
		{name: "nobody_says_code", rail: Code{}, change: tagsOf(map[string]string{"managed-by": "hand", "terraform": "false"}), want: dera.Auto},
		{name: "cloudformation_tag", rail: Code{}, change: tagsOf(map[string]string{"aws:cloudformation:stack-name": "net"}), want: dera.Review, why: "CloudFormation owns it", ref: resource.CloudFormation},
		{name: "terraform_tag", rail: Code{}, change: tagsOf(map[string]string{"Terraform": "true"}), want: dera.Review, why: `its tag "Terraform"`, ref: resource.Terraform},
		{name: "managed_by_cdk", rail: Code{}, change: tagsOf(map[string]string{"ManagedBy": "CDK v2"}), want: dera.Review, ref: resource.CloudFormation},
		{name: "managed_by_pulumi", rail: Code{}, change: tagsOf(map[string]string{"managed-by": "pulumi"}), want: dera.Review, ref: resource.Terraform},
		{name: "own_tags_replace_the_default", rail: Code{Tags: map[string]string{"repo": "*"}}, change: tagsOf(map[string]string{"terraform": "true"}), want: dera.Auto},
		{name: "own_tag", rail: Code{Tags: map[string]string{"repo": "*"}}, change: tagsOf(map[string]string{"Repo": "x"}), want: dera.Review, why: "infrastructure as code owns it", ref: resource.Terraform},
		{name: "program_terraform", rail: Code{}, change: lastBy(eve, "APN/1.0 HashiCorp/1.0 Terraform/1.9.0"), want: dera.Review, why: "the program of its last change", ref: resource.Terraform},
		{name: "program_cloudformation", rail: Code{}, change: lastBy(eve, "cloudformation.amazonaws.com"), want: dera.Review, ref: resource.CloudFormation},
		{name: "program_cdk", rail: Code{}, change: lastBy(eve, "aws-cdk/2.1"), want: dera.Review, ref: resource.CloudFormation},
		{name: "program_console", rail: Code{}, change: lastBy(eve, "console.amazonaws.com"), want: dera.Auto},
		{name: "program_of_somebody_not_declared", rail: declared, change: lastBy(eve, "Terraform/1.9.0"), want: dera.Auto},
		{name: "program_of_a_declared_principal", rail: declared, change: lastBy(deployer, "Terraform/1.9.0"), want: dera.Review, ref: resource.Terraform},

		{name: "never_came_back", rail: flap, want: dera.Auto, why: "0 times"},
		{name: "came_back_twice", rail: flap, change: returns(eve, "", 2*time.Hour, time.Hour), want: dera.Auto, why: "2 times"},
		{name: "came_back_long_ago", rail: flap, change: returns(deployer, "", 50*time.Hour, 49*time.Hour, 24*time.Hour, time.Hour), want: dera.Auto, why: "1 time within"},
		{name: "somebody_keeps_bringing_it_back", rail: flap, change: returns(eve, "", thrice...), want: dera.Auto, why: "ATTENTION: it came back 3 times"},
		{name: "nobody_is_known_to_bring_it_back", rail: flap, change: returns("", "", thrice...), want: dera.Auto, why: "ATTENTION"},
		{name: "a_program_is_not_a_principal", rail: flap, change: returns(eve, "Terraform/1.9.0", thrice...), want: dera.Auto, why: "ATTENTION"},
		{name: "declared_code_brings_it_back", rail: flap, change: returns(deployer, "Terraform/1.9.0", thrice...), want: dera.Review, why: "dera stops", ref: resource.Terraform},
		{name: "declared_code_of_cloudformation", rail: flap, change: returns(deployer, "cloudformation.amazonaws.com", thrice...), want: dera.Review, ref: resource.CloudFormation},
		{name: "other_numbers", rail: Flapping{Now: atNoon, Code: declared, Most: 1, Window: 30 * time.Minute}, change: returns(deployer, "", time.Hour), want: dera.Auto},
		{name: "other_numbers_reached", rail: Flapping{Now: atNoon, Code: declared, Most: 1, Window: 2 * time.Hour}, change: returns(deployer, "", time.Hour), want: dera.Review, why: "came back 1 time within 2 hours", ref: resource.Terraform},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := tt.rail.Check(t.Context(), caseOf(tt.change))
			if err != nil || r.Disposition != tt.want || !strings.Contains(r.Why, tt.why) || r.Ref != tt.ref {
				t.Errorf("got %s %q ref %q, %v, want %s with %q, ref %q", r.Disposition, r.Why, r.Ref, err, tt.want, tt.why, tt.ref)
			}
			r.Guardrail = tt.rail.Name()
			if lang, ok := CodeLanguage(dera.Decision{Reasons: []dera.Reason{r}}); ok != (tt.want == dera.Review) || lang != tt.ref {
				t.Errorf("language of the diff: got %q, %t, want %q", lang, ok, tt.ref)
			}
		})
	}
}

func TestFlappingBacksOff(t *testing.T) {
	t.Parallel()
	var f dera.Finding
	g := Flapping{Now: atNoon}
	for i, want := range []time.Duration{0, 0, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour} {
		f.Returns = append(f.Returns, noon.Add(time.Duration(i)*time.Minute))
		at := g.NotBefore(f, noon.Add(time.Hour))
		if want == 0 && !at.IsZero() || want > 0 && at.Sub(f.Returns[i]) != want {
			t.Errorf("return %d: got %s, want %s after it", i+1, at, want)
		}
	}
	if at := g.NotBefore(f, noon.Add(48*time.Hour)); !at.IsZero() {
		t.Errorf("two days later: got %s, want no wait", at)
	}
}
