package main

import (
	"errors"
	"fmt"

	"github.com/cinchapi/concourse-users/host/home"
	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// A generated password is seen once, on standard output, because --generate
// asks for that (rule 9); no error has it. It is shown when it was set, and,
// marked as such, when it may have been: asking again under the request id
// takes the same password, and an administrator who has just lost an own
// password would be locked out.

// generateOption is --generate, in place of the password that s names.
func (o *options) generateOption(s *secretOption) {
	s.generates = true
	o.boolOption(&s.generate, "generate", "make a random password, and show it once")
}

// generatePassword returns a random password that is easy to type.
func generatePassword() account.Secret { return home.NewPassword() }

// report prints, as change does, what setting the password came to, and the
// password if it was generated.
func (s *secretOption) report(c *console, r management.Result, password account.Secret, sentence string) error {
	switch j, there := newJSONChange(r).(jsonChange); {
	case !s.generate || !r.Changed || !there:
		return c.change(r, sentence)
	case c.json:
		return unseen(r.Username, "IS set now", notPrinted(writeJSON(c.out, struct {
			jsonChange
			Password string `json:"password"`
		}{j, string(password)})))
	}
	return unseen(r.Username, "IS set now", c.change(r, sentence, "Password: "+string(password), "It is shown only this once"))
}

// unseen adds to an error in printing a generated password what is to be done
// about that.
func unseen(username, state string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\nThe password of '%s' %s, and nobody has seen it; set another with 'concourse users password %s' or, if no ADMIN can log in any more, with 'concourse recover %s'",
		err, username, state, username, username)
}

// uncertain is for an error in place of an answer: unless it says that nothing
// was changed, a generated password is printed all the same.
func (s *secretOption) uncertain(c *console, username string, password account.Secret, err error) error {
	if !s.generate || !account.KindOf(err).Uncertain() {
		return err
	}
	var failed error
	if c.json {
		failed = notPrinted(writeJSON(c.out, struct {
			Username string `json:"username"`
			Password string `json:"password"`
		}{username, string(password)}))
	} else {
		failed = c.say("Password, if it has been set: "+string(password),
			"To ask again, give it with --"+s.name+"-file in place of --generate")
	}
	return errors.Join(err, unseen(username, "may be set", failed))
}
