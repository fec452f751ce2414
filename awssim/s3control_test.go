package awssim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/google/go-cmp/cmp"
)

func doorPolicy(principal string) string {
	arn := "arn:aws:s3:" + east + ":" + hub + ":accesspoint/door"
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"` + arn + `/object/*"}]}`
}

func TestAccessPoint(t *testing.T) {
	t.Parallel()
	cloud, now := newCloud(t)
	legacy(t, cloud, "media")
	c, account, door := controlClient(cloud, hub), aws.String(hub), aws.String("door")
	made := must(c.CreateAccessPoint(t.Context(), &s3control.CreateAccessPointInput{AccountId: account, Bucket: aws.String("media"), Name: door}))(t)
	if got, want := *made.AccessPointArn, "arn:aws:s3:"+east+":"+hub+":accesspoint/door"; got != want || !strings.HasSuffix(*made.Alias, "-s3alias") {
		t.Errorf("made: got %s, %s, want %s", got, *made.Alias, want)
	}
	_, err := c.CreateAccessPoint(t.Context(), &s3control.CreateAccessPointInput{AccountId: account, Bucket: aws.String("media"), Name: door})
	wantCode(t, err, "AccessPointAlreadyOwnedByYou", 409)
	_, err = c.CreateAccessPoint(t.Context(), &s3control.CreateAccessPointInput{AccountId: account, Bucket: aws.String("nobody"), Name: aws.String("gate")})
	wantCode(t, err, "InvalidRequest", 400)
	read := must(c.GetAccessPoint(t.Context(), &s3control.GetAccessPointInput{AccountId: account, Name: door}))(t)
	p := read.PublicAccessBlockConfiguration
	if *read.Bucket != "media" || read.NetworkOrigin != types.NetworkOriginInternet || !*p.BlockPublicPolicy || !*p.BlockPublicAcls || !read.CreationDate.Equal(now.Now()) {
		t.Errorf("read: got %+v, %+v", read, p)
	}

	_, err = c.GetAccessPointPolicy(t.Context(), &s3control.GetAccessPointPolicyInput{AccountId: account, Name: door})
	wantCode(t, err, "NoSuchAccessPointPolicy", 404)
	_, err = c.PutAccessPointPolicy(t.Context(), &s3control.PutAccessPointPolicyInput{AccountId: account, Name: door, Policy: aws.String(doorPolicy(`"*"`))})
	wantCode(t, err, "AccessDenied", 403)
	document := doorPolicy(`{"AWS":"` + member + `"}`)
	must(c.PutAccessPointPolicy(t.Context(), &s3control.PutAccessPointPolicyInput{AccountId: account, Name: door, Policy: &document}))(t)
	if got := *must(c.GetAccessPointPolicy(t.Context(), &s3control.GetAccessPointPolicyInput{AccountId: account, Name: door}))(t).Policy; got != document {
		t.Errorf("policy: got %s, want %s", got, document)
	}
	if got := must(c.GetAccessPointPolicyStatus(t.Context(), &s3control.GetAccessPointPolicyStatusInput{AccountId: account, Name: door}))(t); got.PolicyStatus.IsPublic {
		t.Error("policy for one account: got public")
	}
	if got := cloud.Snapshot().AccessPoints; len(got) != 1 || got[0].Policy != document || got[0].Bucket != "media" {
		t.Errorf("snapshot: got %+v", got)
	}
	must(c.DeleteAccessPointPolicy(t.Context(), &s3control.DeleteAccessPointPolicyInput{AccountId: account, Name: door}))(t)
	must(c.DeleteAccessPoint(t.Context(), &s3control.DeleteAccessPointInput{AccountId: account, Name: door}))(t)
	_, err = c.GetAccessPoint(t.Context(), &s3control.GetAccessPointInput{AccountId: account, Name: door})
	wantCode(t, err, "NoSuchAccessPoint", 404)
	var got []string
	for _, e := range cloud.Events() {
		if strings.Contains(e.Name, "AccessPoint") && !e.ReadOnly && e.ErrorCode == "" {
			got = append(got, e.Name)
		}
	}
	if want := []string{"CreateAccessPoint", "PutAccessPointPolicy", "DeleteAccessPointPolicy", "DeleteAccessPoint"}; !slices.Equal(got, want) {
		t.Errorf("events: got %v, want %v", got, want)
	}
}

// TestOpenAccessPoint: without its own block an access point can be public, unless the account's block forbids it.
func TestOpenAccessPoint(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	legacy(t, cloud, "media")
	r := cloud.Account(hub).Region(east)
	if err := r.CreateAccessPoint(t.Context(), "door", "media", &awssim.PublicAccessBlock{}); err != nil {
		t.Fatal(err)
	}
	if err := r.PutAccessPointPolicy(t.Context(), "door", doorPolicy(`"*"`)); err != nil {
		t.Fatal(err)
	}
	out := must(controlClient(cloud, hub).GetAccessPointPolicyStatus(t.Context(), &s3control.GetAccessPointPolicyStatusInput{AccountId: aws.String(hub), Name: aws.String("door")}))(t)
	if !out.PolicyStatus.IsPublic {
		t.Error("policy for everyone: got not public")
	}
	if err := r.PutAccountPublicAccessBlock(t.Context(), &awssim.PublicAccessBlock{BlockPublicPolicy: true}); err != nil {
		t.Fatal(err)
	}
	if err := r.PutAccessPointPolicy(t.Context(), "door", doorPolicy(`"*"`)); err == nil {
		t.Error("public policy under the account's block: got no error")
	}
}

func TestListAccessPoints(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	r := cloud.Account(hub).Region(east)
	for _, name := range []string{"media", "other"} {
		legacy(t, cloud, name)
		for i := range 3 {
			if err := r.CreateAccessPoint(t.Context(), fmt.Sprintf("door%d-%s", i, name), name, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	pages := func(in s3control.ListAccessPointsInput) (pages [][]string, err error) {
		in.AccountId = aws.String(hub)
		for p := s3control.NewListAccessPointsPaginator(controlClient(cloud, hub), &in); p.HasMorePages(); {
			out, err := p.NextPage(t.Context())
			if err != nil {
				return pages, err
			}
			var names []string
			for _, a := range out.AccessPointList {
				names = append(names, *a.Name)
			}
			pages = append(pages, names)
		}
		return pages, nil
	}
	got := must(pages(s3control.ListAccessPointsInput{Bucket: aws.String("media"), MaxResults: 2}))(t)
	if diff := cmp.Diff([][]string{{"door0-media", "door1-media"}, {"door2-media"}}, got); diff != "" {
		t.Errorf("pages of a bucket (-want +got):\n%s", diff)
	}
	if got := must(pages(s3control.ListAccessPointsInput{}))(t); len(got) != 1 || len(got[0]) != 6 {
		t.Errorf("all: got %v, want six on one page", got)
	}
	cloud.Inject(awssim.Fault{Kind: awssim.PartialPage, Match: awssim.Match{Operation: "ListAccessPoints"}})
	cut, err := pages(s3control.ListAccessPointsInput{})
	wantCode(t, err, "InvalidRequest", 400)
	if len(cut) != 1 || len(cut[0]) != 3 {
		t.Errorf("partial page: got %v, want one of three", cut)
	}
}
