package wire_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ssm/publicsharing"
	"dera.example/dera/services/ssm/publicsharing/wire"
)

type m = map[string]any

func setting(id, state, status string) m {
	return m{"ServiceSetting": m{"SettingId": id, "SettingValue": state, "Status": status}}
}

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Regional{
		Kind: publicsharing.Kind(), Wire: wire.Wire(), Service: "ssm", Read: "GetServiceSetting",
		Answer: func(state, _ string) m { return setting(publicsharing.SettingID, state, "Customized") },
		Set:    "UpdateServiceSetting", SetInput: m{"SettingId": publicsharing.SettingID, "SettingValue": "Disable"},
		Unset: "UpdateServiceSetting", UnsetInput: m{"SettingId": publicsharing.SettingID, "SettingValue": "Enable"},
		Want: regional.Setting{Region: cloudtest.East},
	}.Run(t)
}

// TestOtherAnswers: another setting's value is no answer, and one that is about to change is
// unread.
func TestOtherAnswers(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	scope := dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: publicsharing.Name}
	for name, tc := range map[string]struct {
		answer m
		fails  bool
	}{
		"other_setting": {setting("/ssm/parameter-store/high-throughput-enabled", "true", "Default"), true},
		"pending":       {setting(publicsharing.SettingID, "Enable", "PendingUpdate"), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			w.On("ssm", "GetServiceSetting", moto.Answer{Output: tc.answer})
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).Read(t.Context(), scope, true)
			if tc.fails != (err != nil) || err == nil && page.Resources[0].Unread == "" {
				t.Errorf("got %+v, %v", page, err)
			}
		})
	}
}
