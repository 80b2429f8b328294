package thrift

import (
	"context"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/shared/account"
)

// invocable are the changes that a driver's Manager may ask for over the client
// port, with the arguments that it gives in their order.
var invocable = map[string]func(parameters [][]byte) (arguments, bool){
	"createUser": func(p [][]byte) (arguments, bool) {
		if len(p) != 3 {
			return arguments{}, false
		}
		return arguments{username: string(p[0]), password: p[1], role: string(p[2])}, true
	},
	"grant": func(p [][]byte) (arguments, bool) {
		if len(p) != 3 {
			return arguments{}, false
		}
		return arguments{username: string(p[0]), permission: string(p[1]), environment: string(p[2])}, true
	},
}

// The ids of invokeManagement's arguments besides the token.
const (
	invokedMethod     = 2
	invokedParameters = 3
)

// invokeManagement makes a change, as the management port does. It takes an
// administrator, and every refusal but that of a dead token is a
// ManagementException.
func (p *clients) invokeManagement(ctx context.Context, r *request) error {
	token, _, err := r.accessToken()
	if err != nil {
		return r.malformed(err)
	}
	name, err := r.text(invokedMethod)
	if err != nil {
		return r.malformed(err)
	}
	given, err := r.message.Field(invokedParameters, thrift.LIST)
	if err != nil {
		return r.malformed(err)
	}
	o := r.origin
	o.Listener = account.ClientListener
	caller, err := p.Gate.Admit(ctx, token, o, r.method.Name)
	if err != nil {
		if account.KindOf(err) == account.KindNotPermitted {
			r.known(token)
		}
		return r.refuseTool(err, arguments{})
	}
	defer caller.Done()
	if err := r.trust(caller.Session); err != nil {
		return r.refuse(err)
	}
	a, ok := arguments{}, false
	if read := invocable[string(name)]; read != nil && given != nil {
		if texts, err := parameters(r.message.Value(given)); err == nil {
			a, ok = read(texts)
		}
	}
	if !ok {
		return r.declared(r.method.Management, notInvokable)
	}
	return r.invoke(ctx, p.Gate, caller, changes[string(name)], a)
}

func (r *request) invoke(ctx context.Context, g *gate.Gate, c gate.Caller, do change, a arguments) error {
	if err := do(ctx, g, c, a); err != nil {
		return r.refuseTool(err, a)
	}
	return r.value(thrift.STRUCT, writeNothing)
}
