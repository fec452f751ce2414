package imageblock

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
)

// Off finds regions in which machine images can be made public.
func Off() control.Control {
	return Kind().Control(control.Meta{
		ID: "ec2-imageblock-off", Title: "Public access to machine images is not blocked", Severity: dera.High,
		Why:        "One call publishes an image with all that is on its disks. The block refuses it, whoever calls.",
		Fix:        "New public sharing of images is blocked in the region. Images that are public stay so, and sharing with accounts and organisations stays.",
		Complexity: "low",
		Cases: []control.Case{
			{When: "it is not blocked", Disposition: dera.Review, Because: "the write is tested against AWS's model only, and shows after up to ten minutes; and where images are public, which the finding names, somebody publishes the next one"},
			{When: "a declarative policy of the organisation sets it", Disposition: dera.Review, Because: "the account cannot change it; no plan is made"},
		},
		Refs: []control.Ref{
			{Standard: "Amazon EC2", ID: "Block public access to AMIs", URL: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html"},
		},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}, func(s *regional.Setting) (dera.Disposition, string) {
		switch {
		case !s.UsesRead:
			return dera.Review, "Whether images are published from here is not known."
		case len(s.Uses) > 0:
			return dera.Review, "These images are public, and the next one could not be: " + strings.Join(s.Uses, ", ") + "."
		}
		return dera.Review, "No image of the region is public. The write is tested against AWS's model only, so a person decides."
	})
}
