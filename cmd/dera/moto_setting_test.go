package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// newSettingWorld is an account of moto that is looked at with some controls alone.
func newSettingWorld(t *testing.T, server *moto.Server, controls string) *motoWorld {
	t.Helper()
	w := &motoWorld{t: t, server: server, creds: server.Account(t), dir: t.TempDir()}
	w.use(w.creds)
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte("version: 1\nsettle: 10ms\ncontrols: ["+controls+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// settingLoop finds a setting that is off, fixes it, finds nothing more, takes it
// back and finds it again. isOn is how the setting stands, reported by another client
// than dera's.
func (w *motoWorld) settingLoop(want finding, name string, isOn func() bool) {
	w.t.Helper()
	if isOn() {
		w.t.Fatal("it is on before anything is done")
	}
	r := w.scan(exitGood, "--apply", "--mode", "enforce", "--no-exemptions")
	if got := findingsOf(r, name); len(got) != 1 || got[0] != want {
		w.t.Errorf("findings: got %v, want %v", got, want)
	}
	if !isOn() {
		w.t.Error("it is off after the fix")
	}
	if again := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(again) != 0 {
		w.t.Errorf("the next look finds %+v, want nothing open", again.Findings)
	}
	w.rollBackAll()
	if isOn() {
		w.t.Error("it is on after the rollback")
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		w.t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

// openOf counts the findings that are not resolved.
func openOf(r app.ScanReport) (n int) {
	for _, f := range r.Findings {
		if f.State != "resolved" {
			n++
		}
	}
	return n
}

// keyed answers GetEbsDefaultKmsKeyId, which moto does not have, and sends
// everything else on.
func keyed(t *testing.T, server *moto.Server, key string) string {
	t.Helper()
	to, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if form, _ := url.ParseQuery(string(body)); form.Get("Action") == "GetEbsDefaultKmsKeyId" {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, `<GetEbsDefaultKmsKeyIdResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><kmsKeyId>`+key+`</kmsKeyId></GetEbsDefaultKmsKeyIdResponse>`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestMotoEBSDefault: encryption by default is found off, switched on and off again;
// under a key of the customer's own a person decides.
func TestMotoEBSDefault(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	for name, tc := range map[string]struct{ key, disposition, state string }{
		"managed_key": {"alias/aws/ebs", "auto", "resolved"},
		"own_key":     {"arn:aws:kms:us-east-1:111122223333:key/k-1", "review", "open"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSettingWorld(t, server, "ec2-ebs-*")
			t.Setenv("AWS_ENDPOINT_URL", keyed(t, server, tc.key))
			api := ec2.New(ec2.Options{
				Region: "us-east-1", BaseEndpoint: aws.String(server.URL()),
				Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken),
			})
			isOn := func() bool {
				t.Helper()
				out, err := api.GetEbsEncryptionByDefault(t.Context(), &ec2.GetEbsEncryptionByDefaultInput{})
				if err != nil {
					t.Fatal(err)
				}
				return aws.ToBool(out.EbsEncryptionByDefault)
			}
			want := finding{"enabled", "ec2-ebs-default-encryption-off", tc.disposition, tc.state}
			if tc.state == "resolved" {
				w.settingLoop(want, "us-east-1", isOn)
				return
			}
			r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
			if len(r.Findings) != 1 || r.Findings[0].Disposition.String() != tc.disposition || !strings.Contains(r.Findings[0].Why, tc.key) || isOn() {
				t.Errorf("got %+v, enabled %t, want it to wait and to name the key", r.Findings, isOn())
			}
		})
	}
}

// TestMotoKeyRotation: of three keys one could rotate and does not; it does after the
// fix, and not after the rollback. The others are no matter.
func TestMotoKeyRotation(t *testing.T) {
	w := newSettingWorld(t, moto.Start(t, moto.Config{}), "kms-key-*")
	api := kms.New(kms.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken),
	})
	var ids []string
	for _, in := range []kms.CreateKeyInput{
		{KeyUsage: types.KeyUsageTypeEncryptDecrypt}, {KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify}, {KeyUsage: types.KeyUsageTypeEncryptDecrypt},
	} {
		out, err := api.CreateKey(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, *out.KeyMetadata.KeyId) // moto leaves the use out where none is asked for
	}
	if _, err := api.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &ids[2]}); err != nil {
		t.Fatal(err)
	}
	w.settingLoop(finding{"rotation", "kms-key-rotation-off", "auto", "resolved"}, ids[0], func() bool {
		t.Helper()
		out, err := api.GetKeyRotationStatus(t.Context(), &kms.GetKeyRotationStatusInput{KeyId: &ids[0]})
		if err != nil {
			t.Fatal(err)
		}
		return out.KeyRotationEnabled
	})
	r := w.scan(exitNo, "--mode", "observe", "--no-exemptions")
	for _, id := range ids[1:] {
		if got := findingsOf(r, id); len(got) > 0 {
			t.Errorf("a key that does not rotate: got %v", got)
		}
	}
}
