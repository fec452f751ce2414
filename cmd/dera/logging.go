package main

import (
	"context"
	"errors"
	"log/slog"

	"dera.example/dera/cloud"
)

// checkLog refuses a level or a format that there is not.
func (a *cli) checkLog() error {
	switch a.flags.logLevel {
	case "", "debug", "info", "warn", "error":
	default:
		return usage("%s is %q, must be debug, info, warn or error", a.source("log-level"), a.flags.logLevel)
	}
	switch a.flags.logFormat {
	case "", "text", "json":
		return nil
	}
	return usage("%s is %q, must be text or json", a.source("log-format"), a.flags.logFormat)
}

// logger writes what happens to standard error: as text on a terminal and as JSON
// elsewhere, unless --log-format says which. Never a secret, a token or a whole
// policy.
func (a *cli) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if a.flags.quiet {
		options.Level = slog.LevelError
	}
	var level slog.Level
	if a.flags.logLevel != "" && level.UnmarshalText([]byte(a.flags.logLevel)) == nil {
		options.Level = level
	}
	_, tty := terminal(a.err)
	if a.flags.logFormat == "text" || a.flags.logFormat == "" && tty {
		return slog.New(slog.NewTextHandler(a.err, options))
	}
	return slog.New(slog.NewJSONHandler(a.err, options))
}

// askedLog is the log of a command that writes none unless --log-level asks for it.
func (a *cli) askedLog() *slog.Logger {
	if a.flags.logLevel == "" {
		return nil
	}
	return a.logger()
}

// calls logs each call of AWS where the log shows that much.
func calls(log *slog.Logger) func(cloud.Call) {
	if log == nil || !log.Enabled(context.Background(), slog.LevelDebug) {
		return nil
	}
	return func(c cloud.Call) {
		args := []any{"service", c.Service, "operation", c.Operation, "account", c.Account, "region", c.Region}
		if c.Err != nil {
			args = append(args, "err", c.Err.Error())
		}
		log.Debug("called AWS", args...)
	}
}

// orProfile makes a profile that does not exist, or settings of AWS that are wrong,
// a wrong command line.
func orProfile(err error) error {
	var missing *cloud.ProfileError
	var wrong *cloud.SettingsError
	if errors.As(err, &missing) || errors.As(err, &wrong) {
		return &exitError{exitUsage, err}
	}
	return err
}
