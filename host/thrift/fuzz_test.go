package thrift_test

import (
	"bytes"
	"testing"

	apache "github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"

	"github.com/cinchapi/concourse-users/host/hosttest/driver"
	"github.com/cinchapi/concourse-users/host/thrift"
	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// Whatever is given as invokeManagement's parameters, reading it ends, takes no
// more than what is there, and finds the texts that a driver has put there.
func FuzzParameters(f *testing.F) {
	for _, given := range [][]any{
		nil,
		{binaryText("new"), binaryText("pass word"), objectText("USER")},
		{binaryText("ann"), scalarText("READ"), scalarText("")},
		{binaryText("1"), binaryText("2"), binaryText("3"), binaryText("4")},
		{binaryText("1"), binaryText("2"), binaryText("3"), binaryText("4"), binaryText("5")},
		{driver.Struct{1: int32(3), 4: driver.List{scalarText("a")}}},
		{driver.Struct{1: int32(7), 8: "text", 3: driver.Map{{Key: object(integerObject, "a"), Value: scalarText("b")}}}},
		{"no", "structs"},
	} {
		f.Add(list(f, given), "new", "pass word", uint8(0))
	}
	deep := []byte{apache.STRUCT, 0, 0, 0, 1} // a list of one struct, in which there are structs
	f.Add(append(deep, bytes.Repeat([]byte{apache.STRUCT, 0, 9}, 5000)...), "", "\xff", uint8(1))
	f.Add([]byte{apache.STRUCT, 0x7f, 0xff, 0xff, 0xff, 0}, "a", "b", uint8(2))
	f.Add([]byte{apache.STRUCT, 0, 0, 0, 1, apache.LIST, 0, 4, apache.BOOL, 0x7f, 0xff, 0xff, 0xff}, "a", "b", uint8(3))
	f.Add([]byte{apache.STRUCT, 0, 0, 0, 1, apache.STRING, 0, 8, 0x7f, 0xff, 0xff, 0xff}, "a", "b", uint8(4))
	f.Fuzz(func(t *testing.T, in []byte, first, second string, form uint8) {
		before := bytes.Clone(in)
		texts, err := thrift.Parameters(in)
		if !bytes.Equal(in, before) {
			t.Fatal("what was read has changed")
		}
		if err == nil {
			whole := 0
			for _, text := range texts {
				whole += len(text)
				if text == nil || !bytes.Contains(in, text) {
					t.Fatalf("%q is nowhere in it", text)
				}
			}
			if len(texts) > 4 || whole > len(in) {
				t.Fatalf("%d texts of %d bytes from %d", len(texts), whole, len(in))
			}
		}

		forms := []func(string) driver.Struct{scalarText, objectText, binaryText}
		a, b := forms[int(form)%3], forms[int(form)/3%3]
		given := list(t, []any{a(first), b(second)})
		texts, err = thrift.Parameters(given)
		switch want := [][]byte{[]byte(first), []byte(second)}; {
		case len(given) > 64<<10:
			if err == nil {
				t.Fatalf("%d bytes were read", len(given))
			}
		case err != nil || !cmp.Equal(texts, want):
			t.Fatalf("%q, %v, want %q", texts, err, want)
		}
	})
}

// list returns a list of parameters as it stands in a message.
func list(t testing.TB, parameters []any) []byte {
	t.Helper()
	whole, err := driver.Options{}.Request("core:invokeManagement", 1, invocation(nil, "m", parameters...))
	if err != nil {
		t.Fatal(err)
	}
	m, err := message.NewReader(bytes.NewReader(whole), len(whole)).Read()
	if err != nil {
		t.Fatal(err)
	}
	field, err := m.Field(3, apache.LIST)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(m.Value(field))
}
