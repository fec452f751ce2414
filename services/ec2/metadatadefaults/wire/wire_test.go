package wire_test

import (
	"testing"

	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ec2/metadatadefaults"
	"dera.example/dera/services/ec2/metadatadefaults/wire"
)

type m = map[string]any

// TestWire: the write names the tokens alone, and the other defaults are read, so that one
// that changed with it would show as something that the plan did not do.
func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Regional{
		Kind: metadatadefaults.Kind(), Wire: wire.Wire(), Service: "ec2", Read: "GetInstanceMetadataDefaults",
		Answer: func(state, manager string) m {
			return m{"AccountLevel": m{"HttpTokens": state, "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled", "ManagedBy": manager}}
		},
		Set: "ModifyInstanceMetadataDefaults", SetInput: m{"HttpTokens": "required", "DryRun": false},
		Unset: "ModifyInstanceMetadataDefaults", UnsetInput: m{"HttpTokens": "optional", "DryRun": false},
		Want: regional.Setting{Region: cloudtest.East, ManagedBy: regional.Account, Others: map[string]string{"http_put_response_hop_limit": "2", "http_endpoint": "enabled"}},
	}.Run(t)
}

// TestNoPreference: an account without a default of its own has none to go back to but that.
func TestNoPreference(t *testing.T) {
	t.Parallel()
	cloudtest.Regional{
		Kind: noDefault(), Wire: wire.Wire(), Service: "ec2", Read: "GetInstanceMetadataDefaults",
		Answer: func(state, _ string) m {
			if state == metadatadefaults.NoPreference {
				return m{"AccountLevel": m{}}
			}
			return m{"AccountLevel": m{"HttpTokens": state}}
		},
		Set: "ModifyInstanceMetadataDefaults", SetInput: m{"HttpTokens": "required", "DryRun": false},
		Unset: "ModifyInstanceMetadataDefaults", UnsetInput: m{"HttpTokens": "no-preference", "DryRun": false},
		Want: regional.Setting{Region: cloudtest.East},
	}.Run(t)
}

func noDefault() regional.Kind {
	k := metadatadefaults.Kind()
	k.Order = k.Order[1:]
	return k
}
