package credentials_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/credentials"
	"github.com/cinchapi/concourse-users/shared/credentials/credentialstest"
)

// sample was written by the original's own class.
func sample(t testing.TB) (file []byte, holds []credentialstest.Account) {
	t.Helper()
	file, err := os.ReadFile("testdata/access.sample")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/access.sample.json")
	if err != nil {
		t.Fatal(err)
	}
	if holds, err = credentialstest.Parse(text); err != nil {
		t.Fatal(err)
	}
	return file, holds
}

func read(t *testing.T, file []byte) *credentials.Contents {
	t.Helper()
	c, err := credentials.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withoutSecrets is for comparisons.
var withoutSecrets = cmpopts.IgnoreFields(credentials.Account{}, "Salt", "Digest")

func TestRead(t *testing.T) {
	t.Run("Sample", func(t *testing.T) {
		file, holds := sample(t)
		c := read(t, file)
		if c.Stale != 0 || len(c.Accounts) != len(holds) {
			t.Fatalf("%d accounts and %d stale bytes", len(c.Accounts), c.Stale)
		}
		for i, want := range holds {
			got := c.Accounts[i]
			is := credentials.Account{ID: int16(i + 1), Username: want.Username, Role: credentials.Role(want.Role), Enabled: want.Enabled}
			for e, p := range want.Grants {
				if is.Grants == nil {
					is.Grants = map[string]account.Permission{}
				}
				is.Grants[e] = account.Permission(p)
			}
			if d := cmp.Diff(is, got, withoutSecrets); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if !got.HasPassword(want.Password) || got.HasPassword(want.Password+" ") {
				t.Errorf("%s has not the password that it should have", got.Username)
			}
			if hash := string(got.PasswordHash()); !strings.HasPrefix(hash, "$concourse-sha512$") || len(hash) != len("$concourse-sha512$$")+43+86 {
				t.Errorf("%s has the hash %s", got.Username, hash)
			}
		}
	})
	t.Run("WhatFaultsLeave", func(t *testing.T) {
		c := read(t, credentialstest.File(
			credentialstest.Account{ID: 9, Username: "service", Role: "SERVICE", Enabled: true},
			credentialstest.Account{ID: -32768, Username: "wrapped", Grants: map[string]string{"": "READ", "a-b": "WRITE", "\x00é𠮷": "READ"}},
			credentialstest.Account{ID: 3, UsernameHex: "6aff00", Role: "USER", Columns: map[string]string{"second": "x", "first": "y"}},
		))
		want := []credentials.Account{
			{ID: -32768, Username: "wrapped", Grants: map[string]account.Permission{"": "READ", "a-b": "WRITE", "\x00é𠮷": "READ"}},
			{ID: 3, Username: "j\xff\x00", Role: credentials.User, Unknown: []string{"first", "second"}},
			{ID: 9, Username: "service", Role: credentials.Service, Enabled: true},
		}
		if d := cmp.Diff(want, c.Accounts, withoutSecrets); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
	t.Run("AsTheOriginalDoes", func(t *testing.T) {
		// What the encoder makes of the sample's accounts is the sample, but for
		// salts and what was one object before.
		file, holds := sample(t)
		ours, theirs := read(t, credentialstest.File(holds...)), read(t, file)
		for _, c := range []*credentials.Contents{ours, theirs} {
			for i := range c.Accounts {
				if len(c.Accounts[i].Grants) == 0 {
					c.Accounts[i].Grants = nil
				}
			}
		}
		if d := cmp.Diff(theirs, ours, withoutSecrets); d != "" {
			t.Errorf("(-theirs +ours):\n%s", d)
		}
	})
	t.Run("None", func(t *testing.T) {
		if c := read(t, credentialstest.File()); len(c.Accounts) != 0 || c.Stale != 0 {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("StaleBytes", func(t *testing.T) {
		file, _ := sample(t)
		for _, tail := range []string{"\x00", "x", string(file), string(file[1000:])} {
			if c := read(t, append(bytes.Clone(file), tail...)); len(c.Accounts) != 4 || c.Stale != len(tail) {
				t.Errorf("%d accounts and %d stale bytes", len(c.Accounts), c.Stale)
			}
		}
	})
	t.Run("Many", func(t *testing.T) {
		var all []credentialstest.Account
		for i := range 10_000 {
			all = append(all, credentialstest.Account{Username: fmt.Sprint("user", i), Role: "USER", Enabled: true, Grants: map[string]string{"default": "READ", fmt.Sprint("e", i): "WRITE"}})
		}
		if c := read(t, credentialstest.File(all...)); len(c.Accounts) != len(all) || c.Accounts[9999].Username != "user9999" {
			t.Errorf("got %d accounts", len(c.Accounts))
		}
	})
	t.Run("PrintsNoSecret", func(t *testing.T) {
		file, _ := sample(t)
		c := read(t, file)
		for _, text := range []string{fmt.Sprintf("%v", c), fmt.Sprintf("%+v", c.Accounts), fmt.Sprintf("%#v", c.Accounts[0])} {
			if strings.Contains(text, "119 180 224") || strings.Contains(text, "0x77, 0xb4") || strings.Contains(strings.ToUpper(text), "77B4E0") {
				t.Errorf("it prints %s", text)
			}
		}
	})
}

// change returns the file with something else in place of the first of a part
// that it has.
func change(t *testing.T, file []byte, part, by string) []byte {
	t.Helper()
	if !bytes.Contains(file, []byte(part)) {
		t.Fatalf("the file has no %q", part)
	}
	return bytes.Replace(file, []byte(part), []byte(by), 1)
}

func TestReadErr(t *testing.T) {
	file, _ := sample(t)
	t.Run("CutShort", func(t *testing.T) {
		for n := range file {
			_, err := credentials.Read(bytes.NewReader(file[:n]))
			f, ok := errors.AsType[*credentials.Flaw](err)
			if !ok || f.Offset > n || !strings.Contains(f.Reason, "expected") {
				t.Fatalf("the first %d bytes: %v", n, err)
			}
		}
	})
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"Empty":          {nil, "at byte 0: expected a Java object stream, which begins with ac ed 00 05, found nothing"},
		"Other":          {[]byte("- username: jeff\n"), "at byte 0: expected a Java object stream, which begins with ac ed 00 05, found 2d 20 75 73"},
		"OtherVersion":   {change(t, file, "\xac\xed\x00\x05", "\xac\xed\x00\x06"), "at byte 0: expected a Java object stream"},
		"OtherObject":    {[]byte("\xac\xed\x00\x05t\x00\x04jeff"), "at byte 4: expected a table of accounts"},
		"OtherTable":     {change(t, file, "HashBasedTable", "TreeBasedTable"), "at byte 4: expected a table of accounts"},
		"OtherMap":       {change(t, file, "java.util.HashMap", "java.util.TreeMap"), "expected a map of rows"},
		"OtherField":     {change(t, file, "backingMap", "backingSet"), "at byte 4: expected a map of rows"},
		"OtherSize":      {change(t, file, "w\x08\x00\x00\x00\x10\x00\x00\x00\x04", "w\x08\x00\x00\x00\x10\x00\x00\x00\x05"), "expected a map of as many rows as it says"},
		"OtherId":        {change(t, file, "java.lang.Short", "java.lang.Shirt"), "expected an account id for each row"},
		"TwiceAnId":      {change(t, file, "xp\x00\x01sq", "xp\x00\x02sq"), "and another for each"},
		"OtherHex":       {change(t, file, "61646D696E", "61646D696X"), "account 1: expected username to be bytes in hex"},
		"OtherSalt":      {change(t, file, "@204282CFF", "@X04282CFF"), "account 1: expected salt to be 32 bytes in hex"},
		"ShortPassword":  {change(t, file, "t\x00\x8077B4E0", "t\x00\x7e77B4"), "account 1: expected password to be 64 bytes in hex"},
		"NoUsername":     {change(t, file, "\x08username", "\x08nickname"), "account 1: expected a column username"},
		"NoUserEnabled":  {change(t, file, "user_enabled", "user_enabler"), "account 1: expected a column user_enabled"},
		"OtherEnabled":   {change(t, file, "java.lang.Boolean", "java.lang.Bootful"), "account 1: expected user_enabled to be true or false"},
		"NeitherBoolean": {change(t, file, "valuexp\x01x", "valuexp\x02x"), "expected 00 or 01, found 02"},
		"OtherRole":      {change(t, file, "\x00\x09\x00\x00\x00\x00t", "\x00\x09\x00\x00\x00\x03t"), "account 1: expected role to be the number of one, 0 to 2"},
		"OtherGrant":     {change(t, file, "security.Permission", "security.Admission_"), "account 3: expected one permission for each environment"},
		"NoPermission":   {change(t, file, "READ", "REAP"), "account 3: expected the permission READ or WRITE"},
		"OtherText":      {change(t, file, "staging", "st\xe4ging"), "expected a text in Java's form of UTF-8"},
		"Exception":      {[]byte("\xac\xed\x00\x05\x7b"), "at byte 4: expected a value, found 7b, which no credentials file has"},
		"Block":          {[]byte("\xac\xed\x00\x05w\x01x"), "at byte 4: expected a value, found 77, which begins a block of data"},
		"Reference":      {[]byte("\xac\xed\x00\x05q\x00\x7e\x00\x00"), "at byte 5: expected a reference to one of the 0 values before it, found 007e0000"},
		"LongText":       {[]byte("\xac\xed\x00\x05|\xff\xff\xff\xff\xff\xff\xff\xff"), "and the file ends after 0 more bytes"},
		"LongArray":      {[]byte("\xac\xed\x00\x05ur\x00\x02[B\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00xp\x7f\xff\xff\xff"), "expected an array, found one of length 2147483647"},
		"Deep":           {[]byte("\xac\xed\x00\x05" + strings.Repeat("s", 100)), "values are nested more than 32 deep"},
		"ItsOwnClass":    {[]byte("\xac\xed\x00\x05sr\x00\x01A\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00xq\x00\x7e\x00\x00"), "expected a class"},
		"NullClass":      {[]byte("\xac\xed\x00\x05sp"), "expected a class, found none"},
		"LongestChain":   {chained(15), "at byte 4: expected a table of accounts"},
		"LongChain":      {chained(16), "at byte 353: the class \"Z\" has more than 15 others above it"},
		"ManyFields":     {[]byte("\xac\xed\x00\x05sr\x00\x01A\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x41" + strings.Repeat("Z\x00\x01f", 65) + "xp"), "at byte 18: the class \"A\" has 65 fields, and 64 is the most"},
		"OwnForm":        {[]byte("\xac\xed\x00\x05sr\x00\x01A\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00xp"), "in a form that cannot be read without it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := credentials.Read(bytes.NewReader(c.file))
			if f, ok := errors.AsType[*credentials.Flaw](err); !ok || !strings.Contains(f.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	t.Run("TooLarge", func(t *testing.T) {
		_, err := credentials.Read(bytes.NewReader(make([]byte, 64<<20+1)))
		if err == nil || !strings.Contains(err.Error(), "the file is larger than 64 MiB") {
			t.Error(err)
		}
	})
	t.Run("Unreadable", func(t *testing.T) {
		broken := errors.New("the disk is gone")
		if _, err := credentials.Read(failing{broken}); !errors.Is(err, broken) {
			t.Error(err)
		}
	})
	// A small file in which each of many rows refers to one map.
	for name, columns := range map[string]map[string]string{
		"SharedMap":  numberedColumns(10_000),
		"SharedText": {strings.Repeat("long", 10_000): ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := credentialstest.File(credentialstest.Account{Username: "jeff", Columns: columns})
			file = change(t, file, "w\x08\x00\x00\x00\x10\x00\x00\x00\x01", "w\x08\x00\x00\x00\x10\x00\x00\xff\xff")
			end := bytes.LastIndex(file, []byte("x\x00sr"))
			var b bytes.Buffer
			b.Write(file[:end])
			for i := 2; i < 0x10000; i++ {
				b.WriteString("sq\x00\x7e\x00\x08")
				b.Write([]byte{byte(i >> 8), byte(i)})
				b.WriteString("q\x00\x7e\x00\x0b")
			}
			b.Write(file[end:])
			_, err := credentials.Read(&b)
			if f, ok := errors.AsType[*credentials.Flaw](err); !ok || !strings.HasPrefix(f.Reason, "the file has more values") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func numberedColumns(n int) map[string]string {
	columns := map[string]string{}
	for i := range n {
		columns[fmt.Sprintf("%06d", i)] = ""
	}
	return columns
}

// chained is a file with an object of a class that has n others above it, which
// stand in its annotation, so that none is nested.
func chained(n int) []byte {
	var b bytes.Buffer
	b.WriteString("\xac\xed\x00\x05sr\x00\x01Z\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00")
	for i := range n {
		b.WriteString("r\x00\x01A\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00x")
		if i == 0 {
			b.WriteString("p")
		} else {
			b.Write([]byte{'q', 0, 0x7e, 0, byte(i)})
		}
	}
	b.Write([]byte{'x', 'q', 0, 0x7e, 0, byte(n)})
	return b.Bytes()
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// FuzzRead: whatever a file has, it is read or refused, and what is read is whole.
func FuzzRead(f *testing.F) {
	file, holds := sample(f)
	f.Add(file)
	f.Add(credentialstest.File(holds...))
	f.Add(append(bytes.Clone(file), file[1000:]...))
	f.Add([]byte("\xac\xed\x00\x05ur\x00\x02[I\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00xp\x00\x00\x00\x01\x00\x00\x00\x07"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := credentials.Read(bytes.NewReader(data))
		if err != nil {
			if flaw, ok := errors.AsType[*credentials.Flaw](err); !ok || flaw.Offset > len(data) || flaw.Offset < 0 {
				t.Errorf("it is refused with %v", err)
			}
			return
		}
		seen := map[int16]bool{}
		for _, a := range c.Accounts {
			if seen[a.ID] || a.Username == "" || len(a.Salt) != 32 || len(a.Digest) != 64 {
				t.Errorf("an account is %+v", a)
			}
			seen[a.ID] = true
		}
		whole := data[:len(data)-c.Stale]
		again, err := credentials.Read(bytes.NewReader(whole))
		if err != nil || !cmp.Equal(again.Accounts, c.Accounts) {
			t.Errorf("without its stale bytes: %v", err)
		}
	})
}
