package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The groups of dera --help, in the order in which dera is used.
const (
	groupLook   = "look"
	groupDecide = "decide"
	groupAct    = "act"
	groupProve  = "prove"
	groupSetUp  = "setup"
)

// groups are the groups of dera --help with the commands that they hold.
func groups() []struct {
	id, title string
	commands  []string
} {
	return []struct {
		id, title string
		commands  []string
	}{
		{groupLook, "Look:", []string{"scan", "findings", "waiting", "show", "why", "report", "console", "replay", "demo"}},
		{groupDecide, "Decide:", []string{"approve", "reject", "access", "contain", "incident", "exemptions", "stop", "resume"}},
		{groupAct, "Act:", []string{"run", "remediate", "rollback"}},
		{groupProve, "Prove:", []string{"audit", "backup", "policy", "usage"}},
		{groupSetUp, "Set up:", []string{"config", "notify", "doctor", "role", "pattern", "control", "catalog", "completion", "version", "help"}},
	}
}

// arrange gives every command of the tree its group and its examples, and lets it
// answer mistyped commands and flags. It comes after all commands are there.
func arrange(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		helpOn(help)
	}
	examples := examples()
	for _, g := range groups() {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, name := range g.commands {
			if cmd, _, err := root.Find([]string{name}); err == nil && cmd.Parent() == root {
				cmd.GroupID = g.id
			}
		}
	}
	each(root, func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), "dera ")
		if lines := examples[path]; cmd.Example == "" && len(lines) > 0 {
			cmd.Example = "  " + strings.Join(lines, "\n  ")
		}
		cmd.SuggestionsMinimumDistance = 2
		if cmd.HasSubCommands() && cmd != root {
			subcommandsOnly(cmd)
		}
	})
}

// helpOn lets dera help answer a mistyped command.
func helpOn(help *cobra.Command) {
	help.Run = nil
	help.RunE = func(cmd *cobra.Command, words []string) error {
		on := cmd.Root()
		for _, word := range words {
			next, _, err := on.Find([]string{word})
			if err != nil || next == on {
				return noSuchCommand(on, word)
			}
			on = next
		}
		on.InitDefaultHelpFlag()
		return on.Help()
	}
}

// fitHelp makes help fit the terminal: its texts and its flags. It does without
// templates, with which the linker keeps every method of the AWS SDK.
func fitHelp(root *cobra.Command, width int) {
	each(root, func(cmd *cobra.Command) {
		cmd.Long = refilled(cmd.Long, width)
		fitFlags(cmd.LocalFlags(), width)
	})
}

// fitFlags breaks the descriptions of flags where they would leave the terminal.
func fitFlags(flags *pflag.FlagSet, width int) {
	names := 0
	flags.VisitAll(func(f *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(f)
		names = max(names, len("      --")+len(f.Name)+1+len(kind)+3)
	})
	flags.VisitAll(func(f *pflag.Flag) {
		if left := width - names; left >= 20 {
			const held = "¤" // the place of (default …), which comes after the text
			if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
				f.Usage += strings.Repeat(held, len(` (default "")`+f.DefValue))
			}
			f.Usage = strings.ReplaceAll(refilled(f.Usage, left), held, "")
		}
	})
}

// refilled breaks the lines of a text again, paragraph by paragraph. Indented lines
// stay as they are.
func refilled(text string, width int) string {
	var out []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if strings.HasPrefix(paragraph, " ") || strings.Contains(paragraph, "\n ") {
			out = append(out, paragraph)
			continue
		}
		var lines []string
		for line := range strings.SplitSeq(wrap(paragraph, "", width), "\n") {
			lines = append(lines, strings.TrimSpace(line))
		}
		out = append(out, strings.Join(lines, "\n"))
	}
	return strings.Join(out, "\n\n")
}

// each calls f for a command and everything under it.
func each(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, sub := range cmd.Commands() {
		each(sub, f)
	}
}

