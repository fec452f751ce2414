package evaluate

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"

	"github.com/google/go-cmp/cmp"
)

var exemptionNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// entry is a list with one good exemption; pairs replace lines of it by key. An
// empty value leaves the key out.
func entry(pairs ...string) string {
	lines := []struct{ key, value string }{
		{"id", "bastion"}, {"match", "{controls: [ec2-securitygroup-admin-ports-open]}"}, {"owner", "alice"}, {"reason", "until the migration"}, {"expires", "2026-12-31"},
	}
	var b strings.Builder
	b.WriteString("version: 1\nexemptions:\n")
	lead := "  - "
	for _, l := range lines {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == l.key {
				l.value = pairs[i+1]
			}
		}
		if l.value != "" {
			b.WriteString(lead + l.key + ": " + l.value + "\n")
			lead = "    "
		}
	}
	return b.String()
}

func matching(m string) string { return entry("match", m) }

func goodExemptions() map[string]string {
	return map[string]string{
		"one":                entry(),
		"none":               "version: 1\nexemptions: []\n",
		"comments_and_start": "# exemptions\n---\n" + entry() + "# end\n",
		"windows_lines":      strings.ReplaceAll(entry(), "\n", "\r\n"),
		"quoted_keys":        strings.Replace(entry(), "id:", `"id":`, 1),
		"moment":             entry("expires", "2026-12-31T18:00:00+02:00"),
		"moment_quoted":      entry("expires", `"2026-12-31T18:00:00.5Z"`),
		"expired":            entry("expires", "2020-01-01"),
		"folded_reason":      entry("reason", "|\n      until: the\n      migration"),
		"all_fields": matching(`
      controls: ["ec2-securitygroup-*", ec2-securitygroup-admin-ports-open]
      accounts: ["012345678901"]
      ous: [ou-ab12-34567890]
      resources: ["arn:aws:ec2:*:012345678901:security-group/sg-*", 'arn:aws:s3:::bucket']
      keys: [tcp/22]
      tags: {team: "net*", "a b": c}`),
		"wide_with_narrow": matching(`{controls: ["*"], accounts: ["012345678901"]}`),
		"tags_only":        matching(`{tags: {exempt: "*"}}`),
		"arn_of_any":       matching(`{resources: ["arn:aws:ec2:*:*:security-group/sg-1"]}`),
		"keep":             keepList(),
		"keep_nothing":     "version: 1\nexemptions: []\nkeep: []\n",
		"keep_of_any_name": keepList(`"arn:aws:iam::*:role/dba"`, `"arn:aws:iam::111122223333:*", "arn:aws:iam::*:r*", "arn:aws:*::*:user/a"`),
		"keep_of_all":      keepList(`"arn:aws:iam::*:role/dba"`, `"*"`),
		"keep_of_a_path":   keepList(`"arn:aws:iam::*:role/dba"`, `"arn:aws:iam::123456789012:role/app/*", "arn:aws:iam::*:user/ops/*"`, `"rds:Restore*"`, `"*"`),
		"keep_of_a_name":   keepList(`"arn:aws:iam::*:role/dba"`, `"arn:aws:iam::123456789012:role/x*", "arn:aws:iam::*:role/*-dba", "arn:aws:iam::*:user/ann?"`, `"rds:Restore*"`, `"*:*"`),
		"keep_everything":  keepList(`"rds:Restore*", kms:CancelKeyDeletion`, `"*"`),
		"unicode":          entry("reason", "für die Umstellung ✓"),
		"two":              entry() + strings.SplitAfterN(entry("id", "other"), "\n", 3)[2],
	}
}

// bad is a list that the loader refuses; the schema cannot see the fault where
// beyondSchema is set.
type bad struct {
	text         string
	beyondSchema bool
}

