package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
)

// checkConfig finds what the start would refuse: the file itself, the files that
// it names, and the data folder. It creates nothing and calls nothing.
func (a *cli) checkConfig(path string) (fileConfig, []fault, error) {
	c, t, err := readConfig(path)
	var found *configError
	if err != nil && !errors.As(err, &found) {
		return c, nil, err
	}
	var faults []fault
	if found != nil {
		faults = found.faults
		c = c.relativeTo(filepath.Dir(path))
	}
	for _, err := range a.checkFiles(c) {
		faults = append(faults, t.faults(err)...)
	}
	faults = inOrder(faults)
	for _, err := range checkData(a.flags.data) {
		faults = append(faults, fault{Message: err.Error()})
	}
	return c, faults, nil
}

// checkFiles looks at the files that the configuration names.
func (a *cli) checkFiles(c fileConfig) (errs []error) {
	if c.Exemptions != "" {
		cfg := exemptionConfig()
		cfg.Now = a.now()
		if _, err := cfg.Load(c.Exemptions); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("%w; write the path of the list, from the folder of this file", err)
			}
			errs = append(errs, fmt.Errorf("exemptions: %w", plain{err}))
		}
	}
	for i, path := range c.FlowLogs {
		if _, err := os.Stat(path); err != nil {
			errs = append(errs, fmt.Errorf("flow_logs[%d]: %w; write the path of a file or folder that is there", i, err))
		}
	}
	return errs
}

// plain keeps an error of several faults in one piece.
type plain struct{ err error }

func (p plain) Error() string { return p.err.Error() }

// checkData looks at the data folder, if there is one yet.
func checkData(dir string) (errs []error) {
	if err := othersRead(dir); err != nil {
		errs = append(errs, err)
	}
	keys := filepath.Join(dir, "keys")
	if err := othersRead(keys); err != nil {
		errs = append(errs, err)
	}
	_, err := os.Stat(filepath.Join(dir, "dera.db"))
	made := err == nil
	for _, key := range []struct {
		name string
		load func() error
	}{
		{"vault.key", func() error {
			if _, err := audit.LoadWrappedKey(keys); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			_, err := audit.LoadVault(keys, nil)
			return err
		}},
		{"audit.key", func() error {
			if _, err := audit.RemoteKeyOf(keys); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if _, err := os.Stat(filepath.Join(keys, "audit.pub")); err != nil {
				_, err = os.Stat(filepath.Join(keys, "audit.key"))
				return err // to load it would write audit.pub again
			}
			_, err := audit.LoadFileKey(keys)
			return err
		}},
	} {
		switch err := key.load(); {
		case errors.Is(err, fs.ErrNotExist) && made:
			errs = append(errs, fmt.Errorf("%s is missing, and %s was made with it: restore it from the backup", filepath.Join(keys, key.name), filepath.Join(dir, "dera.db")))
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, err)
		}
	}
	return errs
}

// othersRead returns an error if others than its owner may look into a folder.
func othersRead(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // the start makes it
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	case !info.IsDir():
		return fmt.Errorf("data folder: %s is a file; name a folder with --data", dir)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("data folder %s: others can read it (mode %04o), and findings and keys lie in it: chmod 700 %[1]s", dir, info.Mode().Perm())
	}
	return nil
}

// hidingWarnings are the parts of a configuration that hide more, or less, than
// whoever wrote them may think.
func (a *cli) hidingWarnings(c fileConfig) (out []string) {
	for field, globs := range map[string][]string{"break_glass.resources": c.BreakGlass.Resources, "own_resources": c.OwnResources} {
		for _, typ := range evaluate.EveryOf(services.Types(), globs) {
			out = append(out, field+": covers every "+typ+", so dera changes none of them: narrow it")
		}
	}
	if all, on := len(services.Controls()), len(c.controls()); on < all {
		out = append(out, fmt.Sprintf("controls: %d of %d controls run; what the others check is not seen", on, all))
	}
	slices.Sort(out)
	for i, e := range c.Network.Allow {
		p, until, err := e.prefix()
		switch left := until.Sub(a.now()); {
		case err != nil || until.IsZero():
		case left <= 0:
			out = append(out, fmt.Sprintf("network.allow[%d]: %s lapsed on %s and does not apply any more: remove it or renew it", i, p, e.Expires))
		case left <= 14*24*time.Hour:
			out = append(out, fmt.Sprintf("network.allow[%d]: %s lapses on %s", i, p, e.Expires))
		}
	}
	return out
}

// configWarnings are what works and someone should look at.
func (a *cli) configWarnings(c fileConfig) []string {
	out := a.hidingWarnings(c)
	if c.enforces("") && c.Exemptions == "" {
		out = append(out, "enforce is configured without an exemption list: dera run and dera scan --apply then require --exemptions FILE or --no-exemptions")
	}
	for _, d := range c.Modes {
		if d.Account != "" && len(c.Accounts) > 0 && !matchesAccount(c, d.Account) {
			out = append(out, fmt.Sprintf("modes: account %q matches no entry of accounts", d.Account))
		}
	}
	if c.Exemptions != "" {
		cfg := exemptionConfig()
		cfg.Now = a.now()
		if list, err := cfg.Load(c.Exemptions); err == nil {
			for _, w := range list.Warnings {
				line, _, _ := strings.Cut(w.String(), "\n")
				out = append(out, line)
			}
		}
	}
	return out
}

func matchesAccount(c fileConfig, glob string) bool {
	for _, a := range c.Accounts {
		if dera.MatchGlob(glob, a.ID) {
			return true
		}
	}
	return false
}
