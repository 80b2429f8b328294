package bench_test

import (
	"testing"

	"github.com/cinchapi/concourse-users/host/hosttest"
)

// BenchmarkCall asks for one account: of all calls that reach the plugin and
// its store, the one that does least there.
func BenchmarkCall(b *testing.B) {
	for name, n := range populations("accounts", 6) {
		store(b, n)
		b.Run(name, func(b *testing.B) {
			show := func(t *town) func() error {
				return func() error {
					_, err := t.Show(b.Context(), t.someone())
					return err
				}
			}
			subject, few := towns(b, n)
			c := comparison{subject: work{do: show(subject)}, floor: []work{plainCall(b)}, aside: []work{pluginCall(b), twoHops(b)}}
			if few != nil {
				c.like = []work{{name: "growth", do: show(few)}}
			}
			c.run(b)
		})
	}
}

// BenchmarkCommand runs a command that logs in and asks for one account.
func BenchmarkCommand(b *testing.B) {
	byAccounts(b, func(b *testing.B, t *town) func() error {
		return func() error {
			cmd := t.Command("users", "show", hosttest.Administrator)
			cmd.Env = append(cmd.Env, "CONCOURSE_PASSWORD="+hosttest.Password)
			return cmd.Run()
		}
	}, hello, hash)
}

// BenchmarkStart starts a host, which starts its plugin, and waits for the
// answer to a first call, against a start of a plugin that does nothing.
func BenchmarkStart(b *testing.B) {
	for name, n := range populations("accounts", 6) {
		path := store(b, n)
		b.Run(name, func(b *testing.B) {
			h := plainly(hosttest.New(b, "plugin:", "  settings:", "    path: "+path))
			start := work{
				do: func() error {
					if err := h.TryStart(); err != nil {
						return err
					}
					c := h.Dial()
					defer c.Close()
					_, err := c.PluginStatus(b.Context())
					return err
				},
				after: func() error { h.Stop(); return nil },
			}
			var started func()
			empty := work{
				name: "plugin-start",
				do: func() error {
					p := emptyPlugin(b)
					started = p.Kill
					client, err := p.Client()
					if err != nil {
						return err
					}
					return client.Ping()
				},
				after: func() error { started(); return nil },
			}
			comparison{subject: start, floor: []work{empty}}.run(b)
		})
	}
}
