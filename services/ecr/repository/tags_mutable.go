package repository

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// TagsMutable finds repositories whose tags can be given to other images.
func TagsMutable() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Repository]{
		Path: "tag_mutability",
		Meta: control.Meta{
			ID: "ecr-repository-tags-mutable", Title: "ECR repository lets tags be given to other images", Severity: dera.Medium,
			Why:        "Whoever may push can put another image behind a tag that is deployed.",
			Fix:        "Tags are immutable: what is pushed under a tag stays.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "a tag can be given to another image", Disposition: dera.Review, Because: "a pipeline that pushes the same tag again, such as latest, would fail at its next run"},
				{When: "some tags are excluded by filters", Disposition: dera.Review, Because: "no plan is made: the filters would be lost, and nothing puts them back"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "ECR.2", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecr-controls.html"},
				{Standard: "AWS Config", ID: "ECR_PRIVATE_TAG_IMMUTABILITY_ENABLED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/ecr-private-tag-immutability-enabled.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		// ECR takes a value with exclusions only together with their filters.
		// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html
		Refuse: func(r *Repository) *control.Refusal {
			if strings.HasSuffix(r.TagMutability, "_WITH_EXCLUSION") {
				return &control.Refusal{Code: "not-alone", Why: "the filters of the tags that are excluded would be lost, and nothing puts them back"}
			}
			return nil
		},
		Start: func(*Repository, control.Settings) (dera.Disposition, string) {
			return dera.Review, "A pipeline that pushes the same tag again would fail at its next run."
		},
	})
}
