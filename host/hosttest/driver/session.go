package driver

import "fmt"

// Login logs in and returns the access token.
func (d *Driver) Login(username, password, environment string) ([]byte, error) {
	value, err := d.Call("login", d.credentials(username, password, environment))
	if err != nil {
		return nil, err
	}
	return tokenIn(value)
}

func (d *Driver) credentials(username, password, environment string) Call {
	c := Call{Args: []Arg{{1, username}, {2, password}}}
	if !d.o.Management {
		c.Environment = &environment
	}
	return c
}

// Logout ends the token's session.
func (d *Driver) Logout(token []byte, environment string) error {
	_, err := d.Call("logout", Call{Token: token, Environment: &environment})
	return err
}

// Stage begins a transaction.
func (d *Driver) Stage(token []byte, environment string) (Transaction, error) {
	value, err := d.Call("stage", Call{Token: token, Environment: &environment})
	if err != nil {
		return Transaction{}, err
	}
	s, _ := value.(Struct)
	in, err := tokenIn(s[1])
	if err != nil {
		return Transaction{}, err
	}
	timestamp, ok := s[2].(int64)
	if !ok {
		return Transaction{}, fmt.Errorf("not a transaction token: %T", value)
	}
	return Transaction{in, timestamp}, nil
}

// Commit commits a transaction, and says whether that was possible.
func (d *Driver) Commit(token []byte, tx Transaction, environment string) (bool, error) {
	value, err := d.Call("commit", Call{Token: token, Transaction: &tx, Environment: &environment})
	committed, _ := value.(bool)
	return committed, err
}

// Abort aborts a transaction.
func (d *Driver) Abort(token []byte, tx Transaction, environment string) error {
	_, err := d.Call("abort", Call{Token: token, Transaction: &tx, Environment: &environment})
	return err
}

func tokenIn(value any) ([]byte, error) {
	s, _ := value.(Struct)
	data, ok := s[1].(string)
	if !ok {
		return nil, fmt.Errorf("not an access token: %T", value)
	}
	return []byte(data), nil
}
