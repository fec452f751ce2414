package main

import (
	"errors"
	"fmt"
	"time"

	"dera.example/dera/source"
)

// sourcesConfig says where else events come from, and how long each may be silent.
type sourcesConfig struct {
	Expect     expectConfig      `yaml:"expect,omitempty" json:"expect,omitempty" jsonschema_description:"How long each kind of event may be silent before an alarm says so. Default: cloudtrail 24h where there is a queue."`
	Webhook    webhookConfig     `yaml:"webhook,omitempty" json:"webhook,omitempty" jsonschema_description:"Signed messages over HTTP that name what to look at. Default: none."`
	Backfill   backfillConfig    `yaml:"backfill,omitempty" json:"backfill,omitempty" jsonschema_description:"When the event history of CloudTrail is looked up for what was missed. Default: never."`
	Aggregator aggregatorConfig  `yaml:"config_aggregator,omitempty" json:"config_aggregator,omitempty" jsonschema_description:"Aggregator of AWS Config that is asked what its rules found. Default: none."`
	Queue      queueConfig       `yaml:"queue,omitempty" json:"queue,omitempty" jsonschema_description:"How the queue is received."`
	Logs       []logBucketConfig `yaml:"s3_logs,omitempty" json:"s3_logs,omitempty" jsonschema_description:"Buckets of log files of CloudTrail whose new objects S3 announces to the queue. Default: none."`
}

// expectConfig has a duration for each kind of event.
type expectConfig struct {
	CloudTrail  duration `yaml:"cloudtrail,omitempty" json:"cloudtrail,omitempty" jsonschema:"type=string" jsonschema_description:"Calls by CloudTrail. Default: 24h where there is a queue."`
	Config      duration `yaml:"config,omitempty" json:"config,omitempty" jsonschema:"type=string" jsonschema_description:"Changes of AWS Config."`
	Analyzer    duration `yaml:"access-analyzer,omitempty" json:"access-analyzer,omitempty" jsonschema:"type=string" jsonschema_description:"Findings of IAM Access Analyzer."`
	SecurityHub duration `yaml:"securityhub,omitempty" json:"securityhub,omitempty" jsonschema:"type=string" jsonschema_description:"Findings of Security Hub."`
	GuardDuty   duration `yaml:"guardduty,omitempty" json:"guardduty,omitempty" jsonschema:"type=string" jsonschema_description:"Findings of GuardDuty, for example 168h."`
	Logs        duration `yaml:"s3_logs,omitempty" json:"s3_logs,omitempty" jsonschema:"type=string" jsonschema_description:"Log files of CloudTrail in S3. Default: 24h where sources.s3_logs names a bucket, and then cloudtrail has none."`
	Webhook     duration `yaml:"webhook,omitempty" json:"webhook,omitempty" jsonschema:"type=string" jsonschema_description:"Signed messages over HTTP."`
}

// webhookConfig names where the secret of the webhook is; the configuration never holds it.
type webhookConfig struct {
	SecretEnv  string `yaml:"secret_env,omitempty" json:"secret_env,omitempty" jsonschema_description:"Name of the environment variable that holds the signing secret, whsec_ and base64."`
	SecretFile string `yaml:"secret_file,omitempty" json:"secret_file,omitempty" jsonschema_description:"Path of the file that holds it."`
}

// expected are the kinds that are expected, and how long each may be silent.
func (c sourcesConfig) expected(queue bool) map[string]time.Duration {
	out := map[string]time.Duration{}
	switch {
	case len(c.Logs) > 0: // files may be all that comes
		out[source.KindLogs] = 24 * time.Hour
	case queue:
		out[source.KindCloudTrail] = 24 * time.Hour
	}
	for kind, d := range c.Expect.kinds() {
		if d > 0 {
			out[kind] = time.Duration(d)
		}
	}
	return out
}

func (c expectConfig) kinds() map[string]duration {
	return map[string]duration{
		source.KindCloudTrail: c.CloudTrail, source.KindConfig: c.Config, source.KindAnalyzer: c.Analyzer,
		source.KindSecurityHub: c.SecurityHub, source.KindGuardDuty: c.GuardDuty, source.KindWebhook: c.Webhook, source.KindLogs: c.Logs,
	}
}

func (c sourcesConfig) validate() error {
	const least, most = time.Minute, 90 * 24 * time.Hour
	var errs []error
	kinds := c.Expect.kinds()
	for _, kind := range source.Kinds() {
		if d := time.Duration(kinds[kind]); d != 0 && (d < least || d > most) {
			errs = append(errs, fmt.Errorf("sources.expect.%s: is %s, write a duration from %s to %s", kind, d, least, most))
		}
	}
	errs = append(errs, c.Backfill.validate(), validateLogs(c.Logs), c.Aggregator.validate(), c.Queue.validate())
	if c.Webhook.SecretEnv != "" && c.Webhook.SecretFile != "" {
		errs = append(errs, errors.New("sources.webhook.secret_file: secret_env is given too; keep one of them"))
	}
	return errors.Join(errs...)
}