func badExemptions() map[string]bad {
	return map[string]bad{
		"empty":                   {text: ""},
		"comments_only":           {text: "# nothing\n"},
		"text":                    {text: "hello\n"},
		"list_at_top":             {text: "- version: 1\n"},
		"no_version":              {text: "exemptions: []\n"},
		"version_2":               {text: "version: 2\nexemptions: []\n"},
		"version_as_text":         {text: "version: \"1\"\nexemptions: []\n"},
		"no_exemptions":           {text: "version: 1\n"},
		"exemptions_null":         {text: "version: 1\nexemptions:\n"},
		"exemptions_as_mapping":   {text: "version: 1\nexemptions: {id: a}\n"},
		"entry_as_text":           {text: "version: 1\nexemptions: [bastion]\n"},
		"unknown_key":             {text: strings.Replace(entry(), "owner", "ownr", 1)},
		"unknown_key_far_away":    {text: entry() + "    severity: low\n"},
		"unknown_key_at_top":      {text: entry() + "exemption: []\n"},
		"unknown_key_in_match":    {text: matching(`{control: [a]}`)},
		"key_of_other_case":       {text: strings.Replace(entry(), "owner", "Owner", 1)},
		"key_twice":               {text: entry() + "    owner: bob\n"},
		"key_not_text":            {text: entry() + "    1: bob\n"},
		"id_missing":              {text: entry("id", "")},
		"id_twice":                {text: entry() + strings.SplitAfterN(entry(), "\n", 3)[2], beyondSchema: true},
		"id_with_blank":           {text: entry("id", "a b")},
		"id_as_number":            {text: entry("id", "12")},
		"owner_missing":           {text: entry("owner", "")},
		"owner_blank":             {text: entry("owner", `"  "`)},
		"owner_null":              {text: entry("owner", "null")},
		"owner_true":              {text: entry("owner", "true")},
		"owner_as_list":           {text: entry("owner", "[alice]")},
		"reason_missing":          {text: entry("reason", "")},
		"reason_blank":            {text: entry("reason", "' '")},
		"reason_with_colon":       {text: entry("reason", "see: the ticket")},
		"reason_with_control":     {text: entry("reason", `"a\ab"`), beyondSchema: true},
		"expires_missing":         {text: entry("expires", "")},
		"expires_german":          {text: entry("expires", "31.12.2026")},
		"expires_no_such_day":     {text: entry("expires", "2026-02-30"), beyondSchema: true},
		"expires_never":           {text: entry("expires", "never")},
		"expires_as_number":       {text: entry("expires", "20261231")},
		"expires_without_zone":    {text: entry("expires", "2026-12-31T18:00:00")},
		"match_missing":           {text: entry("match", "")},
		"match_empty":             {text: matching("{}")},
		"match_null":              {text: matching("null")},
		"match_as_list":           {text: matching("[a]")},
		"match_list_empty":        {text: matching("{controls: []}")},
		"match_list_as_text":      {text: matching("{controls: ec2-securitygroup-admin-ports-open}")},
		"match_blank":             {text: matching(`{keys: [""]}`)},
		"controls_upper_case":     {text: matching("{controls: [EC2.Admin]}")},
		"accounts_number":         {text: matching("{accounts: [111122223333]}"), beyondSchema: true},
		"accounts_leading_zero":   {text: matching("{accounts: [012345670123]}"), beyondSchema: true},
		"accounts_hexadecimal":    {text: matching("{accounts: [0x1f]}")},
		"accounts_short":          {text: matching(`{accounts: ["1234"]}`)},
		"accounts_glob":           {text: matching(`{accounts: ["1111*"]}`)},
		"resources_not_an_arn":    {text: matching(`{resources: [sg-0123]}`)},
		"resources_few_parts":     {text: matching(`{resources: ["arn:aws:ec2:*"]}`)},
		"resources_short_account": {text: matching(`{resources: ["arn:aws:ec2:eu-west-1:1234:security-group/sg-1"]}`)},
		"tags_empty":              {text: matching("{tags: {}}")},
		"tags_as_list":            {text: matching("{tags: [a]}")},
		"tags_number":             {text: matching("{tags: {a: 1}}")},
		"tags_blank_key":          {text: matching(`{tags: {" ": a}}`), beyondSchema: true},
		"wide_controls":           {text: matching(`{controls: ["*"]}`), beyondSchema: true},
		"wide_accounts":           {text: matching(`{accounts: ["*"]}`), beyondSchema: true},
		"wide_resources":          {text: matching(`{resources: ["*"]}`), beyondSchema: true},
		"wide_arn":                {text: matching(`{resources: ["arn:aws:*:*:*:*"]}`), beyondSchema: true},
		"wide_everywhere":         {text: matching(`{controls: ["**"], accounts: ["*"], ous: ["*?"], keys: ["*"]}`), beyondSchema: true},
		"wide_alternative":        {text: matching(`{controls: [ec2-securitygroup-admin-ports-open, "*"]}`), beyondSchema: true},
		"anchor_and_alias":        {text: entry("owner", "&o alice", "reason", "*o"), beyondSchema: true},
		"merge_key":               {text: entry() + "    <<: {owner: bob}\n", beyondSchema: true},
		"tag":                     {text: entry("id", "!!str 12"), beyondSchema: true},
		"question_mark":           {text: "? version\n: 1\nexemptions: []\n", beyondSchema: true},
		"unquoted_star":           {text: matching("{controls: [*]}")},
		"unquoted_at":             {text: entry("owner", "@alice")},
		"two_documents":           {text: entry() + "---\n" + entry(), beyondSchema: true},
		"document_behind_end":     {text: entry() + "...\n" + entry(), beyondSchema: true},
		"directive":               {text: "%YAML 1.2\n---\n" + entry(), beyondSchema: true},
		"bracket_open":            {text: "version: 1\nexemptions: [\n"},
		"tab":                     {text: "version: 1\nexemptions:\n\t- id: a\n"},
		"deep_brackets":           {text: "version: 1\nexemptions: " + strings.Repeat("[", 9) + strings.Repeat("]", 9) + "\n"},
		"dashes_on_one_line":      {text: "version: 1\nexemptions:\n  - - - a\n"},
		"not_utf8":                {text: entry("reason", "caf\xe9"), beyondSchema: true},
		"keep_null":               {text: "version: 1\nexemptions: []\nkeep:\n"},
		"keep_as_mapping":         {text: "version: 1\nexemptions: []\nkeep: {id: a}\n"},
		"keep_unknown_key":        {text: keepList("owner:", "ownr:")},
		"keep_without_expiry":     {text: keepList("    expires: 2026-12-31\n", "")},
		"keep_without_actions":    {text: keepList(`    actions: ["rds:Restore*", kms:CancelKeyDeletion]`+"\n", "")},
		"keep_without_principals": {text: keepList(`    principals: ["arn:aws:iam::*:role/dba"]`+"\n", "")},
		"keep_no_reason":          {text: keepList("restore test each quarter (OPS-12)", "n/a"), beyondSchema: true},
		"keep_no_actions":         {text: keepList(`["rds:Restore*", kms:CancelKeyDeletion]`, "[]")},
		"keep_no_arn":             {text: keepList("arn:aws:iam::*:role/dba", "dba")},
		"keep_no_action":          {text: keepList("kms:CancelKeyDeletion", "CancelKeyDeletion")},
		"keep_wide":               {text: keepList(`"arn:aws:iam::*:role/dba"`, `"*"`, `"rds:Restore*"`, `"*:*"`), beyondSchema: true},
		"keep_of_everybody":       {text: keepList(`"arn:aws:iam::*:role/dba"`, `"arn:aws:iam::*:role/*", "arn:*:iam::*:user/*"`, `"rds:Restore*"`, `"*:*"`), beyondSchema: true},
		"keep_of_all_roles":       {text: keepList(`"arn:aws:iam::*:role/dba"`, `"arn:aws:iam::*:role/*"`, `"rds:Restore*"`, `"*"`), beyondSchema: true},
		"keep_of_an_account":      {text: keepList(`"arn:aws:iam::*:role/dba"`, `"arn:aws-cn:iam::123456789012:*"`, `"rds:Restore*"`, `"*:?*"`), beyondSchema: true},
		"keep_of_some_accounts":   {text: keepList(`"arn:aws:iam::*:role/dba"`, `"arn:aws:iam::111122223333:role/app", "arn:aws:iam::12*34?:role/*"`, `"rds:Restore*"`, `"*"`), beyondSchema: true},
		"keep_of_all_users_there": {text: keepList(`"arn:aws:iam::*:role/dba"`, `"arn:aws:iam::123456789012:user/?", "arn:aws:iam::123456789012:user/?*"`, `"rds:Restore*"`, `"*"`), beyondSchema: true},
		"keep_of_a_session":       {text: keepList("arn:aws:iam::*:role/dba", "arn:aws:sts::111122223333:assumed-role/dba/*"), beyondSchema: true},
		"keep_of_a_group":         {text: keepList("arn:aws:iam::*:role/dba", "arn:aws:iam::111122223333:group/dba"), beyondSchema: true},
		"keep_id_of_an_exemption": {text: strings.Replace(keepList("id: restore-test", "id: bastion"), "exemptions: []\n", strings.TrimPrefix(entry(), "version: 1\n"), 1), beyondSchema: true},
		"several":                 {text: entry("id", "", "owner", "7", "expires", "soon") + "  - id: bastion\n    matches: {}\n"},
		"behind_wide_characters":  {text: "version: 1\nexemptions: [{id: a, reason: für ✓, ownr: b}]\n"},
	}
}

