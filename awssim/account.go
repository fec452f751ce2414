package awssim

import "fmt"

// Account is a handle on one account of a [Cloud]. Handles of the same account are interchangeable.
type Account struct {
	cloud *Cloud
	id    string
}

// Account returns the account with the given twelve digits and makes it on first use: with its root user and an
// administrator "admin". It panics if the ID is not twelve digits.
func (c *Cloud) Account(id string) *Account {
	checkAccountID(id)
	a := &Account{cloud: c, id: id}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.principals[a.rootKey()] == nil {
		root := &principal{account: id, arn: "arn:aws:iam::" + id + ":root", id: id, created: c.now()}
		root.credentials = Credentials{AccessKeyID: a.rootKey(), SecretAccessKey: c.ids.key("", 40)}
		c.principals[a.rootKey()] = root
		a.addUser("admin", []string{"*"})
	}
	return a
}

// ID returns the twelve digits.
func (a *Account) ID() string { return a.id }

// Credentials returns the static credentials of the account's IAM user "admin", who may do everything.
func (a *Account) Credentials() Credentials { return a.UserCredentials("admin") }

// RootCredentials returns the static credentials of the account's root user. As on AWS, root may not assume a role.
func (a *Account) RootCredentials() Credentials {
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	return a.cloud.principals[a.rootKey()].credentials
}

// AddUser adds an IAM user who may do the given actions ("ec2:Describe*", "*") on every resource, and returns its static
// credentials. Adding a user of the same name again replaces its permissions and keeps its credentials.
func (a *Account) AddUser(name string, allowedActions ...string) Credentials {
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	return a.addUser(name, allowedActions)
}

// UserCredentials returns the credentials of a user that was added. It panics if there is none.
func (a *Account) UserCredentials(name string) Credentials {
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	u := a.user(name)
	if u == nil {
		panic(fmt.Sprintf("awssim: account %s has no user %q", a.id, name))
	}
	return u.credentials
}

// AddRole adds a role that principals of trustAccount may assume, with the external ID if one is given, and whose
// sessions may do the allowed actions on every resource. Patterns know * and ?. It returns the role's ARN.
// Adding a role of the same name again replaces it, at once also for its sessions, as AWS does.
func (a *Account) AddRole(name, trustAccount, externalID string, allowedActions ...string) string {
	checkAccountID(trustAccount)
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	r := &role{
		account: a.id, name: name, arn: "arn:aws:iam::" + a.id + ":role/" + name,
		trustAccount: trustAccount, externalID: externalID, allowed: allowActions(allowedActions),
	}
	if old, ok := a.cloud.roles[r.arn]; ok {
		r.id = old.id
	} else {
		r.id = a.cloud.ids.key("AROA", 17)
	}
	a.cloud.roles[r.arn] = r
	return r.arn
}

// rootKey is the access key of root: from the account alone, so that a record of it is easy to read.
func (a *Account) rootKey() string {
	return "AKIAROOT" + a.id
}

func (a *Account) user(name string) *principal {
	for _, p := range a.cloud.principals {
		if p.account == a.id && p.user == name {
			return p
		}
	}
	return nil
}

func (a *Account) addUser(name string, allowedActions []string) Credentials {
	ids := a.cloud.ids
	u := &principal{
		account: a.id, user: name, arn: "arn:aws:iam::" + a.id + ":user/" + name,
		allowed: allowActions(allowedActions), created: a.cloud.now(),
	}
	if old := a.user(name); old != nil {
		u.id, u.credentials = old.id, old.credentials
	} else {
		u.id = ids.key("AIDA", 17)
		u.credentials = Credentials{AccessKeyID: ids.key("AKIA", 16), SecretAccessKey: ids.key("", 40)}
	}
	a.cloud.principals[u.credentials.AccessKeyID] = u
	return u.credentials
}
