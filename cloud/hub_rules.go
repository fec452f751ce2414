package cloud

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// HubRule is an automation rule of Security Hub that takes findings out of sight.
type HubRule struct {
	Name     string
	Workflow string // that it sets: SUPPRESSED or RESOLVED
}

// HubRules returns the automation rules of Security Hub in an account and region that set
// findings to suppressed or resolved and are switched on, sorted by name; none where there is no
// Security Hub. Only an administrator, or an account without one, has rules.
//
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_ListAutomationRules.html
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchGetAutomationRules.html
func (c *Client) HubRules(ctx context.Context, account, region string) (out []HubRule, _ error) {
	hub := c.SecurityHub(account, region)
	var arns []string
	err := Walk(func(token *string) (*string, error) {
		var page struct {
			NextToken               *string
			AutomationRulesMetadata []struct{ RuleArn, RuleStatus string }
		}
		path := "/automationrules/list?MaxResults=100"
		if token != nil {
			path += "&NextToken=" + url.QueryEscape(*token)
		}
		if err := hub.Call(ctx, "ListAutomationRules", http.MethodGet, path, nil, &page, false); err != nil {
			return nil, err
		}
		for _, r := range page.AutomationRulesMetadata {
			if r.RuleStatus == "ENABLED" {
				arns = append(arns, r.RuleArn)
			}
		}
		return page.NextToken, nil
	})
	switch {
	case err != nil && (hubIsOff(err) || Code(err) == "404 Not Found"): // no such operation there
		return nil, nil
	case err != nil:
		return nil, err
	}
	for chunk := range slices.Chunk(arns, 100) {
		var got struct {
			Rules []struct {
				RuleArn, RuleName string
				Actions           []struct {
					FindingFieldsUpdate struct{ Workflow struct{ Status string } }
				}
			}
		}
		if err := hub.Call(ctx, "BatchGetAutomationRules", http.MethodPost, "/automationrules/get", map[string]any{"AutomationRulesArns": chunk}, &got, false); err != nil {
			return nil, err
		}
		if len(got.Rules) < len(chunk) {
			return nil, wrap(account, hub.region, "securityhub:BatchGetAutomationRules", Foreign("it has %d rules, want %d", len(got.Rules), len(chunk)))
		}
		for _, r := range got.Rules {
			for _, a := range r.Actions {
				if to := a.FindingFieldsUpdate.Workflow.Status; to == "SUPPRESSED" || to == "RESOLVED" {
					out = append(out, HubRule{r.RuleName, to})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b HubRule) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return slices.Compact(out), nil
}

// hubIsOff reports whether the answer is that the account has no Security Hub. The same code also
// says that somebody may not ask.
func hubIsOff(err error) bool {
	return Code(err) == "InvalidAccessException" && strings.Contains(err.Error(), "not subscribed")
}
