package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestScript runs the transcripts in testdata/script. Each has a home of its
// own, and what it types goes to the real executables. Besides testscript's own
// commands there are
//
//	concourse ARGUMENT…           runs the command, which must succeed
//	exitcode CODE concourse …     runs it, and it must exit with the code
//	until CODE concourse …        runs it up to 20 times, until it exits with the code
//	prints LINE…                  the command printed just these lines, and no errors
//	complains LINE…               it printed just these lines of errors, and nothing else
//	asks LINE…                    it asked just these questions; stdout looks at the rest
//	start-host, kill-host
//	kill-plugin, freeze-plugin, thaw-plugin
//	log-in NAME PASSWORD          opens a session that lasts as long as the script
//	drive NAME WHAT …             a Concourse driver logs in, stages, calls: see drive
//	await-call METHOD             waits until the data server has been asked for it
//	await-free                    waits until the data server holds nothing for the host
//	remember NAME PATTERN         sets a variable to what the pattern's group matched in the output
//	fresh-request-id NAME         sets a variable to one
//	await-ready                   waits until the host of CONCOURSE_HOME answers
//	write-credentials FILE JSON   writes a credentials file of the original; another is in $SAMPLE
//
// The host's settings are the file concourse.yaml, if there is one, in which
// UPSTREAM is the address of a data server for the script; its home is
// $HOST_HOME, and the executables are in $BIN. Commands log
// in as its first administrator, unless the script says otherwise.
func TestScript(t *testing.T) {
	bin := hosttest.Bin(t)
	sample, err := filepath.Abs(credentialsSample)
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			settings, err := os.ReadFile(filepath.Join(env.WorkDir, "concourse.yaml"))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			h := hosttest.New(env.T().(testing.TB), withUpstream(env, string(settings)))
			env.Values[hostKey{}] = &scriptHost{Host: h}
			for name, value := range map[string]string{
				"PATH": bin + ":" + env.Getenv("PATH"), "HOME": env.WorkDir, "TZ": "UTC", "BIN": bin, "HOST_HOME": h.Home, "SAMPLE": sample,
				"CONCOURSE_HOME": h.Home, "CONCOURSE_PASSWORD": hosttest.Password,
				// Without it a race-enabled process sleeps a second before it exits.
				"GORACE": "atexit_sleep_ms=0",
			} {
				env.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"concourse": func(ts *testscript.TestScript, neg bool, args []string) {
				exitcode(ts, neg, append([]string{"0", "concourse"}, args...))
			},
			"exitcode":  exitcode,
			"until":     until,
			"prints":    prints,
			"complains": complains,
			"asks":      asks,
			"start-host": onHost(func(h *scriptHost) {
				h.Start()
				h.runs = true
			}),
			"kill-host":     onHost(func(h *scriptHost) { h.Kill(); h.runs = false }),
			"kill-plugin":   onHost(func(h *scriptHost) { h.SignalPlugin(syscall.SIGKILL) }),
			"freeze-plugin": onHost(func(h *scriptHost) { h.SignalPlugin(syscall.SIGSTOP) }),
			"thaw-plugin":   onHost(func(h *scriptHost) { h.SignalPlugin(syscall.SIGCONT) }),
			"log-in":        logIn,
			"drive":         drive,
			"await-free":    awaitFree,
			"await-call":    awaitCall,
			"remember":      remember,
			"await-ready":   awaitReady,

			"write-credentials": writeCredentials,
			"fresh-request-id": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], account.NewRequestID(time.Now()).String())
			},
		},
	})
}

type hostKey struct{}

// scriptHost is a script's host. A host that runs when its script is over must
// stop as it should, without a race.
type scriptHost struct {
	*hosttest.Host
	runs bool
}

func (h *scriptHost) stop() {
	h.Stop()
	h.runs = false
}

func onHost(do func(*scriptHost)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) > 0 {
			ts.Fatalf("it takes no arguments and no !")
		}
		h := ts.Value(hostKey{}).(*scriptHost)
		if do(h); h.runs {
			ts.Defer(func() {
				if h.runs {
					h.stop()
				}
			})
		}
	}
}

func exitcode(ts *testscript.TestScript, neg bool, args []string) {
	want, args := codeAndCommand(ts, neg, args)
	if got := execute(ts, args); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func until(ts *testscript.TestScript, neg bool, args []string) {
	want, args := codeAndCommand(ts, neg, args)
	for range 20 {
		if execute(ts, args) == want {
			return
		}
	}
	ts.Fatalf("it never exits with %d", want)
}

func codeAndCommand(ts *testscript.TestScript, neg bool, args []string) (int, []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("it takes a code and a command, and no !")
	}
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	return code, args[1:]
}

func execute(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	exit, exited := errors.AsType[*exec.ExitError](err)
	if err != nil && !exited {
		ts.Fatalf("%v", err)
	}
	if exited {
		return exit.ExitCode()
	}
	return 0
}

func prints(ts *testscript.TestScript, neg bool, args []string) {
	expect(ts, neg, "stdout", args)
	expect(ts, neg, "stderr", nil)
}

func complains(ts *testscript.TestScript, neg bool, args []string) {
	expect(ts, neg, "stdout", nil)
	expect(ts, neg, "stderr", args)
}

func asks(ts *testscript.TestScript, neg bool, args []string) { expect(ts, neg, "stderr", args) }

func expect(ts *testscript.TestScript, neg bool, stream string, lines []string) {
	want := strings.Join(append(lines, ""), "\n")
	if got := ts.ReadFile(stream); neg || got != want {
		ts.Fatalf("%s is\n%q\nwant\n%q", stream, got, want)
	}
}

func logIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("it takes a name and a password, and no !")
	}
	_, err := ts.Value(hostKey{}).(*scriptHost).Login(args[0], args[1])
	ts.Check(err)
}

func remember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("it takes a name and a pattern, and no !")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if len(found) != 2 {
		ts.Fatalf("the output does not match")
	}
	ts.Setenv(args[0], found[1])
}

func awaitReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("it takes no arguments and no !")
	}
	for end := time.Now().Add(time.Minute); execute(ts, []string{"concourse", "sessions"}) != 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("no host answers")
		}
	}
}
