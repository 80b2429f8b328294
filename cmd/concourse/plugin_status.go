package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

type pluginStatus struct{ place }

func (*pluginStatus) Synopsis() string { return "Say how the users plugin is" }

func (*pluginStatus) Help() string {
	return `Usage: concourse plugin status [options]

  Shows the plugin's name, version, protocol, process, uptime, restarts,
  capabilities, what it cannot do, and checksum. For the owner of the home, and
  root.`
}

func (v *pluginStatus) Options(o *options) {
	v.define(o)
	o.formatOption()
}

func (v *pluginStatus) Run(ctx context.Context, c *console) error {
	h, err := v.dial(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	s, err := h.PluginStatus(ctx)
	if err != nil {
		return err
	}
	return c.plugin(s)
}

type jsonPlugin struct {
	State        string     `json:"state"`
	Name         string     `json:"name"`
	Version      string     `json:"version"`
	Protocol     int        `json:"protocol"`
	PID          int        `json:"pid"`
	StartedAt    *time.Time `json:"started_at"`
	Restarts     int        `json:"restarts"`
	Capabilities []string   `json:"capabilities"`
	SHA256       string     `json:"sha256"`
	Path         string     `json:"path"`
	Pinned       bool       `json:"pinned"`
	LastError    string     `json:"last_error"`
}

// missing says in words what a backend with these capabilities cannot do.
func missing(declared []string) (words []string) {
	for _, c := range []struct{ name, words string }{
		{account.CapabilityChange, "change accounts"},
		{account.CapabilityDurable, "keep accounts beyond its process"},
		{account.CapabilityApply, "apply files of accounts"},
		{account.CapabilityExport, "export password hashes"},
		{account.CapabilityBackup, "back up"},
		{account.CapabilityRecover, "recover an administrator"},
		{account.CapabilityRestore, "restore a backup"},
	} {
		if !slices.Contains(declared, c.name) {
			words = append(words, c.words)
		}
	}
	return words
}

func (c *console) plugin(s management.PluginStatus) error {
	if c.json {
		return notPrinted(writeJSON(c.out, jsonPlugin{
			s.State, s.Name, s.Version, s.Protocol, s.PID, jsonTime(s.StartedAt), s.Restarts,
			append([]string{}, s.Capabilities...), s.SHA256, s.Path, s.Pinned, s.LastError,
		}))
	}
	lines := []string{
		"State:        " + s.State,
		"Name:         " + s.Name,
		"Version:      " + s.Version,
		fmt.Sprintf("Protocol:     %d", s.Protocol),
	}
	if !s.StartedAt.IsZero() {
		lines = append(lines,
			fmt.Sprintf("Process:      %d", s.PID),
			fmt.Sprintf("Uptime:       %s", time.Since(s.StartedAt).Round(time.Second)))
	}
	pin := "not pinned"
	if s.Pinned {
		pin = "pinned"
	}
	lines = append(lines,
		fmt.Sprintf("Restarts:     %d", s.Restarts),
		"Capabilities: "+cmp.Or(strings.Join(s.Capabilities, ", "), "none"))
	if missing := missing(s.Capabilities); len(missing) > 0 {
		lines = append(lines, "Cannot:       "+strings.Join(missing, ", "))
	}
	lines = append(lines,
		"Executable:   "+s.Path,
		fmt.Sprintf("SHA-256:      %s (%s)", s.SHA256, pin))
	if s.LastError != "" {
		lines = append(lines, "Last error:   "+s.LastError)
	}
	return c.say(c.display.wrapped(lines)...)
}
