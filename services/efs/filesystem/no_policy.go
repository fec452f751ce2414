package filesystem

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
)

// NoPolicy finds file systems without a policy.
func NoPolicy() control.Control {
	s := Shape()
	return control.Define(control.Spec[*resourcepolicy.Config]{
		Meta: control.Meta{
			ID: "efs-filesystem-no-policy", Title: "EFS file system has no policy", Type: Name, Severity: dera.Medium,
			Why:        "Without a policy, whoever reaches a mount target over the network may read and write the files, as root too.",
			Fix:        "A person writes a policy that names who may mount it; dera does not know who does.",
			Complexity: "medium",
			Cases:      []control.Case{{When: "the file system has no policy", Disposition: dera.Alert, Because: "it is how AWS makes them, and the network may hold it"}},
			Refs:       []control.Ref{{Standard: "Amazon EFS", ID: "default file system policy", URL: "https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html"}},
			Reads:      s.Define().Reads(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(c *resourcepolicy.Config, _ control.Settings) control.Result {
			switch {
			case !c.Read(resourcepolicy.PartPolicy):
				return control.Result{Outcome: control.UnknownResult, Why: "its policy could not be read"}
			case c.Policy != "":
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Failures: []control.Failure{{
				Key: "policy/none", Start: dera.Alert, Severity: dera.Medium, Title: "EFS file system has no policy",
				Why: "The file system has no policy: whoever reaches a mount target may mount it.",
			}}}
		},
	})
}
