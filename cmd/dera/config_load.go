package main

import (
	"errors"
	"fmt"
	"time"

	"dera.example/dera/cloud"
)

// queueConfig says how the queue is received.
type queueConfig struct {
	Receivers int `yaml:"receivers,omitempty" json:"receivers,omitempty" jsonschema:"minimum=0,maximum=256" jsonschema_description:"Receives at the same time at most; one runs while the queue is quiet. Default: 32."`
}

// awsConfig says how much of what AWS takes dera takes.
type awsConfig struct {
	Share float64            `yaml:"share,omitempty" json:"share,omitempty" jsonschema:"minimum=0,maximum=1" jsonschema_description:"Share of the calls that AWS takes in an account and region, by service, that all processes of dera together make at most, for example 0.3. Default: no bound until AWS refuses calls as too many."`
	Rates map[string]float64 `yaml:"rates,omitempty" json:"rates,omitempty" jsonschema_description:"Calls a second that AWS takes in each of your accounts and regions, by service (ec2, iam …), where you had a quota raised. Default: what AWS documents, or a cautious number."`
}

func (c queueConfig) validate() error {
	if c.Receivers < 0 || c.Receivers > 256 {
		return fmt.Errorf("sources.queue.receivers: is %d, write a number from 0 (the default) to 256", c.Receivers)
	}
	return nil
}

func (c awsConfig) validate() error {
	var errs []error
	if c.Share < 0 || c.Share > 1 {
		errs = append(errs, fmt.Errorf("aws.share: is %g, write a number from 0 (no bound) to 1, such as 0.3", c.Share))
	}
	for service, rate := range c.Rates {
		switch {
		case !cloud.HasQuota(service):
			errs = append(errs, fmt.Errorf("aws.rates: %q is no service that dera has a rate for; write one of %s", service, cloud.QuotaNames()))
		case rate <= 0 || rate > 100_000:
			errs = append(errs, fmt.Errorf("aws.rates: %s is %g, write calls a second from above 0 to 100000", service, rate))
		}
	}
	return errors.Join(errs...)
}

// A call of a controller that would wait for longer comes later; people at a command wait.
const (
	patience       = 20 * time.Second
	patiencePeople = 10 * time.Minute
)

// limits are those of one process.
func (c awsConfig) limits(patience time.Duration) (*cloud.Limits, error) {
	return cloud.NewLimits(cloud.LimitsConfig{Share: c.Share, Rates: c.Rates, Patience: patience})
}
