package thrift

import (
	"bytes"
	"errors"
	"strings"
	"unicode"

	"github.com/cinchapi/concourse-users/shared/account"
)

// What tools have been told from of old, and may look for. Everything else is
// said in the words of the refusal itself.
const (
	invalidToken    = "Invalid access token"
	unauthorized    = "Unauthorized" // not an administrator
	userExists      = "User already exists"
	noSuchUser      = "The specified user does not exist"
	badUsername     = "Username must not be empty, or contain any whitespace."
	badPassword     = "Password must not be empty, or have fewer than 3 characters."
	lastAdmin       = "The action cannot be performed because doing so would leave no other ADMIN users."
	serviceRole     = "Cannot assign the SERVICE role to a user account"
	noRole          = "No enum constant com.cinchapi.concourse.security.Role."
	noPermission    = "No enum constant com.cinchapi.concourse.security.Permission."
	notInvokable    = "The requested method invocation is either invalid or not eligble for client-side invocation" // so it is spelt
	internalFailure = "internal error; the log of the server says more"
	unknownOutcome  = "it is unknown whether the change was made: look at the user before you ask again"
)

// toolText returns what a tool is told of why its call was refused. Internal
// errors say no more than that.
func toolText(err error, username string, password account.Secret) string {
	switch account.KindOf(err) {
	case account.KindInternal:
		return internalFailure
	case account.KindOutcomeUnknown: // tools cannot give a request id
		return unknownOutcome
	case account.KindAlreadyExists:
		return userExists
	case account.KindNotFound:
		return noSuchUser
	}
	switch account.ReasonOf(err) {
	case account.ReasonNeedsAdmin:
		return unauthorized
	case account.ReasonLastAdmin:
		return lastAdmin
	case account.ReasonPasswordPolicy:
		if len(password) < 3 || len(bytes.TrimSpace(password)) == 0 {
			return badPassword
		}
	}
	if e, ok := errors.AsType[*account.Error](err); ok && e.Field == "username" && (username == "" || strings.ContainsFunc(username, unicode.IsSpace)) {
		return badUsername
	}
	return err.Error()
}
