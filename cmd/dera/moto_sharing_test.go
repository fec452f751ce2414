package main

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// config is the configuration of another client than dera's.
func (w *motoWorld) config() aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken),
	}
}

// shared is something that moto shares by a list, of which list tells how it stands.
type shared struct {
	id   string
	list func() []string
}

// sharingLoop: what is shared with everybody is found and fixed where that is automatic, and
// the accounts of the list stay; the rollback shares it with everybody again. What waits for
// a person is written when that approves.
func (w *motoWorld) sharingLoop(x shared, control, disposition string, others ...string) {
	w.t.Helper()
	all := append(slices.Clone(others), "all")
	if got := x.list(); !slices.Equal(got, all) {
		w.t.Fatalf("before: got %v, want %v", got, all)
	}
	if disposition == "auto" {
		w.settingLoop(finding{"public", control, "auto", "resolved"}, x.id, func() bool {
			w.t.Helper()
			got := x.list()
			if public := slices.Contains(got, "all"); public && slices.Equal(got, all) || !public && slices.Equal(got, others) {
				return !public
			}
			w.t.Errorf("got %v, want that others than everybody stay: %v", got, others)
			return false
		})
		return
	}
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got, want := findingsOf(r, x.id), (finding{"public", control, disposition, "open"}); !slices.Contains(got, want) {
		w.t.Errorf("findings: got %v, want %v", got, want)
	}
	w.decided(x, r, all, others)
}

// decided: nothing is written before a person approves, then those that are named go, and
// the rollback adds them back.
func (w *motoWorld) decided(x shared, r app.ScanReport, before, after []string) {
	w.t.Helper()
	if got := x.list(); !slices.Equal(got, before) {
		w.t.Errorf("before the approval: got %v, want %v as before", got, before)
	}
	w.approveAll(r, x.id)
	if got := x.list(); !slices.Equal(got, after) {
		w.t.Errorf("after the approval: got %v, want %v", got, after)
	}
	w.rollBackAll()
	if got := x.list(); !slices.Equal(got, before) {
		w.t.Errorf("after the rollback: got %v, want %v", got, before)
	}
}

const motoOther = "222222222222"

