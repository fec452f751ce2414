// Package wire reads and writes the recorder of a region on AWS Config.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/configservice"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/services/config/recorder"
)

// Wire returns how recorders are read and written.
func Wire() cloud.Wire {
	t := recorder.Type()
	return cloud.Wire{
		Type: recorder.Name, Parts: t.Parts, Operations: t.Operations, Find: find, Unread: unread,
		Sample: func(_ context.Context, r *cloud.Reading) (string, error) { return r.Scope.Region, nil },
		Readers: []cloud.Reader{
			{Parts: []string{recorder.PartStatus}, Call: "config:DescribeConfigurationRecorderStatus", One: readStatus},
			{Parts: []string{recorder.PartChannel}, Call: "config:DescribeDeliveryChannels", One: readChannel},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{recorder.Start: start, recorder.Stop: stop},
		On: func(p dera.Plan) dera.ARN { // its ID is random
			return dera.NewARN(p.Partition, "config", p.Region, p.Account, "configuration-recorder/*/*")
		},
		Answers: map[string]cloud.Shape{
			"Config Service DescribeConfigurationRecorders":      {Members: []string{"ConfigurationRecorders"}},
			"Config Service DescribeConfigurationRecorderStatus": {Members: []string{"ConfigurationRecordersStatus"}},
			"Config Service DescribeDeliveryChannels":            {Members: []string{"DeliveryChannels"}},
		},
		ConfigRules: []string{"AWS_CONFIG_ENABLED"},
	}
}

func api(r *cloud.Reading) *sdk.Client {
	return cloud.Service(r, "configservice", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
}

// find reads the recorder, of which nothing is known without: whether there is one at all.
func find(ctx context.Context, r *cloud.Reading) (cloud.Found, error) {
	c, err := read(ctx, r)
	if err != nil {
		return cloud.Found{}, err
	}
	return cloud.Only(r, c.Region, "Config", recorder.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, "", c.Region), c), nil
}

// read asks for the one recorder of the customer's own.
func read(ctx context.Context, r *cloud.Reading) (*recorder.Recorder, error) {
	const call = "config:DescribeConfigurationRecorders"
	out, err := api(r).DescribeConfigurationRecorders(ctx, &sdk.DescribeConfigurationRecordersInput{})
	if err != nil {
		return nil, r.Fail(call, err)
	}
	c := &recorder.Recorder{Region: r.Scope.Region}
	for _, x := range out.ConfigurationRecorders {
		switch {
		case aws.ToString(x.ServicePrincipal) != "": // a service's own
			continue
		case aws.ToString(x.Name) == "" || c.Name != "":
			return nil, r.Fail(call, cloud.Foreign("it has %d recorders, want one at most that has a name", len(out.ConfigurationRecorders)))
		}
		c.Name, c.Role = *x.Name, aws.ToString(x.RoleARN)
		if g := x.RecordingGroup; g != nil {
			c.All, c.Global = &g.AllSupported, g.IncludeGlobalResourceTypes
			for _, t := range g.ResourceTypes {
				c.Types = append(c.Types, string(t))
			}
			if e := g.ExclusionByResourceTypes; e != nil {
				for _, t := range e.ResourceTypes {
					c.Excluded = append(c.Excluded, string(t))
				}
			}
		}
		if m := x.RecordingMode; m != nil {
			c.Frequency = string(m.RecordingFrequency)
		}
	}
	return c, nil
}

func unread(config any, part string) {
	switch c := config.(*recorder.Recorder); part {
	case recorder.PartStatus:
		c.Recording, c.Failing = nil, nil
	case recorder.PartChannel:
		c.Channel = nil
	}
}

func readStatus(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	c := x.Config.(*recorder.Recorder)
	if c.Name == "" {
		return nil
	}
	out, err := api(r).DescribeConfigurationRecorderStatus(ctx, &sdk.DescribeConfigurationRecorderStatusInput{ConfigurationRecorderNames: []string{c.Name}})
	if err == nil && (len(out.ConfigurationRecordersStatus) != 1 || aws.ToString(out.ConfigurationRecordersStatus[0].Name) != c.Name) {
		err = cloud.Foreign("it is not about the recorder %.80q alone", c.Name)
	}
	if err != nil {
		return err
	}
	s := out.ConfigurationRecordersStatus[0]
	c.Recording, c.Failing = &s.Recording, aws.String("")
	if s.LastStatus == "Failure" || s.LastStatus == "FAILURE" { // the model has the one, the guide the other
		code := aws.ToString(s.LastErrorCode)
		if code == "" {
			code = "for a reason that it does not say"
		}
		c.Failing = &code
	}
	return nil
}

func readChannel(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	c := x.Config.(*recorder.Recorder)
	if c.Name == "" {
		return nil
	}
	out, err := api(r).DescribeDeliveryChannels(ctx, &sdk.DescribeDeliveryChannelsInput{})
	if err != nil {
		return err
	}
	there := len(out.DeliveryChannels) > 0
	c.Channel = &there
	return nil
}

// named looks which recorder is there now: it has a name, and the plan the region's.
func named(ctx context.Context, w *cloud.Writing) (*sdk.Client, string, error) {
	w.Scope.Region = w.Plan.Region
	c, err := read(ctx, w.Reading)
	if err == nil && c.Name == "" {
		err = cloud.ErrMoved // there is none to write to
	}
	if err != nil {
		return nil, "", err
	}
	return sdk.NewFromConfig(w.Config), c.Name, nil
}

func start(ctx context.Context, w *cloud.Writing) error {
	api, name, err := named(ctx, w)
	if err == nil {
		_, err = api.StartConfigurationRecorder(ctx, &sdk.StartConfigurationRecorderInput{ConfigurationRecorderName: &name})
	}
	return err
}

func stop(ctx context.Context, w *cloud.Writing) error {
	api, name, err := named(ctx, w)
	if err == nil {
		_, err = api.StopConfigurationRecorder(ctx, &sdk.StopConfigurationRecorderInput{ConfigurationRecorderName: &name})
	}
	return err
}
