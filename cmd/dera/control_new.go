package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

var controlName = regexp.MustCompile(`^([a-z][a-z0-9]*)-([a-z][a-z0-9]*)-([a-z0-9]+(?:-[a-z0-9]+)*)$`)

func newControlNewCommand(a *cli) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "new ID",
		Short: "Write the two files of a new control into the source tree",
		Long:  "new writes services/SERVICE/TYPE/WHAT.go and WHAT.txtar and says which line to add. ID is SERVICE-TYPE-WHAT-IS-WRONG.",
		Args:  args(cobra.ExactArgs(1)),
		RunE:  func(_ *cobra.Command, list []string) error { return a.newControl(dir, list[0]) },
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "root of the source tree")
	return cmd
}

// configOf finds the configuration type in the file that defines a resource type.
var configOf = regexp.MustCompile(`resource\.Spec\[(\w+)\]`)

func (a *cli) newControl(dir, id string) error {
	m := controlName.FindStringSubmatch(id)
	if m == nil {
		return usage("%q is no control ID; it reads SERVICE-TYPE-WHAT-IS-WRONG, for example ec2-securitygroup-database-open", id)
	}
	if _, err := os.Stat(filepath.Join(dir, "services")); err != nil {
		return usage("%s is not the root of dera's source tree: %w", dir, err)
	}
	folder := filepath.Join(dir, "services", m[1], m[2])
	text, err := os.ReadFile(filepath.Join(folder, "type.go"))
	if err != nil {
		return usage("there is no resource type %s of the service %q yet: make its folder first (CONTRIBUTING.md)", m[2], m[1])
	}
	config := configOf.FindSubmatch(text)
	if config == nil {
		return usage("%s defines no resource type", filepath.Join(folder, "type.go"))
	}
	name := strings.ReplaceAll(m[3], "-", "_")
	var camel string
	for part := range strings.SplitSeq(name, "_") {
		camel += strings.ToUpper(part[:1]) + part[1:]
	}
	goFile, cases := filepath.Join(folder, name+".go"), filepath.Join(folder, name+".txtar")
	for file, text := range map[string]string{
		goFile: strings.NewReplacer("@PACKAGE", m[2], "@NAME", camel, "@ID", id, "@CONFIG", string(config[1])).Replace(controlScaffold),
		cases:  strings.ReplaceAll(casesScaffold, "@ID", id),
	} {
		if err := writeNew(file, text); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.out, "wrote %s and %s\nadd to Controls() in %s:\n\t%s(),\nthen: go test ./services/%s/%s\n", goFile, cases, folder, camel, m[1], m[2])
	return nil
}

// writeNew writes a file that must not be there yet.
func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usage("%s exists already", file)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

const controlScaffold = `package @PACKAGE

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// @NAME finds … (say what is wrong).
func @NAME() control.Control {
	return control.Define(control.Spec[*@CONFIG]{
		Meta: control.Meta{
			ID:         "@ID",
			Title:      "…",
			Type:       Name,
			Severity:   dera.Medium,
			Why:        "…",
			Fix:        "None: dera reports it to the owner.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "…", Disposition: dera.Alert, Because: "…"},
			},
			Refs:     []control.Ref{{Standard: "…", ID: "…", URL: "https://…"}},
			Reads:    Type().Reads(),
			Owner:    "…",
			ReviewBy: "2027-01-01",
		},
		Check: func(c *@CONFIG, s control.Settings) control.Result {
			return control.Result{Outcome: control.Pass}
		},
	})
}
`

const casesScaffold = `Cases of @ID. base.json is a configuration with nothing wrong, and NAME.patch what
is different in a case; NAME.want says what the control finds: "pass", or one line
a failure, KEY DISPOSITION SEVERITY, and the diff of the plan after a line "plan".

-- base.json --
{}
-- good.patch --
{}
-- good.want --
pass
`
