package main

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"

	"dera.example/dera"
)

// Under what the data was last worked on: the configuration, mode and exemption
// list that a scan or run named, until another one names others. One that names
// none goes by what is remembered and changes nothing of it, so that no command
// slips past an exemption list that it forgot to name.
const (
	rememberConfig     = "config"
	rememberMode       = "mode"
	rememberExemptions = "exemptions"
	rememberAccounts   = "accounts" // that were covered last, with commas
)

// noList is remembered where --no-exemptions was said.
const noList = "-"

// remember keeps the flags that scan and run were given.
func (s *session) remember(ctx context.Context) error {
	f := s.named
	var accounts []string
	for _, a := range s.accounts {
		accounts = append(accounts, a.ID)
	}
	values := map[string]string{rememberAccounts: strings.Join(accounts, ",")}
	path := func(name, file string) error {
		abs, err := filepath.Abs(file)
		values[name] = abs
		return err
	}
	if f.config != "" {
		if err := path(rememberConfig, f.config); err != nil {
			return err
		}
		values[rememberMode] = "" // of the other configuration
		if s.config.Exemptions != "" {
			values[rememberExemptions] = "" // the configuration names its own
		}
	}
	if f.mode != "" {
		values[rememberMode] = f.mode
	}
	switch {
	case f.noExemptions:
		values[rememberExemptions] = noList
	case f.exemptions != "":
		if err := path(rememberExemptions, f.exemptions); err != nil {
			return err
		}
	}
	return s.store.Remember(ctx, values)
}

// recall fills in configuration and exemption list where the command line names
// none, and for an order the mode.
func (s *session) recall(ctx context.Context, order bool) error {
	f := &s.app.flags
	was := map[string]string{}
	for _, name := range []string{rememberConfig, rememberMode, rememberExemptions} {
		value, err := s.store.Remembered(ctx, name)
		if err != nil {
			return err
		}
		was[name] = value
	}
	s.app.uses(was[rememberConfig], strings.TrimPrefix(was[rememberExemptions], noList))
	same := f.config == ""
	if f.config != "" {
		abs, err := filepath.Abs(f.config)
		same = err == nil && abs == was[rememberConfig]
	} else if path := was[rememberConfig]; path != "" {
		cfg, err := loadConfig(path)
		if err != nil {
			return usage("the configuration that an earlier scan or run named cannot be used; name the one in force with --config: %w", err)
		}
		if s.settings, err = cfg.settings(); err != nil {
			return usage("%w", err)
		}
		s.config, f.config = cfg, path
	} else if path := foundConfig(); path != "" {
		cfg, err := loadConfig(path)
		if err != nil {
			return err
		}
		if s.settings, err = cfg.settings(); err != nil {
			return usage("%w", err)
		}
		// Nobody named it, so that it is not remembered, and replaces no list.
		s.config, f.config, same = cfg, path, false
		if list := was[rememberExemptions]; list != noList {
			f.exemptions = cmp.Or(f.exemptions, list)
		}
	}
	if order && f.mode == "" {
		f.mode = was[rememberMode]
	}
	switch list := was[rememberExemptions]; {
	case f.exemptions != "" || f.noExemptions:
	case list == noList: // it was said of that configuration, and of no mode that is named now
		f.noExemptions = same && (order || s.named.mode == "")
	case same || s.config.Exemptions == "":
		f.exemptions = list
	}
	s.app.uses(append([]string{f.config, f.exemptions, s.config.Exemptions}, s.config.FlowLogs...)...)
	s.noteRecalled()
	return nil
}

// noteRecalled names what the command goes by and no flag named.
func (s *session) noteRecalled() {
	s.app.noteConfig()
	var by []string
	f := s.app.flags
	if f.config != s.named.config && f.config != defaultConfig {
		by = append(by, "configuration "+f.config)
	}
	switch {
	case f.noExemptions != s.named.noExemptions:
		by = append(by, "no exemption list")
	case f.exemptions != s.named.exemptions:
		by = append(by, "exemption list "+f.exemptions)
	}
	if len(by) == 0 {
		return
	}
	unused := ""
	if here, err := filepath.Abs(defaultConfig); err == nil && foundConfig() != "" && f.config != s.named.config && here != f.config {
		unused = "; " + defaultConfig + " in the current folder is not used"
	}
	s.app.note("dera: uses %s, as an earlier scan or run did; --config and --exemptions name others%s\n", strings.Join(by, " and "), unused)
}

// recallOffline is recall for a command that only shows what is stored: it works
// without a configuration too.
func (s *session) recallOffline(ctx context.Context) {
	if err := s.recall(ctx, true); err != nil {
		s.app.alert("dera: warning: %v\n", err)
		s.blind = true
	}
}

// covered reports whether the configuration in force covers a finding: its
// account, its region and its control. Without accounts in it, those of the last scan
// or run count.
func (s *session) covered(ctx context.Context) (func(f dera.Finding) bool, error) {
	accounts, err := s.coveredAccounts(ctx)
	if err != nil {
		return nil, err
	}
	runs, in := map[string]bool{}, map[string]bool{} // there can be thousands of accounts, and a place for each type in each
	for _, c := range s.config.controls() {
		runs[c.ID] = true
	}
	for _, id := range accounts {
		in[id] = true
	}
	return func(f dera.Finding) bool {
		return runs[f.Control] && (len(in) == 0 || in[f.Account]) && s.coversRegion(f.Region)
	}, nil
}

// coversRegion reports whether the configuration has the region; a command line
// that names regions says nothing about the others.
func (s *session) coversRegion(region string) bool {
	list := s.config.Regions
	return len(list) == 0 || len(s.named.regions) > 0 || s.named.allRegions || region == dera.GlobalRegion || slices.Contains(list, region)
}

// coveredAccounts are those of the configuration in force or, without any in it, of
// the last scan or run.
func (s *session) coveredAccounts(ctx context.Context) ([]string, error) {
	var accounts []string
	for _, a := range s.config.Accounts {
		accounts = append(accounts, a.ID)
	}
	if len(accounts) > 0 {
		return accounts, nil
	}
	text, err := s.store.Remembered(ctx, rememberAccounts)
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' }), err
}
