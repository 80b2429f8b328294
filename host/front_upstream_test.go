package host_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/shared/account"
)

// TestUpstreamAtStart has hosts tell, by themselves and soon, what is wrong with
// the data server that their settings name.
func TestUpstreamAtStart(t *testing.T) {
	t.Parallel()
	t.Run("Fine", func(t *testing.T) {
		t.Parallel()
		d := openDoor(t)
		hosttest.Await(t, "the log says so", func() bool {
			return strings.Contains(d.h.Log(), "the data server answers, and lets this host in: address="+d.up.Address()+"\n")
		})
		d.left(0, 0)
		said := "Calls are passed on to " + d.up.Address() + "\n"
		before, _, found := strings.Cut(d.h.Log(), "Concourse is ready; ")
		if !found || !strings.Contains(before, said) {
			t.Errorf("before it is ready it does not say %q:\n%s", said, d.h.Log())
		}
	})
	for outcome, c := range map[string]struct {
		serves func(net.Conn)
		why    string
	}{
		"SaysNothing": {func(c net.Conn) { io.Copy(io.Discard, c) }, `"there was none within 5s"`},
		"SpeaksHTTP":  {func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); io.Copy(io.Discard, c) }, `"not a message of Thrift's binary protocol"`},
	} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			at := serve(t, c.serves)
			h := hosttest.Start(t, behind(at)...)
			h.Admin()
			v := driver.Dial(t, h.ClientAddress(), driver.Options{})
			token, err := v.Login(hosttest.Administrator, hosttest.Password, "")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = v.Call("verifyOrSet", driver.Call{Token: token, Environment: new(string)})
			wantRefused(t, "a call", err, "", "the data server did not answer 'login' as it should; the host's log says more")
			if took := time.Since(began); took > time.Minute {
				t.Errorf("the call took %v", took)
			}
			said := "the data server does not answer as it should: address=" + at + " asked=login error=" + c.why + "\n"
			hosttest.Await(t, "the log says so", func() bool { return strings.Contains(h.Log(), said) })
			if n := strings.Count(h.Log(), "concourse.relay"); n != 1 {
				t.Errorf("the relay has %d lines in the log, want one:\n%s", n, h.Log())
			}
		})
	}
	t.Run("LeadsBack", func(t *testing.T) { t.Parallel(); leadsBack(t) })
}

// leadsBack has a host find itself behind another address, where the host's own
// account could log in.
func leadsBack(t *testing.T) {
	var target atomic.Pointer[string]
	at := serve(t, func(c net.Conn) {
		to := target.Load()
		if to == nil {
			return
		}
		back, err := net.Dial("tcp", *to)
		if err != nil {
			return
		}
		defer back.Close()
		go func() {
			defer c.Close()
			io.Copy(c, back)
		}()
		io.Copy(back, c)
	})
	h := hosttest.Start(t, behind(at)...)
	admin := h.Admin()
	must(admin.Create(t.Context(), anew, account.Create{Username: upstream.Username, Password: account.Secret(upstream.Password), Role: account.Admin}))(t)
	address := h.ClientAddress()
	target.Store(&address)
	v := driver.Dial(t, address, driver.Options{})
	token, err := v.Login(upstream.Username, upstream.Password, "") // which is another's right, too
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, err = v.Call("verifyOrSet", driver.Call{Token: token, Environment: new(string)})
		wantRefused(t, "a call", err, "", "the host's setting upstream.address leads back to the host itself; it must name the data server")
	}
	_, err = v.Call("getServerVersion", driver.Call{})
	wantRefused(t, "a call without a token", err, "", "leads back to the host itself")
	if !strings.Contains(h.Log(), "the setting upstream.address leads back to this host: it must name the data server: address="+at+"\n") {
		t.Errorf("the log has\n%s", h.Log())
	}
	if all := sessionsOf(t, h, upstream.Username); len(all) != 1 {
		t.Errorf("its account has %d sessions, want the driver's: %+v", len(all), all)
	}
}

// behind returns the settings of a host with a data server at an address.
func behind(at string) []string {
	return []string{atFreePort, "upstream.address: " + at, "upstream.username: " + upstream.Username, fmt.Sprintf("upstream.password: %q", upstream.Password)}
}

// serve takes connections until the test ends, and returns where.
func serve(t *testing.T, each func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				each(c)
			}()
		}
	}()
	return l.Addr().String()
}
