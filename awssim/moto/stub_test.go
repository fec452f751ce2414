package moto_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	gdtypes "github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"dera.example/dera/awssim/moto"
)

type m = map[string]any

func config(w *moto.StubWorld) aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(w.URL()), Credentials: credentials.NewStaticCredentialsProvider(w.AccessKeyID, "none", ""), RetryMaxAttempts: 1}
}

// TestStub: each protocol is read and answered as the SDK expects it.
func TestStub(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	t.Run("ec2", func(t *testing.T) {
		w := stub.World(t)
		api := ec2.NewFromConfig(config(w))
		w.On("ec2", "GetSnapshotBlockPublicAccessState", moto.Answer{Output: m{"State": "unblocked"}})
		w.On("ec2", "EnableSnapshotBlockPublicAccess", moto.Answer{Output: m{"State": "block-all-sharing"}, Sets: map[string]map[string]any{"GetSnapshotBlockPublicAccessState": {"State": "block-all-sharing"}}})
		state := func() string {
			out, err := api.GetSnapshotBlockPublicAccessState(t.Context(), &ec2.GetSnapshotBlockPublicAccessStateInput{})
			if err != nil {
				t.Fatal(err)
			}
			return string(out.State)
		}
		in := &ec2.EnableSnapshotBlockPublicAccessInput{State: types.SnapshotBlockPublicAccessStateBlockAllSharing, DryRun: aws.Bool(true)}
		if _, err := api.EnableSnapshotBlockPublicAccess(t.Context(), in); code(err) != "DryRunOperation" || state() != "unblocked" {
			t.Errorf("dry run: got %v, %s", err, state())
		}
		in.DryRun = nil
		if _, err := api.EnableSnapshotBlockPublicAccess(t.Context(), in); err != nil || state() != "block-all-sharing" {
			t.Errorf("write: got %v, %s", err, state())
		}
		if calls := w.Calls("EnableSnapshotBlockPublicAccess"); len(calls) != 2 || calls[1].Input["State"] != "block-all-sharing" || calls[1].Region != "eu-west-1" {
			t.Errorf("calls: got %v", calls)
		}
		w.On("ec2", "DescribeSnapshots", moto.Answer{When: m{"NextToken": "2"}, Output: m{"Snapshots": []m{{"SnapshotId": "snap-2", "StartTime": "2026-01-02T03:04:05Z"}}}},
			moto.Answer{Output: m{"Snapshots": []m{{"SnapshotId": "snap-1"}}, "NextToken": "2"}})
		var got []string
		for p := ec2.NewDescribeSnapshotsPaginator(api, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}}); p.HasMorePages(); {
			page, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.Snapshots {
				got = append(got, *s.SnapshotId)
			}
		}
		if strings.Join(got, " ") != "snap-1 snap-2" {
			t.Errorf("pages: got %v", got)
		}
	})
	t.Run("query", func(t *testing.T) {
		w := stub.World(t)
		api := rds.NewFromConfig(config(w))
		w.On("rds", "DescribeDBSnapshotAttributes", moto.Answer{Error: "DBSnapshotNotFound", Status: 404}, moto.Answer{Output: m{"DBSnapshotAttributesResult": m{"DBSnapshotAttributes": []m{{"AttributeName": "restore", "AttributeValues": []string{"all"}}}}}})
		in := &rds.DescribeDBSnapshotAttributesInput{DBSnapshotIdentifier: aws.String("s")}
		if _, err := api.DescribeDBSnapshotAttributes(t.Context(), in); code(err) != "DBSnapshotNotFound" {
			t.Errorf("got %v", err)
		}
		out, err := api.DescribeDBSnapshotAttributes(t.Context(), in)
		if err != nil || out.DBSnapshotAttributesResult.DBSnapshotAttributes[0].AttributeValues[0] != "all" {
			t.Errorf("got %+v, %v", out, err)
		}
		if id, err := sts.NewFromConfig(config(w)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil || *id.Account != w.Account {
			t.Errorf("got %+v, %v", id, err)
		}
	})
	t.Run("json", func(t *testing.T) {
		w := stub.World(t)
		w.On("ssm", "GetServiceSetting", moto.Answer{Output: m{"ServiceSetting": m{"SettingValue": "Enable", "LastModifiedDate": 1700000000}}})
		out, err := ssm.NewFromConfig(config(w)).GetServiceSetting(t.Context(), &ssm.GetServiceSettingInput{SettingId: aws.String("/ssm/x")})
		if err != nil || *out.ServiceSetting.SettingValue != "Enable" || out.ServiceSetting.LastModifiedDate.Unix() != 1700000000 {
			t.Errorf("got %+v, %v", out, err)
		}
	})
	t.Run("rest_json", func(t *testing.T) {
		w := stub.World(t)
		w.On("guardduty", "UpdateDetector", moto.Answer{When: m{"DetectorId": "d-1"}}, moto.Answer{Error: "BadRequestException"})
		w.On("guardduty", "ListDetectors", moto.Answer{Output: m{"DetectorIds": []string{"d-1"}}})
		api := guardduty.NewFromConfig(config(w))
		if out, err := api.ListDetectors(t.Context(), &guardduty.ListDetectorsInput{MaxResults: aws.Int32(5)}); err != nil || out.DetectorIds[0] != "d-1" {
			t.Errorf("got %+v, %v", out, err)
		}
		if _, err := api.UpdateDetector(t.Context(), &guardduty.UpdateDetectorInput{DetectorId: aws.String("d-1"), Enable: aws.Bool(true), FindingPublishingFrequency: gdtypes.FindingPublishingFrequencySixHours}); err != nil {
			t.Errorf("got %v", err)
		}
		if _, err := api.UpdateDetector(t.Context(), &guardduty.UpdateDetectorInput{DetectorId: aws.String("d-2")}); code(err) != "BadRequestException" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("rest_xml", func(t *testing.T) {
		w := stub.World(t)
		w.On("s3", "GetPublicAccessBlock", moto.Answer{Output: m{"PublicAccessBlockConfiguration": m{"BlockPublicAcls": true}}})
		w.On("s3", "PutPublicAccessBlock", moto.Answer{})
		api := s3.NewFromConfig(config(w), func(o *s3.Options) { o.UsePathStyle = true })
		out, err := api.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: aws.String("b")})
		if err != nil || !*out.PublicAccessBlockConfiguration.BlockPublicAcls {
			t.Errorf("got %+v, %v", out, err)
		}
		if _, err := api.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: aws.String("b"), PublicAccessBlockConfiguration: out.PublicAccessBlockConfiguration}); err != nil {
			t.Error(err)
		}
	})
}

