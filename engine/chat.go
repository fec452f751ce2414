package engine

import (
	"context"
	"errors"

	"dera.example/dera"
	"dera.example/dera/store"
)

// HowSlack is how the identity of a person is established who clicked a button in Slack: by
// Slack's signature on the request, and by the configuration, which says whose the Slack
// user is. It is weaker than credentials of AWS, so that it asks for four eyes.
const HowSlack = "slack"

// HowConsole is how the identity of a person is established who orders something in the web console: STS named
// them when a command made the link that they entered with.
const HowConsole = "console"

// notTheirs refuses an approval by a chat, or of somebody whom an identity provider names, where they caused a
// finding of the plan or changed its resource last, as far as events show.
func (e *Engine) notTheirs(ctx context.Context, r dera.Remediation, v Answer) error {
	if !v.Approve || v.By.How != HowSlack && v.By.How != HowOIDC {
		return nil
	}
	for _, id := range r.Findings {
		f, err := e.cfg.Store.Finding(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, actor := range []string{f.Actor, f.LastActor} {
			if actor != "" && e.related(v.By.Name, actor) == same {
				return refused("%s caused it (as %s), so that another person has to approve it; with credentials of AWS dera approve %s does", whose(v.By.Name), actor, r.ID)
			}
		}
	}
	return nil
}
