package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/resource/role"
)

// TestCustomFixesAreValidated: each fault of custom_fixes has its file, line and field, and
// says what to write.
func TestCustomFixesAreValidated(t *testing.T) {
	t.Parallel()
	const fix = "custom_fixes: [{control: kms-key-rotation-off, "
	const run = "run: {document: Acme-Fix, role: fix}"
	for _, tt := range []struct{ name, text, want, says string }{
		{"document", fix + "run: {document: Acme-Fix, role: ops/fix, version: '3', timeout: 1h, parameters: {A: '{resource_arn}', B: [x, '{account}/{region}']}}}]", "", ""},
		{"document_of_aws", fix + "run: {document: AWSConfigRemediation-EnableKeyRotation, role: fix, parameters: {KeyId: '{resource_id}'}}}]", "", ""},
		{"function_with_undo", fix + "run: {function: acme_fix, version: '7', parameters: {key: '{resource_id}'}}, undo: {function: acme_undo, version: '1'}}]", "", ""},
		{"two_accounts", "custom_fixes: [{control: kms-key-rotation-off, account: '111122223333', " + run + "}, {control: kms-key-rotation-off, account: '4444*', " + run + "}]", "", ""},
		{"nothing", "custom_fixes: [{control: kms-key-rotation-off}]", "custom_fixes[0].run", "a document or a function"},
		{"both", fix + "run: {document: Acme-Fix, function: f}}]", "custom_fixes[0].run", "one of both"},
		{"glob", "custom_fixes: [{control: 'kms-*', " + run + "}]", "custom_fixes[0].control", "is no control"},
		{"about_use", "custom_fixes: [{control: iam-signin-no-mfa, " + run + "}]", "custom_fixes[0].control", "it has no fix"},
		{"account", fix + "account: production, " + run + "}]", "custom_fixes[0].account", "twelve digits"},
		{"twice", "custom_fixes: [{control: kms-key-rotation-off, " + run + "}, {control: kms-key-rotation-off, " + run + "}]", "custom_fixes[1]", "remove one"},
		{"document_by_arn", fix + "run: {document: 'arn:aws:ssm:us-east-1:444455556666:document/Fix'}}]", "custom_fixes[0].run.document", "the name of a document alone"},
		{"default_version", fix + "run: {document: Acme-Fix, version: $LATEST}}]", "custom_fixes[0].run.version", "write a number"},
		{"function_without_version", fix + "run: {function: f}}]", "custom_fixes[0].run.version", "$LATEST and aliases can change"},
		{"function_by_arn", fix + "run: {function: 'arn:aws:lambda:us-east-1:444455556666:function:f', version: '1'}}]", "custom_fixes[0].run.function", "the name of a function alone"},
		{"function_with_role", fix + "run: {function: f, version: '1', role: r}}]", "custom_fixes[0].run", "which are of documents"},
		{"function_with_a_list", fix + "run: {function: f, version: '1', parameters: {a: [b, c]}}}]", "custom_fixes[0].run.parameters", "is a list"},
		{"role_by_arn", fix + "run: {document: Acme-Fix, role: 'arn:aws:iam::444455556666:role/fix'}}]", "custom_fixes[0].run.role", "in the account of the finding"},
		{"role_of_dera", fix + "run: {document: Acme-Fix, role: ops/fix}}]\naccounts: [{id: '111122223333', role_arn: 'arn:aws:iam::111122223333:role/ops/fix'}]", "custom_fixes[0].run.role", "a role of dera's"},
		{"undo_as_a_role_of_dera", fix + run + ", undo: {document: Acme-Undo, role: w}}]\naccounts: [{id: '111122223333', role_arn: 'arn:aws:iam::111122223333:role/r', write_role_arn: 'arn:aws:iam::111122223333:role/w'}]", "custom_fixes[0].undo.role", "a role of dera's"},
		{"role_of_dera_elsewhere", fix + "account: '4444*', " + run + "}]\naccounts: [{id: '111122223333', role_arn: 'arn:aws:iam::111122223333:role/fix'}, {id: '444455556666', role_arn: 'arn:aws:iam::444455556666:role/d'}]", "", ""},
		{"role_as_parameter", fix + "run: {document: Acme-Fix, parameters: {AutomationAssumeRole: x}}}]", "custom_fixes[0].run.parameters", "as role"},
		{"unknown_placeholder", fix + "run: {document: Acme-Fix, parameters: {a: '{owner}'}}}]", "custom_fixes[0].run.parameters", "braces are only for {resource_arn}"},
		{"reference", fix + "run: {document: Acme-Fix, parameters: {a: '{{ssm:secret}}'}}}]", "custom_fixes[0].run.parameters", "braces are only for"},
		{"half_a_reference", fix + "run: {document: Acme-Fix, parameters: {a: '{{resource_id}}'}}}]", "custom_fixes[0].run.parameters", "braces are only for"},
		{"region_of_what_has_none", "custom_fixes: [{control: iam-accesskey-reported, run: {document: Acme-Fix, parameters: {a: '{region}'}}}]", "custom_fixes[0].run.parameters", "write the region"},
		{"keys_as_value", fix + "run: {document: Acme-Fix, parameters: {a: {b: c}}}}]", "custom_fixes[0].run.parameters", "a is neither a text nor a list"},
		{"number_as_value", fix + "run: {document: Acme-Fix, parameters: {a: [b, 3]}}}]", "custom_fixes[0].run.parameters", "quote each value"},
		{"too_long", fix + "run: {document: Acme-Fix, timeout: 13h}}]", "custom_fixes[0].run.timeout", "from 1m0s to 12h0m0s"},
		{"automatic", fix + "automatic: true, " + run + "}]", "unknown field \"automatic\"", ""},
		{"undo_is_validated", fix + run + ", undo: {document: x}}]", "custom_fixes[0].undo.document", "the name of a document alone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := fileIn(t, dir, "dera.yaml", "version: 1\n"+tt.text+"\n")
			out, errOut, code := said(t, "config", "check", path, "--data", filepath.Join(dir, "data"))
			if tt.want == "" {
				if code != exitGood {
					t.Errorf("got %d, want it valid\n%s%s", code, out, errOut)
				}
				return
			}
			if code != exitUsage || !strings.Contains(errOut, path+":2:") || !strings.Contains(errOut, ": "+tt.want) || !strings.Contains(errOut, tt.says) {
				t.Errorf("got %d, want %s and %q\n%.900s", code, tt.want, tt.says, errOut)
			}
			if n := strings.Count(errOut, path+":"); n != 1 {
				t.Errorf("got %d faults, want one\n%.900s", n, errOut)
			}
		})
	}
}

