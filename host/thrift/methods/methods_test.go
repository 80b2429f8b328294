package methods_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cinchapi/concourse-users/host/thrift/methods"
)

// management are the methods of the management service.
var management = []string{
	"login", "logout", "disableUser", "dump", "enableUser", "getDumpList", "createUser", "setUserPassword", "setUserRole", "hasUser",
	"installPluginBundle", "listAllEnvironments", "listAllUserSessions", "listPluginBundles", "deleteUser", "runningPluginsInfo",
	"uninstallPluginBundle", "grant", "revoke", "repairData", "compactData",
}

func clients() (all []*methods.Method) {
	methods.Each(func(m *methods.Method) { all = append(all, m) })
	return all
}

func both() []*methods.Method {
	all := clients()
	for _, name := range management {
		all = append(all, methods.OfManagement(name))
	}
	return all
}

// The original's services have 353, 75, 24 and 21 methods. Of the 312 of core that
// it has take READ two may write, and of the six of which it asks nothing three read.
func TestEach(t *testing.T) {
	type count struct {
		service string
		access  methods.Access
	}
	got := map[count]int{}
	for _, m := range clients() {
		got[count{m.Service, m.Access}]++
	}
	want := map[count]int{
		{"core", methods.Read}: 312 - 2 + 3, {"core", methods.Write}: 31 + 2, {"core", methods.Token}: 4, {"core", methods.Open}: 6 - 3,
		{"calculate", methods.Read}: 75, {"navigate", methods.Read}: 24,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	table, err := os.ReadFile("methods.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(table), "\nConcourseManagementService\t"); n != 21 || len(management) != n {
		t.Errorf("the management service has %d methods, of which %d are looked at here", n, len(management))
	}
	if n := strings.Count(string(table), "\n") - 1; n != len(both()) {
		t.Errorf("the table has %d methods, and %d are found", n, len(both()))
	}
}

func TestLookup(t *testing.T) {
	for name, c := range map[string]struct {
		service, name string // of the method; none
		known         bool
	}{
		"login":                   {"core", "login", true},
		"core:login":              {"core", "login", true},
		"calculate:sumKeyRecords": {"calculate", "sumKeyRecords", true},
		"navigate:navigateKeyCcl": {"navigate", "navigateKeyCcl", true},
		"sumKeyRecords":           {"", "", true},
		"core:sumKeyRecords":      {"", "", true},
		"calculate:login":         {"", "", true},
		"core:createUser":         {"", "", true},
		"createUser":              {"", "", true},
		"Login":                   {"", "", true},
		"":                        {"", "", true},
		"core:":                   {"", "", true},
		"core:core:login":         {"", "", true},
		"core:login:":             {"", "", true},
		"auth:login":              {"", "", false},
		"Core:login":              {"", "", false},
		":login":                  {"", "", false},
		"management:createUser":   {"", "", false},
	} {
		m, known := methods.Lookup(name)
		if known != c.known || (m != nil) != (c.name != "") {
			t.Errorf("%q: %+v, %v", name, m, known)
		}
		if m != nil && (m.Service != c.service || m.Name != c.name) {
			t.Errorf("%q is %+v", name, m)
		}
	}
}

func TestOfManagement(t *testing.T) {
	for _, name := range management {
		want := methods.Admin
		switch name {
		case "login":
			want = methods.Open
		case "logout":
			want = methods.Token
		}
		m := methods.OfManagement(name)
		if m == nil || m.Service != "" || m.Name != name || m.Access != want || m.Security == 0 {
			t.Errorf("%s: %+v", name, m)
		}
		if m != nil && want == methods.Admin && (m.Token == 0 || m.Management == 0) {
			t.Errorf("%s cannot be refused: %+v", name, m)
		}
	}
	for _, name := range []string{"addKeyValue", "core:createUser", "invokeManagement", ""} {
		if m := methods.OfManagement(name); m != nil {
			t.Errorf("%q is %+v", name, m)
		}
	}
	if m := methods.OfManagement("installPluginBundle"); m.Management != 1 || m.Security != 2 {
		t.Errorf("installPluginBundle: %+v", m)
	}
}

// What the original lets anyone call who reaches its port is read here.
func TestUncheckedMethodsAreRead(t *testing.T) {
	for _, name := range []string{"reviewRecord", "describeRecordTime", "describeRecordTimestr"} {
		if m, _ := methods.Lookup(name); m == nil || m.Access != methods.Read {
			t.Errorf("%s: %+v", name, m)
		}
	}
	var open []string
	for _, m := range clients() {
		if m.Access == methods.Open {
			open = append(open, m.Name)
		}
	}
	slices.Sort(open)
	if d := cmp.Diff([]string{"getServerVersion", "invokeManagement", "login"}, open); d != "" {
		t.Error(d)
	}
}

// What the original lets anyone call who may read, but may change data, takes WRITE
// here. Nothing else that reads has a name like those that write.
func TestWhatMayChangeDataIsWrite(t *testing.T) {
	for _, name := range []string{"core:findOrAddKeyValue", "core:invokePlugin"} {
		if m, _ := methods.Lookup(name); m == nil || m.Access != methods.Write {
			t.Errorf("%s: %+v", name, m)
		}
	}
	for _, m := range clients() {
		if m.Access != methods.Read {
			continue
		}
		for _, verb := range []string{"add", "clear", "consolidate", "insert", "reconcile", "remove", "revert", "set", "swap"} {
			if strings.HasPrefix(m.Name, verb) || strings.Contains(m.Name, strings.ToUpper(verb[:1])+verb[1:]) {
				t.Errorf("%s takes no more than READ", m.Name)
			}
		}
	}
}

// Whatever reads or writes can be checked, and refused.
func TestReadAndWriteCanBeRefused(t *testing.T) {
	var without []string // a TransactionException
	for _, m := range clients() {
		if m.Access != methods.Read && m.Access != methods.Write {
			continue
		}
		if m.Token == 0 || m.Transaction == 0 || m.Environment == 0 || m.Security != 1 || m.Permission < 2 || m.Permission > 5 {
			t.Errorf("%+v", m)
		}
		if last := m.Arguments[len(m.Arguments)-1]; last.ID != m.Environment {
			t.Errorf("%s does not end with its environment: %+v", m.Name, last)
		}
		if m.TransactionFailed == 0 {
			without = append(without, m.Name)
		}
	}
	if d := cmp.Diff([]string{"ping"}, without); d != "" {
		t.Error(d)
	}
}

func TestSignatures(t *testing.T) {
	m, _ := methods.Lookup("addKeyValueRecords")
	want := &methods.Method{
		Service: "core", Name: "addKeyValueRecords", Access: methods.Write, Returns: "map<i64,bool>",
		Token: 4, Transaction: 5, Environment: 6, Security: 1, TransactionFailed: 2, Permission: 4,
		Arguments: []methods.Argument{
			{1, "key", "string"}, {2, "value", "TObject"}, {3, "records", "list<i64>"}, {4, "creds", "AccessToken"},
			{5, "transaction", "TransactionToken"}, {6, "environment", "string"},
		},
		Exceptions: []methods.Exception{{1, "SecurityException"}, {2, "TransactionException"}, {3, "InvalidArgumentException"}, {4, "PermissionException"}},
	}
	if d := cmp.Diff(want, m, cmpopts.IgnoreUnexported(methods.Method{})); d != "" {
		t.Error(d)
	}
	if m, _ := methods.Lookup("getServerVersion"); len(m.Arguments) != 0 || m.Void {
		t.Errorf("%+v", m)
	}
	if m, _ := methods.Lookup("invokeManagement"); m.Arguments[0].ID != 2 || m.Token != 4 || m.Management != 2 {
		t.Errorf("%+v", m)
	}
}

// The numbers that a gateway looks at are those of the signature.
func TestNumbersFollowSignatures(t *testing.T) {
	for _, m := range both() {
		types := map[int16]string{}
		for _, a := range m.Arguments {
			if types[a.ID] != "" || a.ID <= 0 || a.Name == "" {
				t.Errorf("%s: %+v", m.Name, a)
			}
			types[a.ID] = a.Type
		}
		// A message may have 32 fields at its top.
		if len(m.Arguments) > 15 {
			t.Errorf("%s has %d arguments", m.Name, len(m.Arguments))
		}
		for id, want := range map[int16]string{m.Token: "AccessToken", m.Transaction: "TransactionToken", m.Environment: "string"} {
			if id != 0 && types[id] != want {
				t.Errorf("%s: argument %d is %q, not %s", m.Name, id, types[id], want)
			}
		}
		if n := count(m, "AccessToken"); (m.Token != 0) != (n == 1) || n > 1 {
			t.Errorf("%s has %d access tokens", m.Name, n)
		}
		if n := count(m, "TransactionToken"); (m.Transaction != 0) != (n == 1) || n > 1 {
			t.Errorf("%s has %d transactions", m.Name, n)
		}
		numbers := map[string]int16{
			"SecurityException": m.Security, "TransactionException": m.TransactionFailed, "PermissionException": m.Permission,
			"ParseException": m.Parse, "ManagementException": m.Management,
		}
		ids := map[int16]bool{0: true}
		for _, e := range m.Exceptions {
			if ids[e.ID] || !strings.HasSuffix(e.Name, "Exception") {
				t.Errorf("%s: %+v", m.Name, e)
			}
			ids[e.ID] = true
			if id, known := numbers[e.Name]; known && id != e.ID {
				t.Errorf("%s: %s is %d, not %d", m.Name, e.Name, e.ID, id)
			}
			delete(numbers, e.Name)
		}
		for name, id := range numbers {
			if id != 0 {
				t.Errorf("%s does not declare %s, which has the number %d", m.Name, name, id)
			}
		}
		if m.Void != (m.Returns == "void") || m.Returns == "" {
			t.Errorf("%s: %+v", m.Name, m)
		}
	}
}

func count(m *methods.Method, of string) (n int) {
	for _, a := range m.Arguments {
		if a.Type == of {
			n++
		}
	}
	return n
}
