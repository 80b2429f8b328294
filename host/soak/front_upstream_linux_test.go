package soak_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
)

// upstreamProcess is a stand-in for a data server that records what it is asked.
// It may be killed, and comes back at its address knowing nothing.
type upstreamProcess struct {
	t       *testing.T
	address string
	fences  int64
	alone   int // descriptors that it has without connections

	process  *exec.Cmd
	lifeline io.Closer
	read     chan struct{} // closed when everything that it has told was read

	mu      sync.Mutex // guards what follows
	told    []arrivalLine
	logins  int           // that it has accepted since its last start, and that are not logged out
	fenced  int64         // the last fence that was told
	arrived chan struct{} // closed when something is told
}

// arrivalLine is a line of host/soak/testdata/recorder.
type arrivalLine struct {
	At          time.Time
	Method      string
	Number      int64
	Username    string
	Token       []byte
	Environment string
	Timestamp   int64
	Accepted    bool
}

func startUpstream(t *testing.T) *upstreamProcess {
	t.Helper()
	u := &upstreamProcess{t: t, address: "127.0.0.1:0", arrived: make(chan struct{})}
	u.start()
	t.Cleanup(u.kill)
	return u
}

// settings are those of a host before it.
func (u *upstreamProcess) settings() []string {
	return []string{"upstream.address: " + u.address, "upstream.username: " + upstream.Username, `upstream.password: "` + upstream.Password + `"`}
}

// start starts it, and returns when it serves.
func (u *upstreamProcess) start() {
	u.t.Helper()
	u.process = exec.Command(hosttest.Build(u.t, "./host/soak/testdata/recorder"), u.address)
	served, err := u.process.StderrPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	out, err := u.process.StdoutPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	if u.lifeline, err = u.process.StdinPipe(); err != nil {
		u.t.Fatal(err)
	}
	if err := u.process.Start(); err != nil {
		u.t.Fatal(err)
	}
	u.mu.Lock()
	u.logins = 0
	u.mu.Unlock()
	u.read = make(chan struct{})
	go u.listen(bufio.NewScanner(out), u.read)
	errors := bufio.NewReader(served)
	line, err := errors.ReadString('\n')
	address := strings.TrimSpace(line)
	if _, _, bad := net.SplitHostPort(address); err != nil || bad != nil {
		u.t.Fatalf("the upstream does not serve: %q, %v", line, err)
	}
	u.address, u.alone = address, usageOf(u.t, u.process.Process.Pid).descriptors
	go io.Copy(os.Stderr, errors)
}

// kill ends it with SIGKILL, and returns when everything that it has told was
// read.
func (u *upstreamProcess) kill() {
	u.process.Process.Kill()
	<-u.read
	u.process.Wait()
	u.lifeline.Close()
}

func (u *upstreamProcess) listen(lines *bufio.Scanner, read chan<- struct{}) {
	defer close(read)
	for lines.Scan() {
		var l arrivalLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			continue // the last, cut off: it was not answered
		}
		u.mu.Lock()
		switch {
		case l.Number < 0:
			u.fenced = -l.Number
		case l.Method == "login" && l.Accepted:
			u.logins++
		case l.Method == "logout" && l.Accepted:
			u.logins--
		}
		if l.Number >= 0 {
			u.told = append(u.told, l)
		}
		close(u.arrived)
		u.arrived = make(chan struct{})
		u.mu.Unlock()
	}
}

// arrivals returns what was recorded since the last time, in order: at least all
// that was answered so far.
func (u *upstreamProcess) arrivals(began time.Time) []arrival {
	u.t.Helper()
	u.fence()
	u.mu.Lock()
	told := u.told
	u.told = nil
	u.mu.Unlock()
	all := make([]arrival, len(told))
	for i, l := range told {
		all[i] = arrival{
			number: l.Number, method: l.Method, username: l.Username, token: string(l.Token), environment: l.Environment,
			timestamp: l.Timestamp, accepted: l.Accepted, at: l.At.Sub(began),
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return int(a.at - b.at) })
	return all
}

// fence makes a call of its own, and returns when that was told: so was everything
// before it.
func (u *upstreamProcess) fence() {
	u.t.Helper()
	d, err := driver.Connect(u.address, driver.Options{})
	if err != nil {
		u.t.Fatal(err)
	}
	defer d.Close()
	u.fences++
	here := ""
	d.Call("pingRecord", driver.Call{Environment: &here, Args: []driver.Arg{numbered("pingRecord", -u.fences)}}) // which is refused
	for {
		u.mu.Lock()
		fenced, more := u.fenced, u.arrived
		u.mu.Unlock()
		if fenced == u.fences {
			return
		}
		select {
		case <-more:
		case <-u.read:
			u.t.Fatal("the upstream has ended")
		case <-time.After(time.Minute):
			u.t.Fatal("the upstream does not tell what it was asked")
		}
	}
}

// sessions returns how many logins have not been logged out.
func (u *upstreamProcess) sessions() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.logins
}

// connections returns how many the host has to it: some stay for a while.
func (u *upstreamProcess) connections() int {
	u.t.Helper()
	return usageOf(u.t, u.process.Process.Pid).descriptors - u.alone
}
