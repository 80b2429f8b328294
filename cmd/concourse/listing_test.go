package main_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/shared/account"
	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// Two rows with all that a row may have, and a client that would clear the
// screen.
var sessionRows = []account.Session{
	{
		ID: "s1", Host: "h", Username: "root", Role: account.Admin, RemoteAddress: "uid:0", Listener: account.ManagementListener,
		Client: "concourse 1\u009b2J", ConnectedSince: moment, LastActive: moment.Add(time.Second), Calls: 3, Connections: 1,
		CurrentCall: &account.Call{Method: "Sessions", Since: moment.Add(time.Second)},
	},
	{
		ID: "s2", Host: "h", Username: "bob", Role: account.User, RemoteAddress: "10.0.0.7:9", Listener: account.ClientListener,
		Client: "java", Environment: "default", ConnectedSince: moment, LastActive: moment, Calls: 9, Connections: 2,
		OpenTransactions: []account.Transaction{{ID: "t1", Since: moment, Environment: "billing"}}, Note: "watched",
	},
}

func sendSessionRows(send func(*managementv1.SessionsResponse) error) error {
	return send(answerOf(sessionRows, 0))
}

// answerOf is an answer with the rows; 0 is no total.
func answerOf(rows []account.Session, total uint64) *managementv1.SessionsResponse {
	var encoded []byte
	for i := range rows {
		encoded = wire.AppendSession(encoded, &rows[i])
	}
	return wire.WithRows(&managementv1.SessionsResponse{Total: total}, encoded)
}

func TestSessions(t *testing.T) {
	t.Parallel()
	const table = `Current User Sessions:
USERNAME  ROLE   SESSION  ADDRESS     LISTENER    CLIENT               ENVIRONMENT  CONNECTED SINCE       CONNECTIONS  CALLS  CURRENT CALL                         OPEN TRANSACTIONS                         NOTE
root      ADMIN  s1       uid:0       management  concourse 1\u009b2J  -            2026-11-23T10:48:31Z  -            3      Sessions since 2026-11-23T10:48:32Z  -                                         -
bob       USER   s2       10.0.0.7:9  client      java                 default      2026-11-23T10:48:31Z  2            9      -                                    t1 since 2026-11-23T10:48:31Z in billing  watched
`
	const array = `[
{"id":"s1","host":"h","username":"root","role":"ADMIN","remote_address":"uid:0","listener":"management","client":"concourse 1\u009b2J","environment":"","connected_since":"2026-11-23T10:48:31Z","last_active":"2026-11-23T10:48:32Z","calls":3,"connections":1,"current_call":{"method":"Sessions","since":"2026-11-23T10:48:32Z"},"open_transactions":[]},
{"id":"s2","host":"h","username":"bob","role":"USER","remote_address":"10.0.0.7:9","listener":"client","client":"java","environment":"default","connected_since":"2026-11-23T10:48:31Z","last_active":"2026-11-23T10:48:31Z","calls":9,"connections":2,"current_call":null,"open_transactions":[{"id":"t1","since":"2026-11-23T10:48:31Z","environment":"billing"}],"note":"watched"}
]
`
	f := serve(t, &fakeHost{sessions: sendSessionRows})
	t.Run("Table", func(t *testing.T) {
		run(t, f.as("users", "sessions")).expect(t, 0, table, "")
	})
	t.Run("JSON", func(t *testing.T) {
		o := run(t, f.as("users", "sessions", "--format=json"))
		o.expect(t, 0, array, "")
		var parsed []map[string]any
		if err := json.Unmarshal([]byte(o.stdout), &parsed); err != nil || parsed[0]["client"] != sessionRows[0].Client {
			t.Errorf("%v; the client came back as %q", err, parsed[0]["client"])
		}
	})
	t.Run("Operator", func(t *testing.T) {
		run(t, invocation{args: []string{"sessions", "--home", f.home}}).expect(t, 0, table, "")
	})
}

// Columns that had nothing to show turn up with the first row that has.
func TestSessionsOfALaterBatch(t *testing.T) {
	t.Parallel()
	plain := sessionRows[1]
	plain.Client, plain.Environment, plain.OpenTransactions, plain.Note = "", "", nil, ""
	f := serve(t, &fakeHost{sessions: func(send func(*managementv1.SessionsResponse) error) error {
		for _, rows := range [][]account.Session{{plain}, {plain}, sessionRows[1:], {plain}} {
			if err := send(answerOf(rows, 0)); err != nil {
				return err
			}
		}
		return nil
	}})
	run(t, f.as("users", "sessions")).expect(t, 0, `Current User Sessions:
USERNAME  ROLE  SESSION  ADDRESS     LISTENER  CONNECTED SINCE       CONNECTIONS  CALLS
bob       USER  s2       10.0.0.7:9  client    2026-11-23T10:48:31Z  2            9
bob       USER  s2       10.0.0.7:9  client    2026-11-23T10:48:31Z  2            9
USERNAME  ROLE  SESSION  ADDRESS     LISTENER  CLIENT  ENVIRONMENT  CONNECTED SINCE       CONNECTIONS  CALLS  OPEN TRANSACTIONS                         NOTE
bob       USER  s2       10.0.0.7:9  client    java    default      2026-11-23T10:48:31Z  2            9      t1 since 2026-11-23T10:48:31Z in billing  watched
bob       USER  s2       10.0.0.7:9  client    -       -            2026-11-23T10:48:31Z  2            9      -                                         -
`, "")
}

// A listing that breaks off must not pass for a whole one.
func TestListingThatBreaksOff(t *testing.T) {
	t.Parallel()
	f := serve(t, &fakeHost{sessions: func(send func(*managementv1.SessionsResponse) error) error {
		if err := sendSessionRows(send); err != nil {
			return err
		}
		return account.Unavailable("the plugin is gone")
	}})
	for _, format := range []string{"table", "json"} {
		t.Run(format, func(t *testing.T) {
			o := run(t, f.as("users", "sessions", "--format", format))
			if o.code != 7 || json.Valid([]byte(o.stdout)) || !strings.Contains(o.stderr, "he plugin is gone") {
				t.Errorf("exit code %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
			}
		})
	}
}

func numbered(batch, i int) string { return fmt.Sprintf("user%04d%04d", batch, i) }

func TestListStreams(t *testing.T) {
	t.Parallel()
	few, many := serve(t, &fakeHost{accounts: manyAccounts(1)}), serve(t, &fakeHost{accounts: manyAccounts(100)})
	for _, format := range []string{"table", "json"} {
		t.Run(format, func(t *testing.T) {
			small := run(t, few.as("users", "list", "--format", format))
			large := run(t, many.as("users", "list", "--format", format))
			if n := strings.Count(large.stdout, "user0"); large.code != 0 || n != 100*account.MaxBatch {
				t.Errorf("exit code %d, %d accounts: %s", large.code, n, large.stderr)
			}
			// 100,000 accounts held would be well over 50 MiB.
			if grown := large.maxRSS - small.maxRSS; grown > 32<<10 {
				t.Errorf("100,000 accounts take %d KiB more than 1,000", grown)
			}
		})
	}
}
