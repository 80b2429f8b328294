package supervisor

import (
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// Options say which plugin to run, and how.
type Options struct {
	Path      string // a name to find in Directory, or a path
	Directory string
	SHA256    string // the pin, 64 hexadecimal digits; empty: none
	AutoMTLS  bool

	StartTimeout time.Duration // for the handshake, and again for Configure; default 10 s
	CallTimeout  time.Duration // for a call in all, the plugin's restarts included; default 30 s

	// RunDir holds the executed copy and the sockets. It is made with mode
	// 0700 if it is missing and belongs to this Supervisor alone. Its path must
	// leave room for a socket's name, which host/home sees to.
	RunDir string

	Configuration account.Configuration
	Logger        hclog.Logger // the plugin's lines get its name under it
	OnEvent       func(Event)  // called for one event at a time; must not call Reload or Stop
	Pace          Pace

	raw Raw // of a Trial
}

// Pace holds the times and counts of supervision. A zero field means its
// default.
type Pace struct {
	HealthInterval time.Duration // from the start of one check to the next; 1 s
	HealthTimeout  time.Duration // one check; 1.5 s
	HealthMisses   int           // so many missed checks in a row are a hang; 3
	Silence        time.Duration // so long without one answer, while calls wait, is a hang too; 20 s
	RestartMin     time.Duration // before the second restart in a row, the first being immediate; 100 ms
	RestartMax     time.Duration // 10 s
	Healthy        time.Duration // after so long alive, restarts count from the first again; 1 min
	Drain          time.Duration // for calls under way at a reload or stop; 5 s
	Shutdown       time.Duration // for the plugin to end by itself; 2 s, and go-plugin allows no more than 2 s once asked
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.OnEvent == nil {
		o.OnEvent = func(Event) {}
	}
	p := &o.Pace
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.StartTimeout, 10 * time.Second}, {&o.CallTimeout, 30 * time.Second},
		{&p.HealthInterval, time.Second}, {&p.HealthTimeout, 1500 * time.Millisecond}, {&p.Silence, 20 * time.Second},
		{&p.RestartMin, 100 * time.Millisecond}, {&p.RestartMax, 10 * time.Second}, {&p.Healthy, time.Minute},
		{&p.Drain, 5 * time.Second}, {&p.Shutdown, 2 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if p.HealthMisses == 0 {
		p.HealthMisses = 3
	}
	return o
}

// reloaded returns o with what a reload may change taken from n.
func (o Options) reloaded(n Options) Options {
	o.Path, o.Directory, o.SHA256, o.AutoMTLS = n.Path, n.Directory, n.SHA256, n.AutoMTLS
	o.Configuration = n.Configuration
	if n.StartTimeout != 0 {
		o.StartTimeout = n.StartTimeout
	}
	return o
}
