// Package wire reads and writes the policies of EFS file systems.
package wire

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/efs/filesystem"
	shared "dera.example/dera/services/policies/wire"
)

// Wire returns how EFS file systems are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: filesystem.Type(), Policy: filesystem.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "elasticfilesystem:DescribeFileSystems", List: list, ReadCall: "elasticfilesystem:DescribeFileSystemPolicy", Read: read,
		TagsCall: "elasticfilesystem:ListTagsForResource", Tags: tags,
		Gone: []string{"FileSystemNotFound"}, PutAction: filesystem.PutPolicy, Put: put,
		Answers:     map[string]cloud.Shape{"EFS DescribeFileSystems": {Members: []string{"FileSystems"}}, "EFS DescribeFileSystemPolicy": {Members: []string{"Policy"}}},
		ConfigRules: []string{"EFS_*"},
	}.Wire()
}

func api(r *cloud.Reading) *efs.Client {
	return cloud.Service(r, "efs", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *efs.Client { return efs.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{MaxItems: aws.Int32(100), Marker: token})
	if err != nil {
		return nil, nil, err
	}
	for _, x := range out.FileSystems {
		ids = append(ids, aws.ToString(x.FileSystemId))
	}
	return ids, out.NextMarker, nil
}

func read(ctx context.Context, r *cloud.Reading, id string) (string, error) {
	out, err := api(r).DescribeFileSystemPolicy(ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: aws.String(id)})
	if err == nil && aws.ToString(out.FileSystemId) != id {
		err = cloud.Foreign("it is about %.80q, want %s", aws.ToString(out.FileSystemId), id)
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

func tags(ctx context.Context, r *cloud.Reading, id string) (map[string]string, error) {
	all := map[string]string{}
	for in := (&efs.ListTagsForResourceInput{ResourceId: aws.String(id)}); ; {
		out, err := api(r).ListTagsForResource(ctx, in)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, shared.Tags(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }))
		if out.NextToken == nil || aws.ToString(out.NextToken) == aws.ToString(in.NextToken) {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

// put leaves EFS's check on that the caller may put a policy again.
func put(ctx context.Context, w *cloud.Writing, id, text string) error {
	_, err := efs.NewFromConfig(w.Config).PutFileSystemPolicy(ctx, &efs.PutFileSystemPolicyInput{FileSystemId: aws.String(id), Policy: aws.String(text)})
	return err
}
