package thrift_test

import (
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
)

// An idle connection costs little, whether a token was shown on it or not. The
// measure has the client's side of each in it too.
func TestIdleConnection(t *testing.T) {
	const n, most = 1000, 20 << 10
	p := open(t)
	_, token := p.login(t, driver.Bare, "ann")
	call := request(t, "core:time", driver.Call{Token: token, Environment: in("r")})
	before := held()
	var all []net.Conn
	for i := range n {
		c, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
		if i%2 > 0 {
			continue
		}
		if _, err := c.Write(call); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1<<10)); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all are accepted", func() bool { return p.Connections() == n+1 })
	each := (held() - before) / n
	t.Logf("an idle connection holds %d bytes", each)
	if each > most {
		t.Errorf("an idle connection holds %d bytes, more than %d", each, most)
	}
	for _, c := range all {
		c.Close()
	}
	await(t, "all are gone", func() bool { return p.Connections() == 1 })
	for _, r := range p.rows() {
		if r.Connections != 1 {
			t.Errorf("%d connections are counted", r.Connections)
		}
	}
}

// A stranger holds one small buffer and a goroutine, however much it sends.
func TestStrangersMemory(t *testing.T) {
	const n, least, most = 300, 12 << 10, 40 << 10
	p := open(t)
	call := request(t, "core:login", driver.Call{Args: []driver.Arg{{ID: 1, Value: strings.Repeat("n", 15_000)}}})
	goroutines, before := runtime.NumGoroutine(), held()
	var all []net.Conn
	for range n {
		c, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(call[:len(call)-1]); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	await(t, "all is read", func() bool { return (held()-before)/n >= least })
	each := (held() - before) / n
	t.Logf("a stranger in the midst of a message holds %d bytes", each)
	if each > most {
		t.Errorf("a stranger holds %d bytes, more than %d", each, most)
	}
	if more := runtime.NumGoroutine() - goroutines; more > n {
		t.Errorf("%d strangers have %d goroutines", n, more)
	}
	runtime.KeepAlive(all)
}

// held returns what is in use on the heap and for stacks.
func held() int {
	for range 4 { // a stack shrinks by half at a time
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
