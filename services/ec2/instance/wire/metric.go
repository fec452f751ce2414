package wire

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"

	"dera.example/dera/cloud"
	"dera.example/dera/services/ec2/instance"
)

// atOnce is how many metrics a call asks for: one returns 100,800 values at most (API
// reference, GetMetricData), and each metric has one an hour.
const atOnce = 250

// lag is how old an hour must be for its values to be complete: CloudWatch counts late.
const lag = time.Hour

// metrics is the client of CloudWatch. It speaks JSON: the default of the SDK, CBOR, is no
// text whose shape can be checked.
func metrics(r *cloud.Reading) *cloudwatch.Client {
	return cloud.Service(r, "cloudwatch", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *cloudwatch.Client {
		return cloudwatch.NewFromConfig(cfg, func(o *cloudwatch.Options) { o.Protocol = awsjson.New10(schemas.GraniteServiceVersion20100801) })
	})
}

// readV1 counts the requests for metadata without a token, hour by hour, of the instances of
// which it matters. An hour of which CloudWatch says nothing is not zero.
func readV1(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	var list []*instance.Instance
	for _, x := range items {
		if c := x.Config.(*instance.Instance); c.State == "running" && c.Tokens == "optional" && c.Endpoint == "enabled" {
			list = append(list, c)
		}
	}
	end := r.At.Add(-lag).Truncate(time.Hour)
	from, to := end.Add(-instance.Hours*time.Hour), r.At.Truncate(time.Hour).Add(time.Hour) // what is newer counts too
	for chunk := range slices.Chunk(list, atOnce) {
		in := &cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: &to}
		for i, c := range chunk {
			in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: aws.String("i" + strconv.Itoa(i)), MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String("AWS/EC2"), MetricName: aws.String("MetadataNoToken"), Dimensions: []types.Dimension{{Name: aws.String("InstanceId"), Value: aws.String(c.ID)}}},
				Period: aws.Int32(int32(time.Hour / time.Second)), Stat: aws.String("Sum"),
			}})
		}
		counts := make([]map[time.Time]float64, len(chunk))
		err := cloud.List(r, cloud.Listing[*cloudwatch.GetMetricDataOutput, types.MetricDataResult]{
			Call: "cloudwatch:GetMetricData", Of: "metrics",
			Page: func(token *string) (*cloudwatch.GetMetricDataOutput, error) {
				in.NextToken = token
				return metrics(r).GetMetricData(ctx, in)
			},
			On: func(p *cloudwatch.GetMetricDataOutput) ([]types.MetricDataResult, *string) {
				return p.MetricDataResults, p.NextToken
			},
		}, func(m types.MetricDataResult) error { return count(m, counts, from, to) })
		if err != nil {
			return err
		}
		for i, c := range chunk {
			c.V1 = &instance.Requests{}
			for _, n := range counts[i] {
				c.V1.Count += n
			}
			for at := from; at.Before(end); at = at.Add(time.Hour) {
				if _, ok := counts[i][at]; !ok {
					c.V1.Unknown++
				}
			}
		}
	}
	return nil
}

// count adds what an answer says of one metric. A value that stands for no hour that was
// asked for, or twice, is no answer.
func count(m types.MetricDataResult, counts []map[time.Time]float64, from, to time.Time) error {
	text, i := aws.ToString(m.Id), -1
	if len(text) > 1 {
		if n, err := strconv.Atoi(text[1:]); err == nil && text == "i"+strconv.Itoa(n) && n < len(counts) {
			i = n
		}
	}
	switch {
	case i < 0:
		return cloud.Foreign("it is about the metric %.40q, which was not asked for", text)
	case len(m.Timestamps) != len(m.Values):
		return cloud.Foreign("it has %d values for %d times", len(m.Values), len(m.Timestamps))
	case m.StatusCode == types.StatusCodeInternalError || m.StatusCode == types.StatusCodeForbidden:
		return nil // its hours are not known
	case m.StatusCode != types.StatusCodeComplete && m.StatusCode != types.StatusCodePartialData:
		return cloud.Foreign("the values are %.40q", m.StatusCode)
	}
	if counts[i] == nil {
		counts[i] = map[time.Time]float64{}
	}
	for k, at := range m.Timestamps {
		at = at.UTC()
		_, twice := counts[i][at]
		if twice || at.Before(from) || !at.Before(to) || !at.Equal(at.Truncate(time.Hour)) || m.Values[k] < 0 {
			return cloud.Foreign("it has the value %v of %s, for no hour that was asked for", m.Values[k], at.Format(time.RFC3339))
		}
		counts[i][at] = m.Values[k]
	}
	return nil
}
