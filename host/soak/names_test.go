package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/clients"
	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

// The kinds of names with which a stranger may try. The password is wrong.
const (
	unknown   = "a name that nobody has"
	known     = "an account's name"
	suspended = "a suspended account's name"
)

// perKind is how many accounts of a kind there are, and names that nobody has.
const perKind = 4

// town is a host with accounts of each kind.
type town struct {
	*hosttest.Host
	names map[string][]string // by kind
	from  int                 // the addresses that strangers have come from
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{Host: hosttest.StartWithClients(t), names: map[string][]string{}}
	admin := w.Admin()
	for i := range perKind {
		// All of one form, so that no name is longer than another.
		for _, kind := range []string{unknown, known, suspended} {
			name := fmt.Sprintf("u%08x", rand.Uint32())
			w.names[kind] = append(w.names[kind], name)
			if kind == unknown {
				continue
			}
			r := account.Create{Username: name, Password: account.Secret(hosttest.Password), Role: []account.Role{account.User, account.Admin}[i%2]}
			if _, err := admin.Create(t.Context(), account.RequestID{}, r); err != nil {
				t.Fatal(err)
			}
			if kind == suspended {
				if _, err := admin.Suspend(t.Context(), account.RequestID{}, name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return w
}

func (w *town) name(kind string) string { return w.names[kind][rand.IntN(perKind)] }

// address is one from which nobody has come yet.
func (w *town) address() string {
	w.from++
	return hosttest.Address(w.from)
}

// TestSoakNames shows that nobody who tries names, with wrong passwords, learns
// which of them are accounts' (rule 9): neither from the answers nor from the
// time that they take, alone or in a flood, throttled or not.
func TestSoakNames(t *testing.T) {
	w := newTown(t)
	t.Run("Answers", func(t *testing.T) { sameAnswers(t, w) })
	span := hosttest.Span(t, "CONCOURSE_SOAK", 0)
	samples, part, throttledPart := 36, 0.10, 0.25
	if span > 0 {
		// A hash takes some 22 ms, and there are three kinds.
		samples, part, throttledPart = min(max(int(span/10/(3*25*time.Millisecond)), 200), 4000), 0.01, 0.05
	}
	c := w.Clients()
	wrong := func(address, name string) time.Duration {
		began := time.Now()
		if _, err := c.Login(address, name, "wrong, but long enough"); account.KindOf(err) != account.KindNotAuthenticated {
			t.Fatalf("a wrong password: %v", err)
		}
		return time.Since(began)
	}
	t.Run("Alone", func(t *testing.T) {
		judge(t, part, 0.5, samples, func(kind string) time.Duration { return wrong(w.address(), w.name(kind)) })
	})
	t.Run("Throttled", func(t *testing.T) {
		judge(t, throttledPart, 0.5, 2*samples, throttled(t, w, c))
	})
	t.Run("InAFlood", func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		for range 4 {
			go func(c *clients.Client) {
				for ctx.Err() == nil {
					c.Login(hosttest.Address(1<<20+rand.IntN(1<<20)), fmt.Sprint("nobody", rand.Uint32()), "wrong, but long enough")
				}
			}(w.Clients())
		}
		judge(t, 2*part, 0.9, samples/3, func(kind string) time.Duration { return wrong(w.address(), w.name(kind)) })
	})
}

// throttled takes how long a refusal takes that tells to wait, after three wrong
// passwords.
func throttled(t *testing.T, w *town, c *clients.Client) func(kind string) time.Duration {
	type target struct {
		address, name string
		until         time.Time
	}
	targets := map[string]*target{}
	return func(kind string) time.Duration {
		for {
			at := targets[kind]
			if at == nil || time.Now().After(at.until) {
				at = &target{address: w.address(), name: w.name(kind)}
				targets[kind] = at
				for range 3 {
					c.Login(at.address, at.name, "wrong, but long enough")
				}
				at.until = time.Now().Add(time.Second / 2)
				c.Login(at.address, at.name, "wrong, but long enough") // whose line goes to disk
			}
			began := time.Now()
			_, err := c.Login(at.address, at.name, "wrong, but long enough")
			took := time.Since(began)
			switch account.KindOf(err) {
			case account.KindThrottled:
				return took
			case account.KindNotAuthenticated: // the machine was busy, and the wait is over
				at.until = time.Time{}
			default:
				t.Fatal(err)
			}
		}
	}
}

// judge takes times of each kind, in turns whose order is drawn, so that what
// else the machine does falls on all alike. It fails the test if accounts' names
// can be told from others by a difference of more than the part of the time. It
// takes as many as show that it could have found one: that of an implementation
// which saves so much of the work.
func judge(t *testing.T, part, saved float64, samples int, take func(kind string) time.Duration) {
	t.Helper()
	took := map[string]latencies{}
	kinds := []string{unknown, known, suspended}
	bites := func(kind string) bool {
		less := time.Duration(saved * float64(took[unknown].median()))
		return differenceOf(took[unknown], took[kind].slower(-less)).tellsApart(part)
	}
	for n := 0; n < samples || n < 8*samples && !(bites(known) && bites(suspended)); n++ {
		rand.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, kind := range kinds {
			took[kind] = append(took[kind], take(kind))
		}
	}
	for _, kind := range []string{known, suspended} {
		d := differenceOf(took[unknown], took[kind])
		t.Logf("%s against %s, %d each: %v", kind, unknown, len(took[kind]), d)
		if d.tellsApart(part) {
			t.Errorf("%s is told from %s by time", kind, unknown)
		}
		if !bites(kind) {
			t.Errorf("so many samples show no difference where %.0f %% of the work are saved", 100*saved)
		}
	}
}

// sameAnswers compares what comes over the wire: the status with its details,
// headers and trailers.
func sameAnswers(t *testing.T, w *town) {
	conn, err := grpc.NewClient("unix:"+w.Socket(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := managementv1.NewManagementClient(conn)
	type answer struct {
		Status            string
		Headers, Trailers metadata.MD
	}
	ask := func(name string) (a answer, code codes.Code) {
		_, err := c.Login(t.Context(), &managementv1.LoginRequest{Username: name, Password: []byte("wrong, but long enough")},
			grpc.Header(&a.Headers), grpc.Trailer(&a.Trailers))
		s := status.Convert(err)
		bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(s.Proto())
		if err != nil {
			t.Fatal(err)
		}
		a.Status = string(bytes)
		return a, s.Code()
	}
	// Three are wrong, and the fourth comes too early.
	for attempt := range 4 {
		want, code := ask(w.names[unknown][0])
		if expected := []codes.Code{codes.Unauthenticated, codes.ResourceExhausted}[attempt/3]; code != expected {
			t.Errorf("attempt %d: got %v, want %v", attempt, code, expected)
		}
		for _, kind := range []string{known, suspended} {
			got, _ := ask(w.names[kind][0])
			if code == codes.ResourceExhausted {
				continue // it says how long to wait, to the nanosecond
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("attempt %d: %s is answered otherwise than %s: %s", attempt, kind, unknown, diff)
			}
		}
	}
	clients := w.Clients()
	address := w.address()
	for attempt := range 4 {
		_, want := clients.Login(address, w.names[unknown][1], "wrong, but long enough")
		for _, kind := range []string{known, suspended} {
			_, got := clients.Login(address, w.names[kind][1], "wrong, but long enough")
			if diff := cmp.Diff(rounded(t, want), rounded(t, got)); diff != "" {
				t.Errorf("attempt %d of a client: %s is answered otherwise than %s: %s", attempt, kind, unknown, diff)
			}
		}
	}
}

// rounded is the answer with its wait in whole seconds, as people are told it.
func rounded(t *testing.T, err error) account.Error {
	t.Helper()
	e, ok := err.(*account.Error)
	if !ok {
		t.Fatalf("no refusal: %v", err)
	}
	out := *e
	out.RetryAfter = (out.RetryAfter + time.Second - 1).Truncate(time.Second)
	return out
}
