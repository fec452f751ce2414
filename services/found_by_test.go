package services

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFoundBy: the table names controls that there are, each rule once, and has what the pages of
// the controls say of Security Hub.
func TestFoundBy(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, c := range Controls() {
		known[c.ID] = true
	}
	rules := map[string]bool{}
	for _, l := range foundLines() {
		if key := l.by + " " + l.rule; rules[key] {
			t.Errorf("%s stands twice", key)
		} else {
			rules[key] = true
		}
		if len(l.controls) == 0 || !slices.IsSorted(l.controls) {
			t.Errorf("%s %s: got controls %q, want some, sorted", l.by, l.rule, l.controls)
		}
		for _, id := range l.controls {
			if !known[id] {
				t.Errorf("%s %s leads to %q, which is no control", l.by, l.rule, id)
			}
		}
	}
	if lines := strings.Count(strings.TrimSpace(foundBy), "\n"); lines != len(foundLines()) || lines < 300 {
		t.Errorf("%d of %d lines can be read", len(foundLines()), lines)
	}
	id := regexp.MustCompile(`\b[A-Z][A-Za-z0-9]+\.\d+\b`)
	for _, c := range Controls() {
		var found []string
		for _, f := range FoundBy(c.ID) {
			if f.By == "Security Hub" {
				found = f.Rules
			}
		}
		for _, r := range c.Refs {
			for _, rule := range id.FindAllString(r.ID, -1) {
				if r.Standard == "Security Hub" && !slices.Contains(found, rule) {
					t.Errorf("%s names %s, and the table does not lead from there to it", c.ID, rule)
				}
			}
		}
	}
}

// TestRulesOfOthers: a rule leads to the types of its controls; one of Config is named as its user
// likes, and leads nowhere.
func TestRulesOfOthers(t *testing.T) {
	t.Parallel()
	w := Watch()
	for rule, want := range map[string]string{
		"EC2.13": "AWS::EC2::SecurityGroup", "CIS 1.2.0/4.1": "AWS::EC2::SecurityGroup", "CIS 3.0.0/3.6": "AWS::KMS::Key", "PCI.EC2.5": "AWS::EC2::SecurityGroup",
		"Recon:EC2/PortProbeEMRUnprotectedPort": "AWS::EC2::SecurityGroup", "ec2_instance_imdsv2_enabled": "AWS::EC2::Instance",
		"IAM.15": "AWS::IAM::AccountPasswordPolicy", "restricted-ssh": "", "EC2.1300": "", "": "",
	} {
		if got := strings.Join(w.TypesOf(rule), " "); got != want {
			t.Errorf("%q: got %q, want %q", rule, got, want)
		}
	}
}