func TestLoadExemptions_accepts(t *testing.T) {
	t.Parallel()
	for name, text := range goodExemptions() {
		list, err := ExemptionConfig{Now: exemptionNow}.Parse("exemptions.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
			continue
		}
		for _, x := range list.All() {
			if x.ID == "" || x.Owner == "" || x.Reason == "" || x.Expires.IsZero() || x.Position.Line == 0 {
				t.Errorf("%s: got exemption %+v, want all fields", name, x)
			}
		}
	}
}

func TestLoadExemptions_reads_all_fields(t *testing.T) {
	t.Parallel()
	text := goodExemptions()["all_fields"]
	list, err := ExemptionConfig{Now: exemptionNow, Commit: "abc"}.Parse("exemptions.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []dera.Exemption{{
		ID: "bastion", Owner: "alice", Reason: "until the migration",
		Match: dera.ExemptionMatch{
			Controls: []string{"ec2-securitygroup-*", "ec2-securitygroup-admin-ports-open"}, Accounts: []string{"012345678901"}, OUs: []string{"ou-ab12-34567890"},
			Resources: []string{"arn:aws:ec2:*:012345678901:security-group/sg-*", "arn:aws:s3:::bucket"}, Keys: []string{"tcp/22"},
			Tags: map[string]string{"team": "net*", "a b": "c"},
		},
		Expires:  time.Date(2026, 12, 31, 23, 59, 59, 999999999, time.UTC),
		Position: dera.ExemptionFilePos{File: "exemptions.yaml", Line: 3, Commit: "abc"},
	}}
	if d := cmp.Diff(want, list.All()); d != "" {
		t.Errorf("exemptions (-want +got):\n%s", d)
	}
}

