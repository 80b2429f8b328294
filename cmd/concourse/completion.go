package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	installCompletion   = "-autocomplete-install"
	uninstallCompletion = "-autocomplete-uninstall"
)

const completionHelp = `
For shell completion, run 'concourse -autocomplete-install' once. It adds a line
to .bashrc (else .bash_profile, .bash_login or .profile) and to .zshrc, and a
file to fish's completions, as far as they are in your account's home directory;
'-autocomplete-uninstall' takes them away. In bash this edits nothing, and holds
for the shell that runs it: complete -C /path/to/concourse concourse`

// reportCompletion says what became of -autocomplete-install or -uninstall.
// What was so before is no error.
func reportCompletion(option string, err error) (sentence string, failure error) {
	var before, failed []string
	for _, problem := range problems(err) {
		if path, ok := foundSo(problem); ok {
			before = append(before, path)
		} else {
			failed = append(failed, problem)
		}
	}
	if len(failed) > 0 {
		return "", fmt.Errorf("shell completion: %s", strings.Join(failed, "; "))
	}
	done, already := "Shell completion is installed", "already installed"
	if option == uninstallCompletion {
		done, already = "Shell completion is removed", "not installed"
	}
	if len(before) > 0 {
		done += fmt.Sprintf(" (it was %s in %s)", already, strings.Join(before, ", "))
	}
	return done + "; open a new shell", nil
}

// foundSo reads the words in which the library says that a shell's file needs
// no change.
func foundSo(problem string) (path string, ok bool) {
	for _, words := range []string{"already installed in ", "already installed at ", "does not installed in "} {
		if path, ok := strings.CutPrefix(problem, words); ok {
			return path, true
		}
	}
	return "", false
}

// problems takes apart the list of errors, an indented line each, that the
// library makes of what came in the way.
func problems(err error) []string {
	if err == nil {
		return nil
	}
	var all []string
	for line := range strings.Lines(err.Error()) {
		if one, ok := strings.CutPrefix(strings.TrimSpace(line), "* "); ok {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return []string{err.Error()}
	}
	return all
}

// completeAlias lets 'concourse user …' complete as 'concourse users …' does.
func completeAlias(line string) {
	words := strings.Fields(line)
	if len(words) < 2 || words[1] != "user" || strings.HasSuffix(line, "user") {
		return
	}
	os.Setenv("COMP_LINE", strings.Replace(line, " user ", " users ", 1))
	// The cursor moves with the letter.
	if point, err := strconv.Atoi(os.Getenv("COMP_POINT")); err == nil && point >= strings.Index(line, " user ")+len(" user ") {
		os.Setenv("COMP_POINT", strconv.Itoa(point+1))
	}
}
