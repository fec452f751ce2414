// Package wire reads and writes access keys of users on IAM.
package wire

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/accesskey"
	iamwire "dera.example/dera/services/iam/wire"
)

// Wire returns how access keys are read and written.
func Wire() cloud.Wire {
	t := accesskey.Type()
	return cloud.Wire{
		Type: accesskey.Name, Parts: t.Parts, Operations: t.Operations, Find: find, Sample: sample, Unread: unread, AtOnce: 4, Times: 5,
		Readers: []cloud.Reader{
			{Parts: []string{accesskey.PartUse}, Call: "iam:GetAccessKeyLastUsed", One: readUse},
			cloud.Ported(resource.PortThreats, []string{accesskey.PartThreats}, readThreats),
			cloud.Ported(resource.PortLedger, []string{accesskey.PartRecord}, readRecord),
		},
		Do:      map[string]func(context.Context, *cloud.Writing) error{accesskey.Update: update},
		Answers: iamwire.Answers("GetAccountAuthorizationDetails", "GetUser", "ListAccessKeys", "GetAccessKeyLastUsed", "UpdateAccessKey"),

		ConfigRules: []string{"ACCESS_KEYS_ROTATED", "IAM_USER_UNUSED_CREDENTIALS_CHECK"},
	}
}

// find returns the keys of the users on one page of the account's, or those that are
// named. A user that was deleted meanwhile has none. Each user costs a call, and each
// active key one more: 5,000 users are 100 pages of at most 151 calls.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	if r.Scope.Sweep() {
		users, next, err := iamwire.Users(ctx, r)
		if err != nil {
			return found, err
		}
		hidden := 0
		for _, u := range users {
			items, err := keysOf(ctx, r, u)
			if cloud.Is(err, cloud.Denied) {
				if hidden++; hidden < len(users) || r.Scope.Page != "" {
					items, err = []*cloud.Item{unlisted(r, u)}, nil
				}
			}
			if err != nil {
				return cloud.Found{}, err
			}
			found.Items = append(found.Items, items...)
		}
		found.Next = next
		return found, nil
	}
	for _, id := range r.Scope.IDs {
		x, err := named(ctx, r, id)
		if err != nil {
			return cloud.Found{}, err
		}
		if x == nil {
			found.Missing = append(found.Missing, id)
			continue
		}
		found.Items = append(found.Items, x)
	}
	return found, nil
}

// named is the key with the ID, or nil where the user or the key does not exist.
func named(ctx context.Context, r *cloud.Reading, id string) (*cloud.Item, error) {
	name, _, ok := accesskey.Split(id)
	all := name != "" && id == accesskey.IDOf(name, accesskey.Unlisted)
	if !ok && !(all && own.UserKind.ValidName(name)) {
		return nil, nil
	}
	e, err := iamwire.Get(ctx, r, own.UserKind, name)
	if iamwire.NoSuchEntity(err, "iam:GetUser") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	u := iamwire.User{Name: name, ARN: e.ARN, Tags: e.Tags}
	items, err := keysOf(ctx, r, u)
	if all && cloud.Is(err, cloud.Denied) {
		return unlisted(r, u), nil
	}
	if err != nil {
		return nil, err
	}
	for _, x := range items {
		if x.ID == id {
			return x, nil
		}
	}
	return nil, nil
}

// unlisted stands for the keys of a user that may not be listed, so that they hide those
// of nobody else: nothing is known of them. Where no user's may be on the first page, the
// read fails.
func unlisted(r *cloud.Reading, u iamwire.User) *cloud.Item {
	x := cloud.NewItem(r, accesskey.IDOf(u.Name, accesskey.Unlisted), u.Name, accesskey.ARNOf(u.ARN, accesskey.Unlisted), &accesskey.Key{User: u.Name, ID: accesskey.Unlisted, Tags: u.Tags})
	x.Tags = u.Tags
	x.Has(accesskey.PartKey, accesskey.PartUse, accesskey.PartRecord, accesskey.PartThreats)
	return x
}

