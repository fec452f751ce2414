// Package wire reads and writes with whom documents of Systems Manager are shared.
package wire

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/sharing"
	"dera.example/dera/services/ssm/document"
	shared "dera.example/dera/services/ssm/wire"
)

const pageSize = 50 // the most that ListDocuments gives; the list of each is one call more

// Wire returns how documents are read and written: a page of a sweep costs one call, and each
// document on it one more for its list.
func Wire() cloud.Wire {
	t := document.Type()
	o := cloud.Owning{Call: "ssm:ListDocuments", Page: page, ARN: t.ARN, Absent: []string{"InvalidDocument"}}
	return cloud.Wire{
		Type: document.Name, Parts: t.Parts, Operations: t.Operations, Find: o.Find, Sample: o.Sample, Gone: o.Gone, AtOnce: 4, Times: 15,
		Readers: []cloud.Reader{{Parts: []string{sharing.Part}, Call: "ssm:DescribeDocumentPermission", One: readList}},
		Do:      map[string]func(context.Context, *cloud.Writing) error{document.Modify: modify},
		Answers: map[string]cloud.Shape{ // the write answers nothing
			"SSM ListDocuments": {Members: []string{"DocumentIdentifiers"}}, "SSM DescribeDocument": {Members: []string{"Document"}},
			"SSM DescribeDocumentPermission": {Members: []string{"AccountIds"}},
		},
		ConfigRules: []string{"SSM_DOCUMENT_NOT_PUBLIC"},
	}
}

// page asks for the account's own documents. One that is named is described: of a name that
// it does not have Systems Manager says so.
func page(ctx context.Context, r *cloud.Reading, id string, token *string) ([]cloud.Owned, *string, error) {
	if id != "" {
		out, err := shared.SSM(r).DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: aws.String(id)})
		if err != nil || out.Document == nil {
			return nil, nil, err
		}
		d := out.Document
		return []cloud.Owned{owned(d.Name, d.Owner, string(d.DocumentType), d.Tags)}, nil, nil
	}
	out, err := shared.SSM(r).ListDocuments(ctx, &ssm.ListDocumentsInput{
		Filters: []types.DocumentKeyValuesFilter{{Key: aws.String("Owner"), Values: []string{"Self"}}}, MaxResults: aws.Int32(pageSize), NextToken: token,
	})
	if err != nil || out.DocumentIdentifiers == nil {
		return nil, nil, err
	}
	list := []cloud.Owned{}
	for _, d := range out.DocumentIdentifiers {
		list = append(list, owned(d.Name, d.Owner, string(d.DocumentType), d.Tags))
	}
	return list, out.NextToken, nil
}

func owned(name, owner *string, typ string, list []types.Tag) cloud.Owned {
	var tags map[string]string
	for _, t := range list {
		if tags == nil {
			tags = map[string]string{}
		}
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	id := aws.ToString(name)
	return cloud.Owned{ID: id, Owner: aws.ToString(owner), Tags: tags, Config: &sharing.Shared{ID: id, Of: typ, Tags: tags}}
}

// readList reads who may use a document, and which version of it.
func readList(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	members, versions := []string{}, map[string]string{}
	err := cloud.Walk(func(token *string) (*string, error) {
		out, err := shared.SSM(r).DescribeDocumentPermission(ctx, &ssm.DescribeDocumentPermissionInput{Name: aws.String(x.ID), PermissionType: types.DocumentPermissionTypeShare, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, m := range out.AccountIds {
			members = append(members, member(m))
		}
		for _, i := range out.AccountSharingInfoList {
			if v := aws.ToString(i.SharedDocumentVersion); v != "" {
				versions[member(aws.ToString(i.AccountId))] = v
			}
		}
		return out.NextToken, nil
	})
	if err != nil {
		return err
	}
	c := x.Config.(*sharing.Shared)
	if len(versions) > 0 {
		c.Versions = versions
	}
	c.With, err = sharing.Sorted(members)
	return err
}

// member is everybody by one name: Systems Manager knows it in any case of letters.
func member(m string) string {
	if strings.EqualFold(m, sharing.All) {
		return sharing.All
	}
	return m
}

// modify names the members that come, with the version that they had, or go, and no other.
func modify(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[sharing.Members](w.Operation)
	if err != nil {
		return err
	}
	out := &ssm.ModifyDocumentPermissionInput{Name: aws.String(in.Resource), PermissionType: types.DocumentPermissionTypeShare, AccountIdsToAdd: in.Add, AccountIdsToRemove: in.Remove}
	if in.Version != "" {
		out.SharedDocumentVersion = aws.String(in.Version)
	}
	_, err = ssm.NewFromConfig(w.Config).ModifyDocumentPermission(ctx, out)
	return err
}