// examples are the examples of the commands that have none of their own, by the
// path of the command. A test parses every line with the real flags.
func examples() map[string][]string {
	const id, digest = "r-3fac3345", "c027470cadf47023ee1dee116289e6b8d2535ff4a998ec9702242d4445103f16"
	const role = "arn:aws:iam::111122223333:role/deploy"
	return map[string][]string{
		"dera":                     {"dera demo --exit", "dera scan --profile security", "dera findings"},
		"scan":                     {"dera scan", "dera scan --profile security --region eu-west-1,eu-central-1", "dera scan --apply --config dera.yaml", "dera scan --fail-on high --output sarif --output-file dera.sarif"},
		"findings":                 {"dera findings", "dera findings --all --output json", "dera findings --severity high --owner shop@example.com", "dera findings --waiting", "dera findings --events"},
		"waiting":                  {"dera waiting"},
		"console":                  {"dera console"},
		"notify":                   {"dera notify test", "dera notify list"},
		"notify send":              {"dera notify send --config dera.yaml"},
		"notify retry":             {"dera notify retry chat", "dera notify retry old-chat --drop"},
		"notify list":              {"dera notify list", "dera notify list --finding f-51774"},
		"notify test":              {"dera notify test", "dera notify test chat --config dera.yaml"},
		"show":                     {"dera show f-51774", "dera show " + id + " --output json"},
		"report":                   {"dera report --since 30d --output html --output-file report.html", "dera report --candidates", "dera report --candidates --exemptions-out proposed.yaml"},
		"replay":                   {"dera replay cloudtrail/", "dera replay events.json.gz --output json"},
		"demo":                     {"dera demo --exit"},
		"approve":                  {"dera approve " + id + " --digest " + digest, "dera approve " + id + " --digest " + digest + " --reason CHG-1234"},
		"why":                      {`dera why "User: arn:aws:sts::111122223333:assumed-role/app/i-1 is not authorized to perform: s3:GetObject on resource: …"`, "dera why --from 203.0.113.7 --to sg-0123456789abcdef0 --port 22 --at 2026-11-29T14:05:00Z"},
		"reject":                   {"dera reject " + id + ` --reason "The partner needs it until Friday"`},
		"contain":                  {`dera contain i-0123456789abcdef0 --how quarantine --reason "it mines coins" --region eu-west-1`},
		"access":                   {`dera access request --principal arn:aws:iam::111122223333:role/app --action s3:GetObject --for 8h --reason "the export is denied"`, "dera access list"},
		"access request":           {`dera access request --principal arn:aws:iam::111122223333:role/app --action s3:GetObject --for 8h --reason "the export is denied"`, `dera access request --principal arn:aws:iam::111122223333:role/app --action s3:GetObject,s3:ListBucket --for good --reason "it runs once a quarter"`},
		"access grant":             {"dera access grant a-0c3e --digest 5f2b8c1d9a7e"},
		"access deny":              {`dera access deny a-0c3e --reason "use the export role"`},
		"access list":              {"dera access list", "dera access list --output json"},
		"incident":                 {"dera incident attach f-51774 --reference INC-1234", "dera incident list"},
		"incident attach":          {`dera incident attach f-51774 --reference INC-1234 --reason "The identity provider was down"`},
		"incident list":            {"dera incident list", "dera incident list --output json"},
		"exemptions":               {"dera exemptions check exemptions.yaml"},
		"exemptions check":         {"dera exemptions check exemptions.yaml"},
		"exemptions schema":        {"dera exemptions schema > exemptions.schema.json"},
		"stop":                     {`dera stop --reason "change freeze"`, `dera stop --account 111122223333 --reason "incident 42"`},
		"resume":                   {"dera resume", "dera resume --account 111122223333"},
		"run":                      {"dera run --config dera.yaml", "dera run --config dera.yaml --log-level debug --log-format json", "dera run --config dera.yaml --console 127.0.0.1:9480", "dera run --config dera.yaml --output json"},
		"remediate":                {"dera remediate f-51774"},
		"rollback":                 {"dera rollback " + id + ` --reason "needed for an incident"`, "dera rollback " + id + " --partial"},
		"audit":                    {"dera audit verify", "dera audit export evidence/"},
		"audit verify":             {"dera audit verify", "dera audit verify evidence/ --key audit.pub", "dera audit verify --anchor"},
		"audit show":               {"dera audit show", "dera audit show " + id, "dera audit show 17 --payload"},
		"audit export":             {"dera audit export evidence/", "dera audit export evidence/ --soc2 --since 2026-01-01 --until 2026-07-01"},
		"audit archive":            {"dera audit archive archive/"},
		"backup":                   {"dera backup /backup/dera-2026-11-30.db"},
		"audit reconcile":          {"dera audit reconcile --history cloudtrail/"},
		"policy":                   {"dera policy prove before.json after.json"},
		"policy check":             {"dera policy check role.json", "dera policy check bucket.json --kind resource"},
		"policy diff":              {"dera policy diff before.json after.json"},
		"policy public":            {"dera policy public bucket.json --account 111122223333"},
		"policy check-certificate": {"dera policy check-certificate evidence.json"},
		"usage":                    {"dera usage import cloudtrail/", "dera usage show " + role},
		"usage import":             {"dera usage import cloudtrail/ --keys keys.json --scope scope.json"},
		"usage show":               {"dera usage show " + role},
		"usage gaps":               {"dera usage gaps --account 111122223333 --window 90"},
		"config":                   {"dera config check dera.yaml"},
		"config check":             {"dera config check dera.yaml", "dera config check dera.yaml --output json"},
		"config schema":            {"dera config schema > config.schema.json"},
		"doctor":                   {"dera doctor", "dera doctor --config dera.yaml --profile security"},
		"role":                     {"dera role --kind reader", "dera role --kind remediator --account 111122223333"},
		"pattern":                  {"dera pattern --queue https://sqs.eu-west-1.amazonaws.com/111122223333/dera-events", "dera pattern --output terraform"},
		"control":                  {"dera control list"},
		"control list":             {"dera control list"},
		"control show":             {"dera control show ec2-securitygroup-admin-ports-open"},
		"control new":              {"dera control new ec2-securitygroup-database-open"},
		"catalog":                  {"dera catalog"},
		"catalog update":           {"dera catalog update"},
		"version":                  {"dera version", "dera version --output json"},
		"completion":               {"dera completion bash > /etc/bash_completion.d/dera"},
		"completion bash":          {"dera completion bash > /etc/bash_completion.d/dera", "source <(dera completion bash)"},
		"completion zsh":           {`dera completion zsh > "${fpath[1]}/_dera"`},
		"completion fish":          {"dera completion fish > ~/.config/fish/completions/dera.fish"},
		"completion powershell":    {"dera completion powershell | Out-String | Invoke-Expression"},
		"help":                     {"dera help audit verify"},
	}
}
