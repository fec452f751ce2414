package role

import (
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// OpenSessions finds roles of which sessions may run that the trust policy would not
// allow any more.
func OpenSessions() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta: control.Meta{
			ID:       "iam-role-open-sessions",
			Title:    "Role may have sessions that began before its trust policy was narrowed",
			Type:     Name,
			Severity: dera.Medium,
			Why:      "A trust policy decides who may begin a session. Whoever began one before it was narrowed keeps it until it ends, up to 12 hours, and with it all that the role may do.",
			Fix: "An inline policy denies everything to sessions that began before the trust policy was narrowed and IAM had spread that (aws:TokenIssueTime), as \"Revoke active sessions\" of the " +
				"console does. It denies the role's own work in such sessions too, until that begins a new session. It can stay when they are over; a rollback takes it away.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "dera took somebody out of the trust policy, and a session from before may still run", Disposition: dera.Review, Because: "it ends the role's own sessions too: when that hurts nobody, a person knows"},
			},
			Refs: []control.Ref{
				{Standard: "IAM user guide", ID: "revoke IAM role temporary security credentials", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html"},
				{Standard: "NIST 800-53 r5", ID: "AC-12", URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
			},
			Reads:    iam.ReadsOf(Parts()),
			Writes:   []string{iam.RoleKind.PutInline(), iam.RoleKind.DeleteInline()},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(r *Role, _ control.Settings) control.Result {
			t := r.closed()
			switch {
			case t.IsZero(): // nothing was narrowed lately, or nobody tells
				return control.Result{Outcome: control.NotApplicable}
			case !r.Read(PartInline):
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the inline policies of the role"}
			case r.ended(t):
				return control.Result{Outcome: control.Pass}
			}
			longest := "12 hours"
			if s := time.Duration(r.MaxSession) * time.Second; s > 0 && s < LongestSession {
				longest += fmt.Sprintf(", and %s where the role allowed no longer ones than now", inWords(s))
			}
			return control.Result{Outcome: control.Fail, Failures: []control.Failure{{
				Key: SessionsKey, Start: dera.Review, Severity: dera.Medium, Title: "Sessions from before the trust policy was narrowed may still run",
				Why: fmt.Sprintf("dera narrowed the trust policy at %s; a session that began before lasts at most %s. The plan ends them all, the role's own too.", r.Closed.UTC().Format(time.RFC3339), longest),
			}}}
		},
		Plan: func(r *Role, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			return r.planSessions()
		},
		Prove: func(r *Role, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			after, err := iam.Applied(Type(), r, changes)
			if err != nil {
				return dera.Evidence{}, err
			}
			return r.proveSessions(after)
		},
	})
}

// inWords is how long a session lasts, in hours or else in minutes.
func inWords(d time.Duration) string {
	switch {
	case d == time.Hour:
		return "1 hour"
	case d%time.Hour == 0:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d minutes", (d+time.Minute-1)/time.Minute)
}
