package main

import (
	"errors"
	"testing"
)

// The library edits the files of the account that runs it, whatever HOME says.
// Therefore no test installs anything, and this one is inside.
func TestReportCompletion(t *testing.T) {
	for name, c := range map[string]struct {
		option, err      string
		sentence, failed string
	}{
		"Installed": {option: installCompletion, sentence: "Shell completion is installed; open a new shell"},
		"AlreadyInstalled": {
			option: installCompletion, err: "2 errors occurred:\n\t* already installed in /h/.bashrc\n\t* already installed at /h/c.fish\n\n",
			sentence: "Shell completion is installed (it was already installed in /h/.bashrc, /h/c.fish); open a new shell",
		},
		"Removed": {option: uninstallCompletion, sentence: "Shell completion is removed; open a new shell"},
		"NotInstalled": {
			option: uninstallCompletion, err: "1 error occurred:\n\t* does not installed in /h/.bashrc\n\n",
			sentence: "Shell completion is removed (it was not installed in /h/.bashrc); open a new shell",
		},
		"ErrNoShell": {
			option: installCompletion, err: "Did not find any shells to install",
			failed: "shell completion: Did not find any shells to install",
		},
		"ErrOneOfTwo": {
			option: installCompletion, err: "2 errors occurred:\n\t* already installed in /h/.bashrc\n\t* open /h/.zshrc: permission denied\n\n",
			failed: "shell completion: open /h/.zshrc: permission denied",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			if c.err != "" {
				err = errors.New(c.err)
			}
			sentence, failure := reportCompletion(c.option, err)
			if sentence != c.sentence || (failure != nil) != (c.failed != "") || failure != nil && failure.Error() != c.failed {
				t.Errorf("got %q, %v", sentence, failure)
			}
		})
	}
}
