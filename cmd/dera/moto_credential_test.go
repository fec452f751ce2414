package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera.example/dera/awssim/moto"
)

// newCredentialWorld is an account of moto that is looked at with some controls on
// credentials. Its clock is 100 days behind until behind says otherwise.
func newCredentialWorld(t *testing.T, controls string) *iamWorld {
	t.Helper()
	w := &iamWorld{clock: filepath.Join(t.TempDir(), "clock")}
	w.behind(t, 100)
	server := moto.Start(t, moto.Config{Env: []string{"MOTO_CLOCK=" + w.clock}})
	w.motoWorld = newSettingWorld(t, server, controls)
	w.quiet(t, "controls: ["+controls+"]")
	w.iam = iam.New(iam.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken),
	})
	return w
}

// accessKey makes a key of a user and returns its ID.
func (w *iamWorld) accessKey(user string) string {
	w.t.Helper()
	out, err := w.iam.CreateAccessKey(w.t.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.AccessKey.AccessKeyId
}

// quiet writes a configuration without quiet hours, so that the day of the week does not
// matter.
func (w *iamWorld) quiet(t *testing.T, config string) {
	t.Helper()
	text := "version: 1\nsettle: 10ms\npermissions: {quiet_hours: {off: true}}\n" + config + "\n"
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// status is that of a key of a user.
func (w *iamWorld) status(user, key string) string {
	w.t.Helper()
	out, err := w.iam.ListAccessKeys(w.t.Context(), &iam.ListAccessKeysInput{UserName: &user})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range out.AccessKeyMetadata {
		if *k.AccessKeyId == key {
			return string(k.Status)
		}
	}
	return "none"
}

// TestMotoAccessKeys: of the keys of three users one that nobody ever used becomes
// inactive, and active again by the rollback. A new one stays, one that is inactive
// already is no matter, that of a break-glass user is exempt, and that of a user for
// backups waits.
func TestMotoAccessKeys(t *testing.T) {
	w := newCredentialWorld(t, "iam-accesskey-*")
	for name, path := range map[string]string{"ann": "/staff/", "emergency-2": "/", "db-backup": "/"} {
		w.must(w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(name), Path: aws.String(path)}))
	}
	unused, glass, backup := w.accessKey("ann"), w.accessKey("emergency-2"), w.accessKey("db-backup")
	w.behind(t, 0)
	fresh := w.accessKey("ann")
	w.quiet(t, fmt.Sprintf("controls: [iam-accesskey-*]\nbreak_glass: {principals: ['%s']}", w.arn("user", "emergency-2")))
	statuses := func() string {
		return fmt.Sprint(w.status("ann", unused), w.status("ann", fresh), w.status("emergency-2", glass), w.status("db-backup", backup))
	}
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	for name, want := range map[string][]finding{
		"ann#" + unused:        {{"status", "iam-accesskey-unused", "auto", "resolved"}},
		"ann#" + fresh:         {{"status", "iam-accesskey-second", "review", "open"}}, // while the other one was active
		"emergency-2#" + glass: {{"status", "iam-accesskey-unused", "exempt", "open"}},
		"db-backup#" + backup:  {{"status", "iam-accesskey-unused", "review", "open"}},
	} {
		if got := findingsOf(r, name); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got, want := statuses(), "InactiveActiveActiveActive"; got != want {
		t.Errorf("after the fix: got %s, want %s", got, want)
	}
	w.approveAll(r, "db-backup#"+backup)
	if got, want := statuses(), "InactiveActiveActiveInactive"; got != want {
		t.Errorf("after the approval: got %s, want %s", got, want)
	}
	w.rollBackAll()
	if got, want := statuses(), "ActiveActiveActiveActive"; got != want {
		t.Errorf("after the rollback: got %s, want %s", got, want)
	}
	if again := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions"); statuses() != "ActiveActiveActiveActive" {
		t.Errorf("after the rollback: got %s, want what a person took back to wait: %v", statuses(), findingsOf(again, "ann#"+unused))
	}
	w.must(w.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("ann"), AccessKeyId: &unused}))
	r = w.scan(exitNo, "--mode", "observe", "--no-exemptions")
	if got := findingsOf(r, "ann#"+unused); len(got) != 1 || got[0].State != "resolved" {
		t.Errorf("a key that was deleted: got %v, want its finding resolved", got)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

// TestMotoAccessKeyInUseAgain: a key that its owner makes active again after dera made it
// inactive waits for a person.
func TestMotoAccessKeyInUseAgain(t *testing.T) {
	w := newCredentialWorld(t, "iam-accesskey-*")
	w.must(w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}))
	key := w.accessKey("ann")
	w.behind(t, 0)
	w.scan(exitGood, "--apply", "--mode", "enforce", "--no-exemptions")
	if got := w.status("ann", key); got != "Inactive" {
		t.Fatalf("after the fix: got %s", got)
	}
	w.must(w.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: aws.String("ann"), AccessKeyId: &key, Status: "Active"}))
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got, want := findingsOf(r, "ann#"+key), []finding{{"status", "iam-accesskey-unused", "review", "open"}}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("findings: got %v, want %v", got, want)
	}
	if got := w.status("ann", key); got != "Active" {
		t.Errorf("after its owner: got %s", got)
	}
}

