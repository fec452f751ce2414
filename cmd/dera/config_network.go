package main

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"dera.example/dera/control"
	"dera.example/dera/evaluate"
	"dera.example/dera/netset"
)

// Widths of an entry of network.allow from which on someone answers for it: most
// organisations own nothing wider than a /16, or a /40 of IPv6.
const (
	wideIPv4 = 16
	wideIPv6 = 40
)

// mostPublic is the part of the public addresses of a family (of IPv6 those that
// are handed out, 2000::/3) that all of network.allow may cover, as one in n: with
// more, hardly anything would be external any more.
const mostPublic = 8

// allowEntry is one own public network: a CIDR alone, or with who answers for it.
type allowEntry allowDetail

type allowDetail struct {
	CIDR    string `yaml:"cidr" json:"cidr" jsonschema_description:"For example 198.51.100.0/24."`
	Owner   string `yaml:"owner,omitempty" json:"owner,omitempty" jsonschema_description:"Who answers for it. Mandatory for what is wider than /16 (IPv6: /40)."`
	Reason  string `yaml:"reason,omitempty" json:"reason,omitempty" jsonschema_description:"Why. Mandatory for what is wider."`
	Expires string `yaml:"expires,omitempty" json:"expires,omitempty" jsonschema:"pattern=^[0-9]{4}-[0-9]{2}-[0-9]{2}$" jsonschema_description:"Last day, in UTC; after it the entry does not apply any more. Mandatory for what is wider."`
}

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (a *allowEntry) UnmarshalYAML(b []byte) error {
	if err := yaml.Unmarshal(b, &a.CIDR); err == nil {
		return nil
	}
	return yaml.UnmarshalWithOptions(b, (*allowDetail)(a), yaml.Strict(), yaml.DisallowUnknownField())
}

// prefix is the network, and since when it does not apply any more; the zero time
// is never.
func (a allowEntry) prefix() (p netip.Prefix, until time.Time, err error) {
	if p, err = netset.Prefix(a.CIDR); err != nil {
		return p, until, err
	}
	if a.Expires != "" {
		day, err := time.Parse(time.DateOnly, a.Expires)
		if err != nil {
			return p, until, fmt.Errorf("expires %q is not a day such as 2027-01-31", a.Expires)
		}
		until = day.AddDate(0, 0, 1)
	}
	return p, until, nil
}

// keepInternal is network.keep_internal: one word, or CIDRs.
type keepInternal []string

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (k *keepInternal) UnmarshalYAML(b []byte) error {
	var list []string
	if err := yaml.Unmarshal(b, &list); err == nil {
		*k = list
		return nil
	}
	var word string
	if err := yaml.Unmarshal(b, &word); err != nil {
		return err
	}
	*k = keepInternal{word}
	return nil
}

func (k keepInternal) settings() (control.Internal, error) {
	if len(k) == 1 {
		switch k[0] {
		case control.KeepPrivate, control.KeepVPC, control.KeepNone:
			return control.Internal{Choice: k[0]}, nil
		}
	}
	if len(k) == 0 {
		return control.Internal{}, nil
	}
	var errs []error
	out := control.Internal{Choice: control.KeepNetworks}
	for i, text := range k {
		p, err := netset.Prefix(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("network.keep_internal[%d]: %w; write private, vpc or none, or a list of CIDRs", i, err))
			continue
		}
		out.Networks = append(out.Networks, p)
	}
	return out, errors.Join(errs...)
}

// answered returns what is missing of a wide entry.
func (a allowEntry) answered() error {
	var errs []error
	for _, f := range []struct{ name, text string }{{"owner", a.Owner}, {"reason", a.Reason}} {
		if err := evaluate.PlainText(f.text); err != nil {
			errs = append(errs, fmt.Errorf("%s %w", f.name, err))
		}
	}
	if a.Expires == "" {
		errs = append(errs, errors.New("expires is missing"))
	}
	return errors.Join(errs...)
}

func wide(p netip.Prefix) bool {
	return p.Addr().Is4() && p.Bits() < wideIPv4 || p.Addr().Is6() && p.Bits() < wideIPv6
}

