package main

import (
	"slices"
	"testing"

	"dera.example/dera/awssim/moto"
)

type members = map[string]any

// scripted answers a call of AWS that moto does not have.
type scripted struct {
	service, operation string
	answers            []moto.Answer
}

// TestStubRegional: each setting of a region is found, waits for a person, is set when it is
// approved, verified, and set back; all but its own calls go to moto.
func TestStubRegional(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	stub := moto.StartStub(t)
	answer := func(read string, output members) map[string]map[string]any {
		return map[string]map[string]any{read: output}
	}
	for name, tc := range map[string]struct {
		control, read string
		off, on       members // outputs of read
		service, set  string
		unset         string
		when, back    members // of the writes
		more          []scripted
	}{
		"snapshots": {
			"ec2-snapshotblock-off", "GetSnapshotBlockPublicAccessState", members{"State": "unblocked"}, members{"State": "block-all-sharing"},
			"ec2", "EnableSnapshotBlockPublicAccess", "DisableSnapshotBlockPublicAccess", members{"State": "block-all-sharing"}, nil,
			[]scripted{{"ec2", "DescribeSnapshots", []moto.Answer{{Output: members{"Snapshots": []members{}}}}}},
		},
		"images": {
			"ec2-imageblock-off", "GetImageBlockPublicAccessState", members{"ImageBlockPublicAccessState": "unblocked"}, members{"ImageBlockPublicAccessState": "block-new-sharing"},
			"ec2", "EnableImageBlockPublicAccess", "DisableImageBlockPublicAccess", nil, nil, nil,
		},
		"metadata": {
			"ec2-metadatadefaults-imdsv1-allowed", "GetInstanceMetadataDefaults", members{"AccountLevel": members{"HttpPutResponseHopLimit": 2}}, members{"AccountLevel": members{"HttpPutResponseHopLimit": 2, "HttpTokens": "required"}},
			"ec2", "ModifyInstanceMetadataDefaults", "", members{"HttpTokens": "required"}, members{"HttpTokens": "no-preference"}, nil,
		},
		"console": {
			"ec2-serialconsole-on", "GetSerialConsoleAccessStatus", members{"SerialConsoleAccessEnabled": true}, members{"SerialConsoleAccessEnabled": false},
			"ec2", "DisableSerialConsoleAccess", "EnableSerialConsoleAccess", nil, nil, nil,
		},
		"documents": {
			"ssm-publicsharing-allowed", "GetServiceSetting", publicSharing("Enable"), publicSharing("Disable"),
			"ssm", "UpdateServiceSetting", "", members{"SettingValue": "Disable"}, members{"SettingValue": "Enable"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSettingWorld(t, server, tc.control)
			s := stub.Before(t, w.creds, server.URL())
			t.Setenv("AWS_ENDPOINT_URL", s.URL())
			s.On(tc.service, tc.read, moto.Answer{Output: tc.off})
			set, back := moto.Answer{When: tc.when, Sets: answer(tc.read, tc.on)}, moto.Answer{When: tc.back, Sets: answer(tc.read, tc.off)}
			if tc.unset == "" {
				s.On(tc.service, tc.set, set, back)
			} else {
				s.On(tc.service, tc.set, set)
				s.On(tc.service, tc.unset, back)
			}
			for _, m := range tc.more {
				s.On(m.service, m.operation, m.answers...)
			}
			at := "us-east-1"
			if tc.service == "ssm" { // AWS has an ARN for it
				at = "ssm/documents/console/public-sharing-permission"
			}
			writes := func() int { return len(s.Calls(tc.set)) }
			r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
			if got, want := findingsOf(r, at), (finding{"state", tc.control, "review", "open"}); !slices.Equal(got, []finding{want}) || writes() != 0 {
				t.Fatalf("got %v and %d writes, want %v and none", got, writes(), want)
			}
			w.approveAll(r, at)
			if writes() == 0 {
				t.Error("nothing was written after the approval")
			}
			if again := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(again) != 0 {
				t.Errorf("the next look finds %+v, want nothing open", again.Findings)
			}
			w.rollBackAll()
			if again := w.scan(exitNo, "--mode", "observe", "--no-exemptions"); openOf(again) != 1 {
				t.Errorf("after the rollback: got %+v, want the finding again", again.Findings)
			}
			if out, _, code := w.dera("audit", "verify"); code != exitGood {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}

func publicSharing(value string) members {
	return members{"ServiceSetting": members{"SettingId": "/ssm/documents/console/public-sharing-permission", "SettingValue": value, "Status": "Customized"}}
}

// TestStubVPCBlock: a region whose VPCs are not blocked is reported, and no plan is made.
func TestStubVPCBlock(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newSettingWorld(t, server, "ec2-vpcblock-off")
	s := moto.StartStub(t).Before(t, w.creds, server.URL())
	t.Setenv("AWS_ENDPOINT_URL", s.URL())
	s.On("ec2", "DescribeVpcBlockPublicAccessOptions", moto.Answer{Output: members{"VpcBlockPublicAccessOptions": members{"InternetGatewayBlockMode": "off", "State": "default-state"}}})
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if len(r.Findings) != 1 || r.Findings[0].Disposition.String() != "alert" || r.Findings[0].Plan != nil {
		t.Errorf("got %+v, want one that is reported", r.Findings)
	}
}
