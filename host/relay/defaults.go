package relay

import (
	"context"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/shared/account"
)

// checkDefault makes sure that a call which names no environment means the same
// one here, where its grant was looked up, and upstream, where it takes effect. It
// refuses with Unavailable, and with errStale.
func (r *Relay) checkDefault(ctx context.Context, l *login) error {
	known := l.defaults.Load()
	if known == nil {
		name, err := r.askDefault(ctx, l)
		if err != nil {
			return err
		}
		known = &name
		l.defaults.Store(known)
	}
	if *known == r.Environment {
		return nil
	}
	theirs := r.words(*known, l)
	r.otherDefault.Do(func() {
		r.Logger.Error("the data server has another default environment than this host: calls that name none are refused",
			"here", r.Environment, "there", theirs)
	})
	return account.Unavailable("the call names no environment: here that means '%s', on the data server '%s'; the setting default_environment must be the same on both",
		r.Environment, theirs)
}

// askDefault asks the upstream what no name means there. One that is too old to
// know the question is taken to mean the same as this host.
func (r *Relay) askDefault(ctx context.Context, l *login) (name string, err error) {
	q := newRequest("getServerEnvironment")
	q.structure(1, l.token)
	q.binary(3, nil)
	err = r.ask(ctx, 0, q, r.shortLimit(), func(m *message.Message) error {
		if isStale(m) {
			return errStale
		}
		if m.Kind == thrift.EXCEPTION {
			if kind, err := m.Field(2, thrift.I32); err == nil && kind != nil && m.Value(kind)[3] == thrift.UNKNOWN_METHOD {
				name = r.Environment
				r.oldUpstream.Do(func() {
					r.Logger.Warn("the data server cannot say which environment it means by none; it must be this host's", "here", r.Environment)
				})
				return nil
			}
			return errNoDefault
		}
		f, err := m.Field(0, thrift.STRING)
		if err != nil {
			return errGarbage
		}
		if f == nil {
			return errNoDefault
		}
		name = string(message.Text(m.Value(f)))
		return nil
	})
	return name, err
}

var errNoDefault error = account.Unavailable("the call names no environment, and the data server does not say which it means by that; name one")