// settings are the control settings of the file.
func (c fileConfig) settings() (control.Settings, error) {
	s := control.Settings{RuleQuota: c.Network.RuleQuota, Organization: c.Organization, Trusted: c.trusted(), RequireTLS: c.S3.RequireTLS}
	s.UnusedDays = configured(c.Permissions.WindowDays)
	s.AutoAWSManaged, s.NarrowResources = c.Permissions.AWSManaged == "auto", c.Permissions.Resources == "review"
	s.GraduationDays, s.FlowLogs = c.Permissions.Graduation, len(c.FlowLogs) > 0
	s.RequireReported = c.Permissions.ReportedUse == "required"
	s.Emergency = control.Emergency{Principals: c.BreakGlass.Principals, Roles: c.BreakGlass.Roles, Excluded: c.BreakGlass.Excluded}
	for _, a := range c.Accounts {
		s.Accounts = append(s.Accounts, a.ID)
	}
	for _, x := range c.Threats.Automatic {
		if from, err := x.From(); err == nil { // a wrong one is a fault of the configuration
			s.Threats = append(s.Threats, control.ThreatRule{Type: x.Type, Severity: from})
		}
	}
	var errs []error
	bad := func(i int, format string, args ...any) {
		errs = append(errs, fmt.Errorf("network.allow[%d]: %s", i, fmt.Sprintf(format, args...)))
	}
	var all, alone []netip.Prefix
	for i, a := range c.Network.Allow {
		p, until, err := a.prefix()
		if err != nil {
			bad(i, "%v", err)
			continue
		}
		all = append(all, p)
		switch err := a.answered(); {
		case wide(p) && err != nil:
			most := wideIPv4
			if p.Addr().Is6() {
				most = wideIPv6
			}
			bad(i, "%s is wider than /%d, so it needs an owner, a reason and an expiry (%s): write {cidr: %s, owner: NAME, reason: TEXT, expires: 2027-01-31}",
				p, most, strings.ReplaceAll(err.Error(), "\n", "; "), p)
		case err != nil && !wide(p):
			alone = append(alone, p)
		}
		if until.IsZero() {
			s.Allow = append(s.Allow, p)
		} else {
			s.Lapsing = append(s.Lapsing, control.Lapsing{Prefix: p, Until: until})
		}
	}
	errs = append(errs, tooMuch("allow", "detection", netset.AddrsOf(all...)))
	for _, p := range netset.AddrsOf(alone...).Prefixes() {
		if wide(p) && errors.Join(errs...) == nil {
			errs = append(errs, fmt.Errorf("network.allow: entries without owner, reason and expiry make up %s together: write it as one entry with these three", p))
		}
	}
	kept, err := c.Network.KeepInternal.settings()
	s.KeepInternal, errs = kept, append(errs, err)
	// What is public and stays open leaves the finding, so that the fix is refused.
	errs = append(errs, tooMuch("keep_internal", "remediation", netset.AddrsOf(kept.Networks...)))
	return s, errors.Join(errs...)
}

// tooMuch refuses networks that cover so much of the public addresses, in one
// piece or in many, that what dera is for would be off.
func tooMuch(field, what string, allow netset.Addrs) error {
	given := netset.AddrsOf(netip.MustParsePrefix("2000::/3"))
	part := func(of, part netset.Addrs) *big.Rat {
		count := func(a netset.Addrs) *big.Int {
			m := netset.Outside(a, netset.Addrs{})
			return new(big.Int).Add(new(big.Int).SetUint64(m.IPv4), m.IPv6.Big())
		}
		return new(big.Rat).SetFrac(count(part), count(of))
	}
	for _, f := range []struct {
		name string
		of   netset.Addrs
	}{{"IPv4", netset.Public().IPv4()}, {"IPv6", given}} {
		if p := part(f.of, f.of.Intersect(allow)); p.Cmp(big.NewRat(1, mostPublic)) > 0 {
			percent, _ := new(big.Rat).Mul(p, big.NewRat(100, 1)).Float64()
			return fmt.Errorf("network.%s: covers %.0f%% of the public %s addresses, and more than one in %d would switch %s off: write only networks that are your own", field, percent, f.name, mostPublic, what)
		}
	}
	return nil
}