// TestStubProblems: what does not fit the model is seen by the test.
func TestStubProblems(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		service, operation, target, body, want string
		answer                                 moto.Answer
	}{
		"unknown_member":   {"ssm", "GetServiceSetting", "AmazonSSM.GetServiceSetting", `{"SettingId":"x","Other":1}`, "Other", moto.Answer{}},
		"missing_member":   {"ssm", "GetServiceSetting", "AmazonSSM.GetServiceSetting", `{}`, "SettingId", moto.Answer{}},
		"wrong_type":       {"ssm", "GetServiceSetting", "AmazonSSM.GetServiceSetting", `{"SettingId":["x"]}`, "SettingId", moto.Answer{}},
		"unknown_in_form":  {"ec2", "GetSnapshotBlockPublicAccessState", "", "Action=GetSnapshotBlockPublicAccessState&Version=2016-11-15&Dryrun=true", "Dryrun", moto.Answer{}},
		"no_script":        {"ssm", "GetServiceSetting", "AmazonSSM.ListDocuments", `{}`, "no answer is scripted", moto.Answer{}},
		"no_service":       {"ec2", "DescribeVpcs", "AmazonSSM.ListDocuments", `{}`, "no operation of a scripted service", moto.Answer{}},
		"unknown_in_reply": {"ssm", "GetServiceSetting", "AmazonSSM.GetServiceSetting", `{"SettingId":"x"}`, "Wrong", moto.Answer{Output: m{"Wrong": 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			w.On(tc.service, tc.operation, tc.answer)
			post(t, w, tc.target, tc.body)
			if got := strings.Join(w.Problems(), "\n"); !strings.Contains(got, tc.want) {
				t.Errorf("got problems %q, want one of %s", got, tc.want)
			}
		})
	}
}

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// post sends a request that no SDK would.
func post(t *testing.T, w *moto.StubWorld, target, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	service := "ec2"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if target != "" {
		service = "ssm"
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", target)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+w.AccessKeyID+"/20260101/eu-west-1/"+service+"/aws4_request, SignedHeaders=host, Signature=none")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}
