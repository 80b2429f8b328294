package relay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/host/hosttest"
	"github.com/cinchapi/concourse-users/host/hosttest/upstream"
	"github.com/cinchapi/concourse-users/host/relay"
)

func TestTry(t *testing.T) {
	for outcome, c := range map[string]struct {
		upstream func(*upstream.Server)
		says     string
	}{
		"Fine":        {func(*upstream.Server) {}, "[INFO]  the data server answers, and lets this host in"},
		"Away":        {(*upstream.Server).Kill, "[ERROR] the data server cannot be reached"},
		"Hangs":       {func(s *upstream.Server) { s.Always("", upstream.Hang) }, "[ERROR] the data server does not answer as it should"},
		"Refused":     {func(s *upstream.Server) { s.SetPassword("another") }, "[ERROR] the data server refuses the host's account"},
		"Differs":     {func(s *upstream.Server) { s.SetDefaultEnvironment("other") }, "[ERROR] the data server has another default environment"},
		"DoesNotSay":  {func(s *upstream.Server) { s.Always("getServerEnvironment", upstream.Failure(6, "no")) }, "[WARN]  the data server lets this host in, and then does not serve it"},
		"TooOldToSay": {func(s *upstream.Server) { s.Always("getServerEnvironment", upstream.Failure(1, "no")) }, "[WARN]  the data server cannot say which environment it means by none"},
	} {
		t.Run(outcome, func(t *testing.T) {
			w := newWorld(t, func(o *relay.Options) { o.AnswerTimeout = 2 * time.Second })
			c.upstream(w.server)
			began := time.Now()
			w.Try()
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it is waited for: %v", took)
			}
			hosttest.Await(t, "the log has it", func() bool { return strings.Contains(w.log.String(), c.says) })
			hosttest.Await(t, "it has logged out", func() bool { return w.server.Tokens() == 0 })
		})
	}
	t.Run("CloseComesFirst", func(t *testing.T) {
		w := newWorld(t)
		w.server.Always("login", upstream.Slowly(50*time.Millisecond, 1000, nil))
		w.Try() // the world closes it, and finds no login left
	})
}
