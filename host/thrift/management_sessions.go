package thrift

import (
	"context"
	"fmt"
	"time"

	"github.com/cinchapi/concourse-users/host/gate"
	"github.com/cinchapi/concourse-users/host/session"
	"github.com/cinchapi/concourse-users/shared/account"
)

// sessionLines lists the sessions that the plugin shows, the oldest first, in the
// lines that tools read. It refuses with Unavailable a list of more bytes than
// most.
func sessionLines(ctx context.Context, g *gate.Gate, c gate.Caller, most int) ([]byte, error) {
	var lines []byte
	n := 0
	err := g.Sessions(ctx, c, session.Listing{Order: session.ByConnected}, func(rows []account.Session, _ int) error {
		for i := range rows {
			n++
			lines = fmt.Appendf(lines, "%d. %s logged in since ", n, rows[i].Username)
			lines = append(appendLoginTime(lines, rows[i].ConnectedSince.Local()), '\n')
		}
		if len(lines) > most {
			return account.Unavailable("there are too many sessions for one answer; 'concourse users sessions' lists them all")
		}
		return nil
	})
	return lines, err
}

// appendLoginTime appends a time in the form that tools read, whose hours go
// from 0 to 23 although AM or PM follows them.
func appendLoginTime(to []byte, at time.Time) []byte {
	to = at.AppendFormat(to, "Jan 2, 2006 at ")
	to = fmt.Append(to, at.Hour())
	return at.AppendFormat(to, ":04:05 PM")
}
