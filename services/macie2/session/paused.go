package session

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Paused finds regions in which Macie is suspended.
func Paused() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Session]{
		Path: "status",
		Applies: func(s *Session) string {
			if s.Status != nil && *s.Status == Off {
				return "Macie is not enabled"
			}
			return ""
		},
		Meta: control.Meta{
			ID: "macie2-session-paused", Title: "Macie is suspended", Severity: dera.Medium, Watches: true,
			Why:        "Macie that is suspended looks at no bucket, and keeps all of its settings as if it did.",
			Fix:        "Macie is resumed, with the settings that it has.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "Macie is suspended", Disposition: dera.Review, Because: "it costs by bucket, and of a member only its administrator resumes it"},
			},
			Refs: refs(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(*Session, control.Settings) (dera.Disposition, string) {
			return dera.Review, "Macie costs by bucket."
		},
	})
}
