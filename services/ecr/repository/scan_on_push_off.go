package repository

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// ScanOnPushOff finds repositories whose images are not scanned when they are pushed.
func ScanOnPushOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Repository]{
		Path: "scan_on_push",
		Meta: control.Meta{
			ID: "ecr-repository-scan-on-push-off", Title: "ECR repository does not scan images when they are pushed", Severity: dera.High,
			Why:        "Images with known vulnerabilities are started, since nobody looked.",
			Fix:        "The scan on push is switched on. A basic scan is free of charge, and no push waits for it.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the scan on push is off, and the registry has no rules of its own", Disposition: dera.Auto, Because: "a scan changes no image and denies no push"},
				{When: "whether the registry has rules of its own is not known", Disposition: dera.Review, Because: "they would hold instead of the setting"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "ECR.1", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ecr-controls.html"},
				{Standard: "AWS Config", ID: "ECR_PRIVATE_IMAGE_SCANNING_ENABLED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/ecr-private-image-scanning-enabled.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Applies: func(r *Repository) string {
			if r.Registry != nil && *r.Registry {
				return "the registry has rules of its own on scanning"
			}
			return ""
		},
		Start: func(r *Repository, _ control.Settings) (dera.Disposition, string) {
			if r.Registry == nil {
				return dera.Review, "Whether the registry has rules of its own is not known."
			}
			return dera.Auto, "The registry has no rules of its own."
		},
	})
}