// TestLoadExemptions_tells_every_fault holds the words in which each fault is
// told, with its position and the line.
func TestLoadExemptions_tells_every_fault(t *testing.T) {
	t.Parallel()
	cases := badExemptions()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		list, err := ExemptionConfig{Now: exemptionNow}.Parse("exemptions.yaml", []byte(cases[name].text))
		var faults *ExemptionError
		if !errors.As(err, &faults) || list != nil {
			t.Errorf("%s: got %v, %v, want faults and no list", name, list, err)
			continue
		}
		fmt.Fprintf(&b, "=== %s\n%s\n", name, err)
	}
	golden(t, "exemption_errors.golden", b.String())
}

func TestLoadExemptions_refuses_files(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("# comment\n", maxExemptionFile/10+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "missing.yaml"): "no such file", dir: "is a folder", large: "is larger than 1 MiB", os.DevNull: "is not a regular file",
	} {
		list, err := ExemptionConfig{Now: exemptionNow}.Load(path)
		if err == nil || list != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, %v, want no list and an error with %q and the path", list, err, want)
		}
	}
	if _, err := (ExemptionConfig{Now: exemptionNow}).Load(filepath.Join(dir, "missing.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want fs.ErrNotExist within", err)
	}
}

func TestLoadExemptions_names_the_version(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "exemptions.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nexemptions: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := ExemptionConfig{Now: exemptionNow}.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	// printf 'version: 1\nexemptions: []\n' | sha256sum
	if want := "sha256:ca5b90d7a7a6051d53aa46ca14ee05f541e40d4407543ffb4db141bd2e5142cc"; list.Commit != want {
		t.Errorf("got commit %q, want %q", list.Commit, want)
	}
}

