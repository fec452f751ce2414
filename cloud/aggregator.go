package cloud

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"dera.example/dera"
)

const callSelect = "config:SelectAggregateResourceConfig"

// NonCompliant is a resource that a rule of AWS Config found non-compliant, in the account and region
// of the resource. Time is when that was recorded; zero where AWS does not say.
type NonCompliant struct {
	Account, Region, Type, ID string
	Time                      time.Time
}

// Aggregator is a configuration aggregator of AWS Config. It is safe for concurrent use.
type Aggregator struct {
	name, query, account, region string
	api                          *configservice.Client
}

// Aggregator returns the aggregator of a name in an account and region, with a query whose rows have the account, the
// region and the time of the item, and of its configuration the target's ID and type. It makes no call.
func (c *Client) Aggregator(name, account, region, query string) *Aggregator {
	return &Aggregator{name, query, account, region, shared(c, "config aggregator", account, region, func(cfg aws.Config) *configservice.Client {
		return configservice.NewFromConfig(cfg)
	})}
}

// Page reads a page of what is non-compliant, newest first, and returns the token of the one that follows, ""
// after the last. What cannot be read in it is left out and counted. It fails with [Error].
//
// https://docs.aws.amazon.com/config/latest/APIReference/API_SelectAggregateResourceConfig.html
func (a *Aggregator) Page(ctx context.Context, token string) (list []NonCompliant, unread int, next string, err error) {
	in := &configservice.SelectAggregateResourceConfigInput{ConfigurationAggregatorName: aws.String(a.name), Expression: aws.String(a.query), Limit: 100}
	if token != "" {
		in.NextToken = aws.String(token)
	}
	out, err := a.api.SelectAggregateResourceConfig(ctx, in)
	if err == nil && token != "" && aws.ToString(out.NextToken) == token {
		err = Foreign("its next page is the page itself")
	}
	if err != nil {
		return nil, 0, "", wrap(a.account, a.region, callSelect, err)
	}
	for _, text := range out.Results {
		var row struct {
			Account       string `json:"accountId"`
			Region        string `json:"awsRegion"`
			At            string `json:"configurationItemCaptureTime"`
			Configuration struct {
				ID   string `json:"targetResourceId"`
				Type string `json:"targetResourceType"`
			} `json:"configuration"`
		}
		if json.Unmarshal([]byte(text), &row) != nil || dera.ValidAccountID(row.Account) != nil || row.Region == "" || row.Configuration.Type == "" {
			unread++
			continue
		}
		at, _ := time.Parse(time.RFC3339, row.At) // the zero time stands for one that is not known
		list = append(list, NonCompliant{row.Account, row.Region, row.Configuration.Type, row.Configuration.ID, at})
	}
	return list, unread, aws.ToString(out.NextToken), nil
}
