package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
)

// defaultConfig is the configuration in the current folder that is used where none
// is named and none is remembered.
const defaultConfig = "dera.yaml"

// foundConfig returns the configuration in the current folder, or "".
func foundConfig() string {
	if info, err := os.Stat(defaultConfig); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return defaultConfig
}

// configuration is the configuration of a command that works without the store:
// the one that is named, else the one in the current folder, else none.
func (a *cli) configuration() (fileConfig, error) {
	if a.flags.config == "" {
		a.flags.config = foundConfig()
	}
	a.noteConfig()
	c, err := loadConfig(a.flags.config)
	return c, a.named("config", err)
}

// noteConfig names the configuration in use where no flag did.
func (a *cli) noteConfig() {
	switch name := a.from["config"]; {
	case name != "":
		a.note("dera: uses the configuration %s, named by %s\n", a.flags.config, name)
	case a.flags.config == defaultConfig && !a.namedConfig:
		a.note("dera: uses the configuration %s, found in the current folder; --config names another\n", a.flags.config)
	}
}

// actsOnFound says, also under --quiet, that a command that changes AWS goes by a
// configuration that merely lies in the current folder.
func (a *cli) actsOnFound(command string) {
	if a.namedConfig || a.from["config"] != "" || a.flags.config == "" {
		return
	}
	here, err := filepath.Abs(defaultConfig)
	used, err2 := filepath.Abs(a.flags.config)
	if err == nil && err2 == nil && here == used {
		a.alert("dera: %s uses the configuration found in the current folder, %s\n", command, here)
	}
}

// written refuses a configuration without a word in it.
func written(path string, text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return usage("%s: the file is empty: write at least version: 1", path)
	}
	return nil
}

// relativeTo makes the paths of the file relative to its folder, so that it means
// the same wherever a command runs.
func (c fileConfig) relativeTo(dir string) fileConfig {
	from := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	c.Exemptions = from(c.Exemptions)
	c.FlowLogs = slices.Clone(c.FlowLogs)
	for i := range c.FlowLogs {
		c.FlowLogs[i] = from(c.FlowLogs[i])
	}
	c.Notify.Sinks = slices.Clone(c.Notify.Sinks)
	for i := range c.Notify.Sinks {
		c.Notify.Sinks[i].TokenFile = from(c.Notify.Sinks[i].TokenFile)
	}
	c.Notify.Code.GitHub.TokenFile = from(c.Notify.Code.GitHub.TokenFile)
	c.Notify.Code.GitLab.TokenFile = from(c.Notify.Code.GitLab.TokenFile)
	c.Listen.Cert, c.Listen.Key, c.Listen.Slack.SecretFile = from(c.Listen.Cert), from(c.Listen.Key), from(c.Listen.Slack.SecretFile)
	c.Console.Cert, c.Console.Key, c.Console.OIDC.SecretFile = from(c.Console.Cert), from(c.Console.Key), from(c.Console.OIDC.SecretFile)
	return c
}