// TestRoleOfCustomFixes: dera role with the configuration adds just what its custom fixes
// need, each on its own document or function, in the accounts that they are for.
func TestRoleOfCustomFixes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := fileIn(t, dir, "dera.yaml", `version: 1
custom_fixes:
  - control: kms-key-rotation-off
    run: {document: AWSConfigRemediation-EnableKeyRotation, role: ops/fix}
    undo: {function: acme-undo, version: "7"}
  - control: kms-key-rotation-off
    account: "4444*"
    run: {document: Acme-Fix, version: "3", role: fix}
`)
	policies := func(args ...string) (p struct{ Reader, Remediator role.Policy }) {
		t.Helper()
		out, errOut, code := said(t, append([]string{"role", "--account", "111122223333", "--control", "kms-key-rotation-off", "--output", "json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &p); err != nil || code != exitGood {
			t.Fatalf("got %d, %v\n%s%s", code, err, out, errOut)
		}
		return p
	}
	added := func(with, without role.Policy) (out []role.Statement) {
		for _, st := range with.Statement {
			if !slices.ContainsFunc(without.Statement, func(o role.Statement) bool { return cmp.Equal(st, o) }) {
				out = append(out, st)
			}
		}
		return out
	}
	plain, fixes := policies(), policies("--config", path)
	const ssm = "arn:aws:ssm:*:"
	looks := []role.Statement{
		{Sid: "LookAtFixDocuments", Effect: "Allow", Action: []string{"ssm:DescribeDocument", "ssm:GetDocument"}, Resource: []string{ssm + ":document/AWSConfigRemediation-EnableKeyRotation"}},
		{Sid: "LookAtFixRuns", Effect: "Allow", Action: []string{"ssm:GetAutomationExecution"}, Resource: []string{ssm + "111122223333:automation-execution/*"}},
		{Sid: "LookAtFixFunctions", Effect: "Allow", Action: []string{"lambda:GetFunctionConfiguration"}, Resource: []string{"arn:aws:lambda:*:111122223333:function:acme-undo", "arn:aws:lambda:*:111122223333:function:acme-undo:7"}},
	}
	if d := cmp.Diff(looks, added(fixes.Reader, plain.Reader)); d != "" {
		t.Errorf("reader (-want +got):\n%s", d)
	}
	runs := []role.Statement{
		{Sid: "RunFixDocuments", Effect: "Allow", Action: []string{"ssm:StartAutomationExecution"}, Resource: []string{
			ssm + ":document/AWSConfigRemediation-EnableKeyRotation", ssm + ":automation-definition/AWSConfigRemediation-EnableKeyRotation:*", ssm + "111122223333:automation-execution/*",
		}},
		{Sid: "PassFixRoles", Effect: "Allow", Action: []string{"iam:PassRole"}, Resource: []string{"arn:aws:iam::111122223333:role/ops/fix"}, Condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}},
		{Sid: "RunFixFunctions", Effect: "Allow", Action: []string{"lambda:InvokeFunction"}, Resource: []string{"arn:aws:lambda:*:111122223333:function:acme-undo:7"}},
	}
	want := slices.Concat(looks[:2], runs[:2], looks[2:], runs[2:])
	if d := cmp.Diff(want, added(fixes.Remediator, plain.Remediator)); d != "" {
		t.Errorf("remediator (-want +got):\n%s", d)
	}
}
