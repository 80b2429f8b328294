package thrift_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/shared/account"
)

// order is a change that the plugin was asked for.
type order struct {
	Verb                    account.Verb
	By                      string
	Username, Password      string
	Role                    account.Role
	Permission              account.Permission
	Environment             string
	IfExists, UnlessPresent bool
}

// keeper is a plugin that is asked for changes, and makes none by itself.
type keeper struct {
	*users

	mu     sync.Mutex
	orders []order
	answer func(order) (account.Change, error) // nil: every change is made
	rows   func([]account.Session) ([]account.Session, error)
}

func (k *keeper) carryOut(in account.Invocation, o order) (account.Change, error) {
	o.By = in.Caller.Username
	k.mu.Lock()
	k.orders = append(k.orders, o)
	answer := k.answer
	k.mu.Unlock()
	if answer != nil {
		return answer(o)
	}
	return account.Change{Changed: true, Account: k.accounts[o.Username], Revision: 1}, nil
}

// asked returns the changes that it was asked for since the last time.
func (k *keeper) asked() []order {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := k.orders
	k.orders = nil
	return all
}

// answers has changes answered so.
func (k *keeper) answers(f func(order) (account.Change, error)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answer = f
}

func (k *keeper) Create(_ context.Context, in account.Invocation, r account.Create) (account.Change, error) {
	return k.carryOut(in, order{Verb: account.VerbCreate, Username: r.Username, Password: string(r.Password), Role: r.Role, UnlessPresent: r.IfNotExists})
}

func (k *keeper) Edit(_ context.Context, in account.Invocation, r account.Edit) (account.Change, error) {
	return k.carryOut(in, order{Verb: account.VerbEdit, Username: r.Username, Password: string(r.Password), Role: r.Role})
}

func (k *keeper) Password(_ context.Context, in account.Invocation, r account.Password) (account.Change, error) {
	return k.carryOut(in, order{Verb: account.VerbPassword, Username: r.Username, Password: string(r.Password)})
}

func (k *keeper) Delete(_ context.Context, in account.Invocation, r account.Delete) (account.Change, error) {
	return k.carryOut(in, order{Verb: account.VerbDelete, Username: r.Username, IfExists: r.IfExists})
}

func (k *keeper) Grant(_ context.Context, in account.Invocation, r account.Grant) (account.Change, error) {
	return k.carryOut(in, order{Verb: account.VerbGrant, Username: r.Username, Permission: r.Permission, Environment: r.Environment})
}

func (k *keeper) Revoke(_ context.Context, in account.Invocation, r account.Revoke) (account.Change, error) {
	return k.carryOut(in, order{Verb: account.VerbRevoke, Username: r.Username, Environment: r.Environment})
}

func (k *keeper) Suspend(_ context.Context, in account.Invocation, username string) (account.Change, error) {
	return k.carryOut(in, order{Verb: account.VerbSuspend, Username: username})
}

func (k *keeper) Enable(_ context.Context, in account.Invocation, username string) (account.Change, error) {
	return k.carryOut(in, order{Verb: account.VerbEnable, Username: username})
}

func (k *keeper) Sessions(_ context.Context, _ account.Caller, rows []account.Session) ([]account.Session, error) {
	if k.rows != nil {
		return k.rows(rows)
	}
	return rows, nil
}

// both is a client port and a management port of one host, with the accounts of
// open and another administrator, jeff.
type both struct {
	*port
	keeper *keeper
	tools  *thrift.Server
	at     string // of the management port
}

func openBoth(t testing.TB, change ...func(*thrift.Options)) *both {
	t.Helper()
	b := &both{}
	var o thrift.Options
	b.port = open(t, append(change, func(of *thrift.Options) {
		plugin := of.Gate.Users.(*users)
		plugin.accounts["jeff"] = account.Account{ID: "id of jeff", Generation: 1, Username: "jeff", Role: account.Admin, Enabled: true}
		b.keeper = &keeper{users: plugin}
		of.Gate.Users = b.keeper
		o = *of
	})...)
	b.tools = thrift.NewManagement(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.at = l.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := b.tools.Serve(l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		b.tools.Stop(patience)
		serving.Wait()
		for _, r := range b.rows() {
			if r.Listener == account.ManagementListener {
				t.Errorf("a tool's session of %s outlives its port", r.Username)
			}
		}
	})
	return b
}

// tool connects to the management port.
func (b *both) tool(t testing.TB) *driver.Driver {
	t.Helper()
	return driver.Dial(t, b.at, driver.Options{Management: true})
}

// as connects a tool and logs in.
func (b *both) as(t testing.TB, username string) (*driver.Driver, []byte) {
	t.Helper()
	d := b.tool(t)
	return d, b.enter(t, d, username)
}

// enter logs in over a tool's connection.
func (b *both) enter(t testing.TB, d *driver.Driver, username string) []byte {
	t.Helper()
	token, err := d.Login(username, right, "")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// args are a call's arguments but its token.
func args(token []byte, a ...driver.Arg) driver.Call { return driver.Call{Token: token, Args: a} }