// TestMotoPasswordPolicy: a policy of the account is made stricter where it is weak and
// stays where it is stricter; an account without one gets one, and has none again after the
// rollback.
func TestMotoPasswordPolicy(t *testing.T) {
	own := types.PasswordPolicy{
		MinimumPasswordLength: aws.Int32(20), RequireNumbers: true, MaxPasswordAge: aws.Int32(60), ExpirePasswords: true, PasswordReusePrevention: aws.Int32(3),
		AllowUsersToChangePassword: true,
	}
	for name, before := range map[string]*types.PasswordPolicy{"none": nil, "own": &own} {
		t.Run(name, func(t *testing.T) {
			w := newCredentialWorld(t, "iam-passwordpolicy-*")
			want := types.PasswordPolicy{
				MinimumPasswordLength: aws.Int32(14), RequireNumbers: true, RequireSymbols: true, RequireLowercaseCharacters: true, RequireUppercaseCharacters: true, PasswordReusePrevention: aws.Int32(24),
			}
			if before != nil {
				w.must(w.iam.UpdateAccountPasswordPolicy(t.Context(), &iam.UpdateAccountPasswordPolicyInput{
					MinimumPasswordLength: before.MinimumPasswordLength, RequireNumbers: true, MaxPasswordAge: before.MaxPasswordAge, PasswordReusePrevention: before.PasswordReusePrevention,
					AllowUsersToChangePassword: true,
				}))
				want.MinimumPasswordLength, want.MaxPasswordAge, want.ExpirePasswords, want.AllowUsersToChangePassword = before.MinimumPasswordLength, before.MaxPasswordAge, true, true
			}
			look := func() *types.PasswordPolicy {
				out, err := w.iam.GetAccountPasswordPolicy(t.Context(), &iam.GetAccountPasswordPolicyInput{})
				if absent := (*types.NoSuchEntityException)(nil); errors.As(err, &absent) {
					return nil
				}
				if err != nil {
					t.Fatal(err)
				}
				out.PasswordPolicy.HardExpiry = nil // moto says false and nothing, and 0 days for no age
				if aws.ToInt32(out.PasswordPolicy.MaxPasswordAge) == 0 {
					out.PasswordPolicy.MaxPasswordAge = nil
				}
				return out.PasswordPolicy
			}
			r := w.scan(exitGood, "--apply", "--mode", "enforce", "--no-exemptions")
			if got, want := findingsOf(r, w.creds.Account), []finding{{"password-policy", "iam-passwordpolicy-weak", "auto", "resolved"}}; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("findings: got %v, want %v", got, want)
			}
			if d := cmp.Diff(&want, look(), cmpopts.IgnoreUnexported(types.PasswordPolicy{})); d != "" {
				t.Errorf("after the fix (-want +got):\n%s", d)
			}
			w.rollBackAll()
			if d := cmp.Diff(before, look(), cmpopts.IgnoreUnexported(types.PasswordPolicy{})); d != "" {
				t.Errorf("after the rollback (-want +got):\n%s", d)
			}
			if out, _, code := w.dera("audit", "verify"); code != exitGood {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}

// TestMotoRoot: what the account summary says of the root user is reported, and nothing is
// planned, whatever mode it is.
func TestMotoRoot(t *testing.T) {
	w := newCredentialWorld(t, "iam-root-*")
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got, want := findingsOf(r, "root"), []finding{{"mfa", "iam-root-no-mfa", "alert", "open"}}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("findings: got %v, want %v", got, want)
	}
	for _, f := range r.Findings {
		if f.Plan != nil {
			t.Errorf("%s has a plan: %+v", f.Key, f.Plan)
		}
	}
	if _, _, code := w.dera("remediate", r.Findings[0].ID, "--mode", "enforce", "--no-exemptions"); code == exitGood {
		t.Error("dera remediate on the root user ends well")
	}
}

// TestMotoPasswords: of four users those with a password are judged, and nothing of them is
// changed: who has no MFA device, and whose password nobody used, waits for a person.
func TestMotoPasswords(t *testing.T) {
	w := newCredentialWorld(t, "iam-loginprofile-*")
	for _, name := range []string{"ann", "bob", "ci", "eve"} {
		w.must(w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(name)}))
	}
	password := func(name string) {
		w.must(w.iam.CreateLoginProfile(t.Context(), &iam.CreateLoginProfileInput{UserName: aws.String(name), Password: aws.String("Hunter2-hunter2-hunter2")}))
	}
	password("ann")
	password("bob")
	w.behind(t, 0)
	for _, name := range []string{"bob", "eve"} {
		device, err := w.iam.CreateVirtualMFADevice(t.Context(), &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String(name)})
		if err != nil {
			t.Fatal(err)
		}
		w.must(w.iam.EnableMFADevice(t.Context(), &iam.EnableMFADeviceInput{
			UserName: aws.String(name), SerialNumber: device.VirtualMFADevice.SerialNumber, AuthenticationCode1: aws.String("123456"), AuthenticationCode2: aws.String("654321"),
		}))
	}
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	for name, want := range map[string][]finding{
		"ann#password": {{"mfa", "iam-loginprofile-no-mfa", "review", "open"}, {"unused", "iam-loginprofile-unused", "review", "open"}},
		"bob#password": {{"unused", "iam-loginprofile-unused", "review", "open"}},
		"ci#password":  nil, // neither has a password; to moto all were made in 2011
		"eve#password": nil,
	} {
		if got := findingsOf(r, name); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"ann", "bob"} {
		w.must(w.iam.GetLoginProfile(t.Context(), &iam.GetLoginProfileInput{UserName: aws.String(name)}))
	}
}