// keysOf reads the keys of a user, once a read. What it tells of each is all but the
// last use.
func keysOf(ctx context.Context, r *cloud.Reading, u iamwire.User) ([]*cloud.Item, error) {
	list, err := cloud.Once(r, "access keys of "+u.Name, func() (list []types.AccessKeyMetadata, err error) {
		err = cloud.List(r, cloud.Listing[*iam.ListAccessKeysOutput, types.AccessKeyMetadata]{
			Call: "iam:ListAccessKeys", Of: "access keys",
			Page: func(token *string) (*iam.ListAccessKeysOutput, error) {
				return iamwire.IAM(r).ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String(u.Name), Marker: token})
			},
			On: func(p *iam.ListAccessKeysOutput) ([]types.AccessKeyMetadata, *string) {
				return p.AccessKeyMetadata, p.Marker
			},
		}, func(k types.AccessKeyMetadata) error {
			id := aws.ToString(k.AccessKeyId)
			if !accesskey.ValidID(id) || aws.ToString(k.UserName) != u.Name || k.Status == "" || k.CreateDate == nil {
				return cloud.Foreign("it has an access key %.140q of the user %.70q, want one of %s with its status and date", id, aws.ToString(k.UserName), u.Name)
			}
			list = append(list, k)
			return nil
		})
		return list, err
	})
	if iamwire.NoSuchEntity(err, "iam:ListAccessKeys") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var items []*cloud.Item
	active := slices.DeleteFunc(slices.Clone(list), func(k types.AccessKeyMetadata) bool { return k.Status != types.StatusTypeActive })
	slices.SortStableFunc(active, func(a, b types.AccessKeyMetadata) int { return a.CreateDate.Compare(*b.CreateDate) })
	for _, k := range list {
		id := aws.ToString(k.AccessKeyId)
		config := &accesskey.Key{User: u.Name, ID: id, Tags: u.Tags, Status: string(k.Status), Age: iamwire.Days(*k.CreateDate, r.At)}
		x := cloud.NewItem(r, accesskey.IDOf(u.Name, id), u.Name, accesskey.ARNOf(u.ARN, id), config)
		x.Tags = u.Tags
		if x.Has(accesskey.PartKey); config.Status != accesskey.Active {
			x.Has(accesskey.PartUse, accesskey.PartRecord, accesskey.PartThreats) // nobody can use it
		} else {
			config.Others, config.Newest = len(active)-1, len(active) > 1 && aws.ToString(active[len(active)-1].AccessKeyId) == id
		}
		items = append(items, x)
	}
	return items, nil
}

// readUse asks when the key was used last. IAM says N/A, and no date, of a key that was
// never used.
func readUse(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	k := x.Config.(*accesskey.Key)
	out, err := iamwire.IAM(r).GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: aws.String(k.ID)})
	if err != nil {
		return err
	}
	last := out.AccessKeyLastUsed
	switch {
	case last == nil || aws.ToString(out.UserName) != k.User:
		return cloud.Foreign("it is not about a key of the user %.70q", k.User)
	case last.LastUsedDate == nil && aws.ToString(last.ServiceName) != "N/A":
		return cloud.Foreign("it names a service and no date")
	case last.LastUsedDate == nil:
		k.Idle = k.Age
		return nil
	}
	k.Service = aws.ToString(last.ServiceName)
	if k.Idle = iamwire.Days(*last.LastUsedDate, r.At); k.Idle > k.Age || k.Service == "" {
		return cloud.Foreign("it says that the key was used %d days ago with %.40q, and it was made %d days ago", k.Idle, k.Service, k.Age)
	}
	return nil
}

// readRecord asks the usage ledger about the users. One that it does not answer for is
// unknown, which stands against nothing: AWS tells when the key was used last.
func readRecord(ctx context.Context, r *cloud.Reading, ledger resource.Ledger, items []*cloud.Item) error {
	var arns []string
	for _, x := range items {
		arns = append(arns, string(x.ARN.Whole()))
	}
	uses, err := iamwire.Used(ctx, r, ledger, arns)
	if err != nil {
		return err
	}
	for _, x := range items {
		use, ok := uses[string(x.ARN.Whole())]
		if !ok {
			continue
		}
		k := x.Config.(*accesskey.Key)
		k.Quiet = k.QuietBefore(use)
		use.Calls = nil
		if k.Record = &use; !use.Seen.IsZero() {
			days := iamwire.Days(use.Seen, r.At)
			k.Called = &days
		}
	}
	return nil
}

// readThreats asks what GuardDuty reports about the keys, by their users.
func readThreats(ctx context.Context, r *cloud.Reading, from resource.Threatening, items []*cloud.Item) error {
	at := r.Scope
	at.Partition, at.Page, at.IDs = cloud.PartitionOf(r.Scope), "", nil
	if !r.Scope.Sweep() {
		for _, x := range items {
			at.IDs = append(at.IDs, x.Config.(*accesskey.Key).User)
		}
	}
	known, err := from.Threats(ctx, at, resource.ThreatUser)
	if err != nil {
		return err
	}
	for _, x := range items {
		k := x.Config.(*accesskey.Key)
		k.Threats = known.About(accesskey.Answered(), k.Is)
	}
	return nil
}

// unread: of a key whose last use is not known, nothing is concluded from its status.
func unread(config any, part string) {
	k := config.(*accesskey.Key)
	switch part {
	case accesskey.PartRecord:
		return
	case accesskey.PartThreats:
		k.Threats = nil
		return
	}
	*k = accesskey.Key{User: k.User, ID: k.ID, Tags: k.Tags, Age: k.Age}
}

// sample returns a key of one of the first users.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	users, _, err := iamwire.Users(ctx, r)
	if err != nil {
		return "", err
	}
	for _, u := range users {
		if items, err := keysOf(ctx, r, u); err != nil || len(items) > 0 {
			if err != nil {
				return "", err
			}
			return items[0].ID, nil
		}
	}
	return "", nil
}

// update makes a key active or inactive.
func update(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	name, key, ok := accesskey.Split(in.Resource)
	var status string
	if err := json.Unmarshal(in.Value, &status); err != nil || !ok || status == "" {
		return w.Fail(accesskey.Update, errors.New("it takes a key by user and ID, and Active or Inactive"))
	}
	_, err = iamwire.Writer(w).UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: aws.String(name), AccessKeyId: aws.String(key), Status: types.StatusType(status)})
	return err
}