func TestLoadExemptions_warns(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cfg     ExemptionConfig
		text    string
		want    []string
		expired int
	}{
		"nothing":              {text: entry()},
		"due_soon":             {text: entry("expires", "2026-06-14"), want: []string{"exemptions[0].expires: lapses on 2026-06-14"}},
		"due_today":            {text: entry("expires", "2026-06-01"), want: []string{"exemptions[0].expires: lapses on 2026-06-01"}},
		"not_yet_due":          {text: entry("expires", "2026-06-15T12:00:01Z")},
		"lapsed":               {text: entry("expires", "2026-05-31"), expired: 1},
		"lapsed_a_moment_ago":  {text: entry("expires", "2026-06-01T11:59:59Z"), expired: 1},
		"holds_for_the_moment": {text: entry("expires", "2026-06-01T12:00:00Z"), want: []string{"exemptions[0].expires: lapses on 2026-06-01"}},
		"far_ahead": {
			text: entry("expires", "2027-06-03"),
			want: []string{"exemptions[0].expires lies more than 366 days ahead: an exemption should come up for review"},
		},
		"just_not_far_ahead": {text: entry("expires", "2027-06-02")},
		"far_by_configuration": {
			cfg: ExemptionConfig{MaxDays: 30}, text: entry(),
			want: []string{"exemptions[0].expires lies more than 30 days ahead: an exemption should come up for review"},
		},
		"control_known":         {cfg: ExemptionConfig{Controls: []string{"ec2-securitygroup-admin-ports-open"}}, text: entry()},
		"control_known_by_glob": {cfg: ExemptionConfig{Controls: []string{"ec2-securitygroup-admin-ports-open"}}, text: matching(`{controls: ["ec2-securitygroup-*"]}`)},
		"control_of_before": {
			cfg: ExemptionConfig{Controls: []string{"ec2-securitygroup-web-ports-open"}}, text: matching(`{controls: [ec2-sg-web-ports-open]}`),
			want: []string{`exemptions[0].match.controls[0] "ec2-sg-web-ports-open" is called ec2-securitygroup-web-ports-open now, and counts as that`},
		},
		"controls_of_before_by_glob": {
			cfg: ExemptionConfig{Controls: []string{"s3-bucket-access-block"}}, text: matching(`{controls: ["s3-*-public-access-block"]}`),
			want: []string{`exemptions[0].match.controls[0] "s3-*-public-access-block" is called s3-account-access-block, s3-bucket-access-block now, and counts as that`},
		},
		"keep_of_no_action": {
			text: keepList("kms:CancelKeyDeletion", `kms:CancelKeyDeletions, "rds:Restaure*", "*:*Restaure*"`),
			want: []string{
				`keep[0].actions[1] "kms:CancelKeyDeletions" is no action that the catalogue knows: it may keep nothing; the nearest are kms:CancelKeyDeletion`,
				`keep[0].actions[2] "rds:Restaure*" matches no action that the catalogue knows: it may keep nothing`,
			},
		},
		"control_unknown": {
			cfg: ExemptionConfig{Controls: []string{"ec2-securitygroup-web-ports-open"}}, text: entry(),
			want: []string{`exemptions[0].match.controls[0] "ec2-securitygroup-admin-ports-open" matches no control: it exempts nothing`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.cfg.Now = exemptionNow
			list, err := tc.cfg.Parse("exemptions.yaml", []byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range list.Warnings {
				got = append(got, w.Message)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("warnings (-want +got):\n%s", d)
			}
			if n := len(list.Expired()); n != tc.expired {
				t.Errorf("got %d expired, want %d", n, tc.expired)
			}
		})
	}
}
