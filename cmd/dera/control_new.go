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

var controlName = regexp.MustCompile(`^([a-z][a-z0-9]*)-([a-z0-9]+(?:-[a-z0-9]+)+)$`)

func newControlNewCommand(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "new ID",
		Short: "Write the two files of a new control into the source tree",
		Long:  "new writes controls/SERVICE/NAME.go and NAME.txtar and says which line to add. ID is SERVICE-WHAT-IS-WRONG.",
		Args:  args(cobra.ExactArgs(1)),
		RunE:  func(_ *cobra.Command, list []string) error { return a.newControl(dir, list[0]) },
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "root of the source tree")
	return cmd
}

func (a *app) newControl(dir, id string) error {
	m := controlName.FindStringSubmatch(id)
	if m == nil {
		return usage("%q is no control ID; it reads SERVICE-WHAT-IS-WRONG, for example ec2-securitygroup-database-open", id)
	}
	service, name := m[1], strings.ReplaceAll(m[2], "-", "_")
	about, ok := scaffoldOf(service, m[2])
	if !ok {
		return usage("dera reads no resources of the service %q yet: package resource wants the type first (docs/architecture.md)", service)
	}
	if _, err := os.Stat(filepath.Join(dir, "controls", "controls.go")); err != nil {
		return usage("%s is not the root of dera's source tree: %v", dir, err)
	}
	folder := filepath.Join(dir, "controls", service)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var camel string
	for _, part := range strings.Split(name, "_") {
		camel += strings.ToUpper(part[:1]) + part[1:]
	}
	goFile, cases := filepath.Join(folder, name+".go"), filepath.Join(folder, name+".txtar")
	for file, text := range map[string]string{
		goFile: strings.NewReplacer("@SERVICE", service, "@NAME", camel, "@ID", id, "@CONFIG", about.config, "@TYPE", about.typ, "@READS", about.reads).Replace(controlScaffold),
		cases:  strings.NewReplacer("@ID", id, "@SAMPLE", about.sample).Replace(casesScaffold),
	} {
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return usage("%s exists already", file)
		}
		if err != nil {
			return err
		}
		if _, err := f.WriteString(text); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.out, "wrote %s and %s\nadd to the list in controls/controls.go:\n\t\t%s.%s(),\nthen: go test ./controls/...\n", goFile, cases, service, camel)
	return nil
}

// scaffold is what a new control of a resource type begins with.
type scaffold struct {
	config, typ, reads string
	sample             string // a configuration with nothing wrong
}

// scaffoldOf chooses the resource type by the ID of the control: SERVICE-WHAT.
func scaffoldOf(service, what string) (scaffold, bool) {
	switch {
	case service == "ec2":
		return scaffold{"SecurityGroup", "SecurityGroupType", "groupReads()", `{"id": "sg-1", "name": "x", "owner": "111122223333", "ingress": [], "egress": []}`}, true
	case service == "s3" && strings.HasPrefix(what, "account"):
		return scaffold{"AccountBlock", "AccountBlockType", "bucketReads()", `{"account": "111122223333"}`}, true
	case service == "s3":
		return scaffold{"Bucket", "BucketType", "bucketReads()", `{"name": "x", "owner": "111122223333", "region": "eu-central-1", "owner_id": "c0ffee"}`}, true
	}
	return scaffold{}, false
}

const controlScaffold = `package @SERVICE

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// @NAME finds … (say what is wrong).
func @NAME() control.Control {
	return control.Define(control.Spec[*resource.@CONFIG]{
		Meta: control.Meta{
			ID:         "@ID",
			Title:      "…",
			Type:       resource.@TYPE,
			Severity:   dera.Medium,
			Why:        "…",
			Fix:        "None: the owner is told.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "…", Disposition: dera.Alert, Because: "…"},
			},
			Refs:     []control.Ref{{Standard: "…", ID: "…", URL: "https://…"}},
			Reads:    @READS,
			Owner:    "…",
			ReviewBy: "2027-01-01",
		},
		Check: func(c *resource.@CONFIG, s control.Settings) control.Result {
			return control.Result{Outcome: control.Pass}
		},
	})
}
`

const casesScaffold = `Cases of @ID. Each NAME.json is a configuration; NAME.want says what the
control finds: "pass", or one line a failure, KEY DISPOSITION SEVERITY, and the
diff of the plan after a line "plan".

-- good.json --
@SAMPLE
-- good.want --
pass
`