// TestMotoSharing: each kind of what is shared by a list is found, fixed, verified, rolled
// back and found again on an AWS that we did not write. Of what is private nothing is found.
func TestMotoSharing(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	for name, tc := range map[string]struct {
		control, disposition string
		others               []string
		make                 func(t *testing.T, w *motoWorld) shared
	}{
		"snapshot":        {"ec2-snapshot-public", "auto", []string{motoOther}, motoSnapshot},
		"image":           {"ec2-image-public", "review", []string{motoOther}, motoImage},
		"rds_snapshot":    {"rds-snapshot-public", "auto", []string{motoOther}, motoDBSnapshot},
		"rds_cluster":     {"rds-clustersnapshot-public", "auto", []string{motoOther}, motoClusterSnapshot},
		"document":        {"ssm-document-public", "auto", nil, motoDocument},
		"snapshot_to_one": {"ec2-snapshot-external-access", "review", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSettingWorld(t, server, tc.control)
			if tc.make != nil {
				w.sharingLoop(tc.make(t, w), tc.control, tc.disposition, tc.others...)
				return
			}
			x := motoSnapshot(t, w)
			r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
			if got, want := findingsOf(r, x.id), (finding{"account/" + motoOther, tc.control, "review", "open"}); !slices.Equal(got, []finding{want}) {
				t.Errorf("findings: got %v, want %v", got, want)
			}
			w.decided(x, r, []string{motoOther, "all"}, []string{"all"}) // everybody is another control's
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func motoSnapshot(t *testing.T, w *motoWorld) shared {
	t.Helper()
	api := ec2.NewFromConfig(w.config())
	volume, err := api.CreateVolume(t.Context(), &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1)})
	must(t, err)
	_, err = api.CreateSnapshot(t.Context(), &ec2.CreateSnapshotInput{VolumeId: volume.VolumeId}) // it stays private
	must(t, err)
	made, err := api.CreateSnapshot(t.Context(), &ec2.CreateSnapshotInput{VolumeId: volume.VolumeId})
	must(t, err)
	_, err = api.ModifySnapshotAttribute(t.Context(), &ec2.ModifySnapshotAttributeInput{
		SnapshotId: made.SnapshotId, Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission, OperationType: ec2types.OperationTypeAdd,
		GroupNames: []string{"all"}, UserIds: []string{motoOther},
	})
	must(t, err)
	return shared{*made.SnapshotId, func() (got []string) {
		out, err := api.DescribeSnapshotAttribute(t.Context(), &ec2.DescribeSnapshotAttributeInput{SnapshotId: made.SnapshotId, Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission})
		must(t, err)
		for _, p := range out.CreateVolumePermissions {
			got = append(got, string(p.Group)+aws.ToString(p.UserId))
		}
		slices.Sort(got)
		return got
	}}
}

func motoImage(t *testing.T, w *motoWorld) shared {
	t.Helper()
	api := ec2.NewFromConfig(w.config())
	made, err := api.RegisterImage(t.Context(), &ec2.RegisterImageInput{Name: aws.String("shop")})
	must(t, err)
	_, err = api.ModifyImageAttribute(t.Context(), &ec2.ModifyImageAttributeInput{ImageId: made.ImageId, LaunchPermission: &ec2types.LaunchPermissionModifications{
		Add: []ec2types.LaunchPermission{{Group: ec2types.PermissionGroupAll}, {UserId: aws.String(motoOther)}},
	}})
	must(t, err)
	return shared{*made.ImageId, func() (got []string) {
		out, err := api.DescribeImageAttribute(t.Context(), &ec2.DescribeImageAttributeInput{ImageId: made.ImageId, Attribute: ec2types.ImageAttributeNameLaunchPermission})
		must(t, err)
		for _, p := range out.LaunchPermissions {
			got = append(got, string(p.Group)+aws.ToString(p.UserId))
		}
		slices.Sort(got)
		return got
	}}
}

func motoDBSnapshot(t *testing.T, w *motoWorld) shared {
	t.Helper()
	api := rds.NewFromConfig(w.config())
	_, err := api.CreateDBInstance(t.Context(), &rds.CreateDBInstanceInput{DBInstanceIdentifier: aws.String("shop"), DBInstanceClass: aws.String("db.t3.micro"), Engine: aws.String("postgres"), AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("u"), MasterUserPassword: aws.String("passw0rd-1")})
	must(t, err)
	id := aws.String("before-upgrade")
	_, err = api.CreateDBSnapshot(t.Context(), &rds.CreateDBSnapshotInput{DBInstanceIdentifier: aws.String("shop"), DBSnapshotIdentifier: id})
	must(t, err)
	_, err = api.ModifyDBSnapshotAttribute(t.Context(), &rds.ModifyDBSnapshotAttributeInput{DBSnapshotIdentifier: id, AttributeName: aws.String("restore"), ValuesToAdd: []string{motoOther, "all"}})
	must(t, err)
	return shared{*id, func() []string {
		out, err := api.DescribeDBSnapshotAttributes(t.Context(), &rds.DescribeDBSnapshotAttributesInput{DBSnapshotIdentifier: id})
		must(t, err)
		return slices.Sorted(slices.Values(out.DBSnapshotAttributesResult.DBSnapshotAttributes[0].AttributeValues))
	}}
}

// motoClusterSnapshot is one of a cluster of Neptune, which has the calls of RDS.
func motoClusterSnapshot(t *testing.T, w *motoWorld) shared {
	t.Helper()
	api := rds.NewFromConfig(w.config())
	_, err := api.CreateDBCluster(t.Context(), &rds.CreateDBClusterInput{DBClusterIdentifier: aws.String("shop"), Engine: aws.String("neptune"), MasterUsername: aws.String("u"), MasterUserPassword: aws.String("passw0rd-1")})
	must(t, err)
	id := aws.String("before-upgrade")
	_, err = api.CreateDBClusterSnapshot(t.Context(), &rds.CreateDBClusterSnapshotInput{DBClusterIdentifier: aws.String("shop"), DBClusterSnapshotIdentifier: id})
	must(t, err)
	_, err = api.ModifyDBClusterSnapshotAttribute(t.Context(), &rds.ModifyDBClusterSnapshotAttributeInput{DBClusterSnapshotIdentifier: id, AttributeName: aws.String("restore"), ValuesToAdd: []string{motoOther, "all"}})
	must(t, err)
	return shared{*id, func() []string {
		out, err := api.DescribeDBClusterSnapshotAttributes(t.Context(), &rds.DescribeDBClusterSnapshotAttributesInput{DBClusterSnapshotIdentifier: id})
		must(t, err)
		return slices.Sorted(slices.Values(out.DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes[0].AttributeValues))
	}}
}

func motoDocument(t *testing.T, w *motoWorld) shared {
	t.Helper()
	api := ssm.NewFromConfig(w.config())
	id := aws.String("Install-Agent")
	_, err := api.CreateDocument(t.Context(), &ssm.CreateDocumentInput{Name: id, DocumentType: ssmtypes.DocumentTypeCommand, DocumentFormat: ssmtypes.DocumentFormatJson,
		Content: aws.String(`{"schemaVersion":"2.2","description":"x","mainSteps":[{"action":"aws:runShellScript","name":"x","inputs":{"runCommand":["true"]}}]}`)})
	must(t, err)
	_, err = api.ModifyDocumentPermission(t.Context(), &ssm.ModifyDocumentPermissionInput{Name: id, PermissionType: ssmtypes.DocumentPermissionTypeShare, AccountIdsToAdd: []string{"all"}, SharedDocumentVersion: aws.String("$LATEST")})
	must(t, err)
	return shared{*id, func() (got []string) {
		out, err := api.DescribeDocumentPermission(t.Context(), &ssm.DescribeDocumentPermissionInput{Name: id, PermissionType: ssmtypes.DocumentPermissionTypeShare})
		must(t, err)
		if len(out.AccountSharingInfoList) > 0 && *out.AccountSharingInfoList[0].SharedDocumentVersion != "$LATEST" {
			t.Errorf("got %v, want the version that was shared", *out.AccountSharingInfoList[0].SharedDocumentVersion)
		}
		return out.AccountIds
	}}
}
