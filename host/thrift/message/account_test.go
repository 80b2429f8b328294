package message_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// What a reader's buffer takes beyond 64 KiB is asked for before, and given back
// when the next message is waited for.
func TestAccount(t *testing.T) {
	short := simple(true, "core:ping", thrift.CALL, 1, strings.Repeat("x", 30<<10))
	long := simple(true, "core:ping", thrift.CALL, 1, strings.Repeat("x", 900<<10))
	held := 0
	r := message.NewReader(bytes.NewReader(bytes.Join([][]byte{short, long, short, long}, nil)), mib)
	r.Account(func(more int) bool {
		held += more
		return true
	})
	for range 2 {
		if _, err := r.Read(); err != nil || held != 0 {
			t.Fatalf("a short message holds %d bytes, %v", held, err)
		}
		if _, err := r.Read(); err != nil || held < len(long) || held > mib {
			t.Fatalf("a message of %d bytes holds %d, %v", len(long), held, err)
		}
	}
	if err := r.Wait(); err != io.EOF || held != 0 {
		t.Errorf("%d bytes are held at the end, %v", held, err)
	}
}

func TestAccount_NoRoom(t *testing.T) {
	long := simple(true, "core:ping", thrift.CALL, 1, strings.Repeat("x", 900<<10))
	held := 0
	r := message.NewReader(bytes.NewReader(long), mib)
	r.Account(func(more int) bool {
		if held+more > 300<<10 {
			return false
		}
		held += more
		return true
	})
	if _, err := r.Read(); !errors.Is(err, message.ErrNoRoom) {
		t.Errorf("%v, want ErrNoRoom", err)
	}
	if held == 0 || held > 300<<10 {
		t.Errorf("%d bytes are held", held)
	}
}
