package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
	"dera.example/dera/source"
)

// aggregatorConfig names an aggregator of AWS Config. The zero value is none.
type aggregatorConfig struct {
	Name    string   `yaml:"name" json:"name" jsonschema_description:"Name of the aggregator."`
	Account string   `yaml:"account" json:"account" jsonschema:"pattern=^[0-9]{12}$" jsonschema_description:"Account in which it is."`
	Region  string   `yaml:"region" json:"region" jsonschema_description:"Region in which it is."`
	Every   duration `yaml:"every,omitempty" json:"every,omitempty" jsonschema:"type=string" jsonschema_description:"How often it is asked. Default: 1h."`
}

const aggregatorEvery = time.Hour

// validate returns what is wrong with sources.config_aggregator, each with its field.
func (c aggregatorConfig) validate() error {
	if c == (aggregatorConfig{}) {
		return nil
	}
	const least, most = 10 * time.Minute, 24 * time.Hour
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("sources.config_aggregator.%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if !regexp.MustCompile(`^[\w-]{1,256}$`).MatchString(c.Name) {
		bad("name", "is %q, write the name of the aggregator, not its ARN", c.Name)
	}
	if err := dera.ValidAccountID(c.Account); err != nil {
		bad("account", "%v", err)
	}
	if !regionForm.MatchString(c.Region) {
		bad("region", "is %q, write a region such as eu-west-1", c.Region)
	}
	if d := time.Duration(c.Every); d != 0 && (d < least || d > most) {
		bad("every", "is %s, write a duration from %s to %s", d, least, most)
	}
	return errors.Join(errs...)
}

// aggregator is the part of dera run that asks an aggregator of AWS Config; none where none is named.
func (s *session) aggregator(log *slog.Logger) ([]func(context.Context) error, error) {
	c := s.config.Sources.Aggregator
	if c.Name == "" {
		return nil, nil
	}
	var ids []string
	for _, a := range s.accounts {
		ids = append(ids, a.ID)
	}
	every := time.Duration(c.Every)
	if every == 0 {
		every = aggregatorEvery
	}
	a, err := source.NewAggregator(source.AggregatorConfig{
		Accounts: ids, Aggregate: aggregate{s.client.Aggregator(c.Name, c.Account, c.Region, cloudtrail.NonCompliantQuery)}, Watch: services.Watch(), Every: every, Log: log, Now: s.app.now,
		Place: app.Aggregated{Store: s.store, Now: s.app.now, Name: c.where()},
	})
	if err != nil {
		return nil, err
	}
	return []func(context.Context) error{func(ctx context.Context) error { return a.Run(ctx, s.ingest()) }}, nil
}

// where tells aggregators apart; "" for none.
func (c aggregatorConfig) where() string {
	if c.Name == "" {
		return ""
	}
	return c.Account + "/" + c.Region + "/" + c.Name
}

// aggregate is an aggregator as package source reads it.
type aggregate struct{ a *cloud.Aggregator }

var _ source.Aggregate = aggregate{}

// Page implements source.Aggregate.
func (a aggregate) Page(ctx context.Context, token string) (list []source.Failing, unread int, next string, err error) {
	page, unread, next, err := a.a.Page(ctx, token)
	for _, x := range page {
		list = append(list, source.Failing(x))
	}
	return list, unread, next, err
}
