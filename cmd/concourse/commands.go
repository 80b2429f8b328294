package main

import "github.com/mitchellh/cli"

// commands lists every command there is. 'user' is an alias of 'users', see
// findRoute.
func commands() map[string]cli.CommandFactory {
	all := map[string]cli.CommandFactory{}
	for name, g := range map[string]group{
		"users":  {"Administer accounts, grants and sessions", "Usage: concourse users <subcommand> [options] [arguments]\n\n  Administers the accounts of a running host. 'concourse user' is the same."},
		"plugin": {"See to the users plugin", "Usage: concourse plugin <subcommand> [options] [arguments]\n\n  Sees to the plugin of a running host, for the owner of the home, and helps to\n  write one. No account is asked for."},
	} {
		all[name] = func() (cli.Command, error) { return &g, nil }
	}
	for name, make := range map[string]func() verb{
		"start":                func() verb { return &start{} },
		"config":               func() verb { return &showConfig{} },
		"sessions":             func() verb { return &operatorSessions{} },
		"backup":               func() verb { return &backupStore{} },
		"restore":              func() verb { return &restoreStore{} },
		"recover":              func() verb { return &recoverAccount{} },
		"plugin init":          func() verb { return &pluginInit{} },
		"plugin status":        func() verb { return &pluginStatus{} },
		"plugin reload":        func() verb { return &pluginReload{} },
		"plugin verify":        func() verb { return &pluginVerify{} },
		"users create":         func() verb { return &usersCreate{} },
		"users edit":           func() verb { return &usersEdit{} },
		"users password":       func() verb { return &usersPassword{} },
		"users delete":         func() verb { return &usersDelete{} },
		"users grant":          func() verb { return &usersGrant{} },
		"users revoke":         func() verb { return &usersRevoke{} },
		"users suspend":        func() verb { return &usersSuspend{} },
		"users enable":         func() verb { return &usersEnable{} },
		"users sessions":       func() verb { return &usersSessions{} },
		"users list":           func() verb { return &usersList{} },
		"users show":           func() verb { return &usersShow{} },
		"users apply":          func() verb { return &usersApply{} },
		"users export":         func() verb { return &usersExport{} },
		"users import":         func() verb { return &usersImport{} },
		"users disconnect":     func() verb { return &usersDisconnect{} },
		"users check-password": func() verb { return &usersCheckPassword{} },
	} {
		all[name] = func() (cli.Command, error) { return newCommand(name, make()), nil }
	}
	return all
}

// groups are the commands that only hold others.
var groups = []string{"", "users", "plugin"}

// group shows the help of the commands that it holds; findRoute never runs it.
type group struct{ synopsis, help string }

func (g *group) Synopsis() string { return g.synopsis }
func (g *group) Help() string     { return g.help }
func (g *group) Run([]string) int { return cli.RunResultHelp }
