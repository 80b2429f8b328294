// Package supervisor keeps one users plugin running: it finds the executable,
// compares it with its pin, runs a copy of it, configures it, watches its
// health, restarts it when it dies or hangs, and replaces it by a rebuilt one.
// A *Supervisor is account.Users: it forwards each call to the running plugin,
// and repeats it on the next one if the plugin dies under it.
//
// It knows no rule about accounts and opens no store. It upholds design rules
// 2 (the old process is gone before a call is repeated, with its request id),
// 5 (a restart well within the lease) and 10 (a plugin is not trusted more
// than it must be). Lifecycle events go to Options.OnEvent, for the audit log.
package supervisor
