// Package change is changes of the code or the layers of Lambda functions, as the event
// history of CloudTrail has them, with whether their actor had made such a change before, as
// the usage ledger has it. dera reports them and changes nothing: the code that was there
// before nobody kept.
package change

import (
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of those
// that it has.
const Name = "AWS::Lambda::FunctionChange"

// The parts.
const (
	PartChanges   = "changes"
	PartUse       = "recorded use" // of those who made them
	PartExplained = "incidents"
)

// Days is how many days back one looks: a finding stays open for longer.
const Days = 2

// The calls that replace what a function runs, as CloudTrail names them. The second one also
// changes other things: it counts where it has layers.
const (
	UpdateCode   = "UpdateFunctionCode20150331v2"
	UpdateLayers = "UpdateFunctionConfiguration20150331v2"
)

// Function is a function that was changed, and by whom.
type Function struct {
	Name    string   `json:"name"`
	Region  string   `json:"region"`
	Changes []Change `json:"changes"` // the oldest first
	// Explained is up to which of them an incident explains.
	Explained *resource.Explained `json:"explained,omitempty"`
}

// Change is one of them.
type Change struct {
	Call string    `json:"call"`
	At   time.Time `json:"at"`
	From string    `json:"from"` // address, or the name of an AWS service
	// Principal is the role or user by whose permissions it was made.
	Principal string `json:"principal"`
	// Use is what is recorded of the principal's calls of that name; nil where nothing is
	// known of it.
	Use *resource.Use `json:"use,omitempty"`
}

// Type is functions that were changed: one that was not is no resource.
func Type() resource.Type {
	return resource.Define(resource.Spec[Function]{
		Name: Name, SampleIDs: []string{"resize", "orders", "Z_9"},
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "lambda", region, account, "function-change/"+id)
		},
		Identify: func(f *Function) (id, name string, tags map[string]string) { return f.Name, f.Name, nil },
		Parts: []resource.Part{
			{Name: PartChanges, Action: "cloudtrail:LookupEvents", Cheap: true},
			{Name: PartUse, Port: resource.PortLedger, Around: true, Cheap: true},
			{Name: PartExplained, Port: resource.PortIncidents, Around: true, Cheap: true},
		},
		Around: []string{"changes", "explained"},
		Events: Events(),
	})
}

// Events are the calls that change code or layers. They arrive where the function is.
//
// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
func Events() cloudtrail.Events {
	e := cloudtrail.Named{Source: "lambda.amazonaws.com", Calls: []string{UpdateCode, UpdateLayers}, Members: []string{"functionName"}, InARN: "function:"}.Events(Name)
	e.Config, e.Analyzed = nil, nil
	return e
}

// Controls are the controls on changes of functions.
func Controls() []control.Control { return []control.Control{FirstTimeActor()} }
