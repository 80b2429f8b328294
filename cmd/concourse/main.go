package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mitchellh/cli"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/process"
	"github.com/cinchapi/concourse-users/shared/version"
)

func main() {
	process.ForbidCoreDumps()
	os.Exit(run(os.Args[1:]))
}

// run hands the library one command at a time. Its traps are avoided here: it
// takes -h, --version and --autocomplete-install for its own wherever they
// stand, so a command's arguments go behind "--", where it does not look; its
// exit codes for an unknown command (127), for a missing one (0 or 1) and for
// misplaced options (1) never come up, because what it would reject is
// rejected before; and its streams are told apart.
func run(args []string) int {
	library := cli.NewCLI("concourse", "concourse "+version.String())
	library.Commands = commands()
	library.HelpFunc = rootHelp
	library.HelpWriter = os.Stdout
	library.ErrorWriter = os.Stderr
	r := route{}
	if line := os.Getenv("COMP_LINE"); line != "" {
		completeAlias(line)
	} else {
		var err error
		if r, err = findRoute(args, library.Commands); err != nil {
			return fail(os.Stderr, asksForJSON(args), err)
		}
	}
	if library.Args = r.args; r.missing != "" {
		library.HelpWriter = os.Stderr
	}
	code, err := library.Run()
	switch {
	case r.completes():
		sentence, err := reportCompletion(r.args[0], err)
		if err != nil {
			return fail(os.Stderr, false, err)
		}
		return printText(sentence)
	case err != nil:
		return fail(os.Stderr, false, err)
	case r.missing != "":
		return fail(os.Stderr, false, account.Invalid("", "'%s' needs one of these subcommands", r.missing))
	}
	return code
}

// route is what the library is given to run.
type route struct {
	args    []string
	missing string // the group that lacks its subcommand, after its help
}

func (r route) completes() bool {
	return len(r.args) == 1 && (r.args[0] == installCompletion || r.args[0] == uninstallCompletion)
}

// globals are the options that stand alone, in the library's spelling.
var globals = map[string]string{
	"-h": "--help", "-help": "--help", "--help": "--help", "help": "--help",
	"-v": "--version", "-version": "--version", "--version": "--version",
	installCompletion: installCompletion, "-" + installCompletion: installCompletion,
	uninstallCompletion: uninstallCompletion, "-" + uninstallCompletion: uninstallCompletion,
}

func findRoute(args []string, known map[string]cli.CommandFactory) (route, error) {
	if len(args) > 1 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	if len(args) > 0 && args[0] == "user" {
		args = append([]string{"users"}, args[1:]...)
	}
	if len(args) == 0 {
		return route{args: []string{"--help"}}, nil
	}
	if g, ok := globals[args[0]]; ok {
		return route{args: []string{g}}, nil
	}
	words := 0
	for words < len(args) && !strings.Contains(args[words], " ") && known[strings.Join(args[:words+1], " ")] != nil {
		words++
	}
	name, rest := strings.Join(args[:words], " "), args[words:]
	if words > 0 && !isGroup(name) {
		return route{args: slices.Concat(args[:words], []string{"--"}, rest)}, nil
	}
	switch full := strings.TrimSpace("concourse " + name); {
	case len(rest) == 0:
		return route{args: append(slices.Clone(args), "--help"), missing: full}, nil
	case rest[0] == "help" && len(rest) > 1:
		return findRoute(slices.Concat(args[:words], rest[1:], []string{"--help"}), known)
	case globals[rest[0]] == "--help":
		return route{args: append(slices.Clone(args[:words]), "--help")}, nil
	case name == "" && nearGlobal(rest[0]) != "":
		return route{}, account.Invalid("", "there is no option %s; did you mean %s?", account.Printable(rest[0]), nearGlobal(rest[0]))
	case strings.HasPrefix(rest[0], "-"):
		return route{}, account.Invalid("", "options come after the subcommand: %s <subcommand> [options] [arguments]", full)
	default:
		return route{}, account.Invalid("", "%q is not a subcommand of %s%s", account.Printable(rest[0]), full, suggestCommand(name, rest[0], known))
	}
}

// nearGlobal returns the option that stands alone which is meant by another.
func nearGlobal(option string) string {
	if !strings.HasPrefix(option, "--") {
		return ""
	}
	return nearest(option, []string{"--help", "--version"})
}

func isGroup(name string) bool { return slices.Contains(groups, name) }

// suggestCommand says what would work in place of the unknown word.
func suggestCommand(group, word string, known map[string]cli.CommandFactory) string {
	var siblings []string
	for name := range known {
		if parent, last := parentOf(name); parent == group {
			siblings = append(siblings, last)
		}
	}
	if known["users "+word] != nil {
		return fmt.Sprintf("; did you mean 'concourse users %s'?", word)
	}
	if near := nearest(word, siblings); near != "" {
		return fmt.Sprintf("; did you mean '%s'?", strings.TrimSpace("concourse "+group)+" "+near)
	}
	slices.Sort(siblings)
	return "; use one of " + strings.Join(siblings, ", ")
}

func parentOf(name string) (parent, last string) {
	if i := strings.LastIndexByte(name, ' '); i >= 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}

func rootHelp(top map[string]cli.CommandFactory) string {
	return cli.BasicHelpFunc("concourse")(top) + `
'concourse <command> --help' says more about each. The home, which holds the
host's files and socket, is --home on every command, else CONCOURSE_HOME, else
/var/lib/concourse for root and $XDG_DATA_HOME/concourse for others.
` + completionHelp
}
