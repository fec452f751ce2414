package main

import (
	"context"
	"path/filepath"
)

// What scan and run were last told about modes and exemptions holds for the
// orders that follow (approve, reject, remediate, rollback), unless they are told
// otherwise: an approval must not slip past a list that it forgot to name.
const (
	rememberConfig     = "config"
	rememberMode       = "mode"
	rememberExemptions = "exemptions"
)

// noList is remembered where --no-exemptions was said.
const noList = "-"

// remember keeps the flags of scan and run.
func (s *session) remember(ctx context.Context) error {
	f := s.app.flags
	values := map[string]string{rememberMode: f.mode}
	for name, path := range map[string]string{rememberConfig: f.config, rememberExemptions: f.exemptions} {
		if path != "" {
			abs, err := filepath.Abs(path)
			if err != nil {
				return err
			}
			path = abs
		}
		values[name] = path
	}
	if f.noExemptions {
		values[rememberExemptions] = noList
	}
	return s.store.Remember(ctx, values)
}

// recall fills in the flags that an order leaves open.
func (s *session) recall(ctx context.Context) error {
	f := &s.app.flags
	get := func(name string) (string, error) { return s.store.Remembered(ctx, name) }
	if f.config == "" {
		path, err := get(rememberConfig)
		if err != nil {
			return err
		}
		if f.config = path; path != "" {
			if s.config, err = loadConfig(path); err != nil {
				return err
			}
			if s.settings, err = s.config.settings(); err != nil {
				return usage("%w", err)
			}
		}
	}
	if f.mode == "" {
		mode, err := get(rememberMode)
		if err != nil {
			return err
		}
		f.mode = mode
	}
	if f.exemptions == "" && !f.noExemptions {
		list, err := get(rememberExemptions)
		if err != nil {
			return err
		}
		f.noExemptions = list == noList
		if !f.noExemptions {
			f.exemptions = list
		}
	}
	return nil
}
