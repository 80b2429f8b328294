package management

// Trusted is the decision whether a socket's owner may be sent a password.
var Trusted = trusted
