package clients

import (
	"net/rpc"

	"github.com/cinchapi/concourse-users/host/session"
)

// Client is a connection to Serve, for as many clients as a test plays. All
// methods may be called at once.
type Client struct{ rpc *rpc.Client }

// Dial connects.
func Dial(path string) (*Client, error) {
	c, err := rpc.Dial("unix", path)
	return &Client{c}, err
}

// Login returns the token of a new session, or why there is none: an
// *account.Error if the host has refused it.
func (c *Client) Login(address, username, password string) (session.Token, error) {
	answer, err := c.call("Clients.Login", Attempt{address, username, []byte(password)})
	return answer.Token, err
}

// Check returns why the token is not good, if it is not.
func (c *Client) Check(t session.Token) error {
	_, err := c.call("Clients.Check", t)
	return err
}

// Logout ends a session that this connection has opened.
func (c *Client) Logout(t session.Token) error {
	_, err := c.call("Clients.Logout", t)
	return err
}

// Close ends the connection, and every session that it has opened.
func (c *Client) Close() error { return c.rpc.Close() }

func (c *Client) call(method string, request any) (answer Answer, err error) {
	if err := c.rpc.Call(method, request, &answer); err != nil {
		return Answer{}, err
	}
	if answer.Refusal != nil {
		return Answer{}, answer.Refusal
	}
	return answer, nil
}
