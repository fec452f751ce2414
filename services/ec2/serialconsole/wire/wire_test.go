package wire_test

import (
	"testing"

	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ec2/serialconsole"
	"dera.example/dera/services/ec2/serialconsole/wire"
)

type m = map[string]any

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Regional{
		Kind: serialconsole.Kind(), Wire: wire.Wire(), Service: "ec2", Read: "GetSerialConsoleAccessStatus",
		Answer: func(state, manager string) m {
			return m{"SerialConsoleAccessEnabled": state == serialconsole.Enabled, "ManagedBy": manager}
		},
		Set: "DisableSerialConsoleAccess", SetInput: m{"DryRun": false},
		Unset: "EnableSerialConsoleAccess", UnsetInput: m{"DryRun": false},
		Want: regional.Setting{Region: cloudtest.East, ManagedBy: regional.Account},
	}.Run(t)
}
