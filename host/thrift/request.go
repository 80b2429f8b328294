package thrift

import (
	"strconv"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/host/thrift/message"
	"github.com/cinchapi/concourse-users/host/thrift/methods"
	"github.com/cinchapi/concourse-users/shared/account"
)

// request is a call under way on a connection. It is good until it was answered.
type request struct {
	*conn
	message     *message.Message
	method      *methods.Method
	name        string // bare, as it stands in replies
	multiplexed bool   // the caller named a service, as drivers do that know every exception
}

// accessToken returns the token among the arguments, and where it lies. What
// cannot be a token is the zero one, which is nobody's. It refuses as
// message.Field does.
func (r *request) accessToken() (t session.Token, f *message.Field, err error) {
	f, err = r.message.Field(r.method.Token, thrift.STRUCT)
	if err != nil || f == nil {
		return t, nil, err
	}
	if data, err := message.AccessToken(r.message.Value(f)); err == nil && len(data) == len(t) {
		copy(t[:], data)
	}
	return t, f, nil
}

// text returns a string or binary among the arguments, as it lies in the
// message; nil if there is none. It refuses as message.Field does.
func (r *request) text(id int16) ([]byte, error) {
	f, err := r.message.Field(id, thrift.STRING)
	if err != nil || f == nil {
		return nil, err
	}
	return message.Text(r.message.Value(f)), nil
}

// environment is what a call says of its environment.
type environment struct {
	name      string // in its clean form
	named     bool   // there is an argument
	defaulted bool   // which names none
	problem   string // why it cannot be one; "" if it can
}

// environment returns the environment that the call means, cleaned as a data
// server cleans it. It refuses as message.Field does.
func (r *request) environment() (environment, error) {
	given, err := r.text(r.method.Environment)
	if err != nil {
		return environment{}, err
	}
	e := environment{named: given != nil}
	if len(given) == 0 {
		e.name, e.defaulted = r.server.options.DefaultEnvironment, true
		return e, nil
	}
	text := string(given)
	switch e.name, err = cleanEnvironment(text); {
	case err != nil:
		e.problem = err.Error()
	case len(e.name) > account.MaxEnvironment:
		e.problem = "the environment's name has " + strconv.Itoa(len(e.name)) + " characters; it may have " + strconv.Itoa(account.MaxEnvironment)
	}
	return e, nil
}
