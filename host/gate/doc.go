// Package gate lets calls in and carries changes through, for every listener:
// it throttles and registers logins, checks tokens, roles and the lease, hands
// changes to the plugin under a request id, ends the sessions that a change
// must end before it answers, and writes the audit line. Upholds design rules
// 2 (the request id is made here), 3, 4, 5, 9 and 12.
//
// It knows no rule about accounts beyond "ADMIN only", "this token is good for
// this call", and which verbs end their target's sessions; the rest is the
// plugin's. It knows no protocol: listeners turn messages into its calls.
package gate
