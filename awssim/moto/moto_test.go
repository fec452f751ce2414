package moto_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dera.example/dera/awssim/moto"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func client(s *moto.Server, c moto.Credentials) *sts.Client {
	return sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	})
}

func TestServer(t *testing.T) {
	t.Parallel()
	s := moto.Start(t, moto.Config{})
	first, second := s.Account(t), s.Account(t)
	if first.Account == second.Account {
		t.Fatalf("two fresh accounts: got %s twice", first.Account)
	}
	who, err := client(s, second).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(who.Account); got != second.Account {
		t.Errorf("account of the session: got %s, want %s", got, second.Account)
	}
	onward := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + first.Account + ":role/onward"), RoleSessionName: aws.String("test")}
	for _, enforced := range []bool{false, true, false} {
		if err := s.Enforce(t.Context(), enforced); err != nil {
			t.Fatal(err)
		}
		_, err := client(s, second).AssumeRole(t.Context(), onward)
		if denied := err != nil; denied != enforced {
			t.Errorf("a role without policies, enforcement %t: got error %v", enforced, err)
		}
	}
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if answer, err := http.Get(s.URL()); err == nil {
		answer.Body.Close()
		t.Error("a closed server still answers")
	}
}

func TestLaunchWithoutMoto(t *testing.T) {
	fake := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho 4.0.0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MOTO_PYTHON", fake)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := moto.Launch(ctx, moto.Config{})
	if err == nil || !strings.Contains(err.Error(), "is 4.0.0, not "+moto.Version) {
		t.Errorf("another release: got error %v", err)
	}
	t.Setenv("MOTO_PYTHON", filepath.Join(t.TempDir(), "absent"))
	if _, err := moto.Launch(ctx, moto.Config{}); err == nil || !strings.Contains(err.Error(), "find moto") {
		t.Errorf("no python: got error %v", err)
	}
}
