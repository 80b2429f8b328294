package methods

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cinchapi/concourse-users/host/thrift/message"
)

// Access is what a method takes.
type Access int

// What it may take, each more than the one before.
const (
	Open  Access = iota // nothing
	Token               // an access token that is good
	Read                // READ in the environment
	Write               // WRITE in the environment
	Admin               // the role ADMIN
)

// Method is a method of a service. Numbers are ids of fields, and 0 where there
// is none.
type Method struct {
	Service string // "core", "calculate", "navigate"; of the management service ""
	Name    string // without its service
	Access  Access
	Void    bool // it returns nothing, so an unknown exception looks like success

	// Arguments.
	Token, Transaction, Environment int16

	// Exceptions that it declares.
	Security, TransactionFailed, Permission, Parse, Management int16

	// The whole of its signature, as its interface has it.
	Arguments  []Argument
	Returns    string // a type
	Exceptions []Exception

	shapes map[int16]*message.Type // of the arguments, by their ids
}

// Argument is an argument that a method takes. Its type is in the words of
// Thrift's interfaces: "list<i64>", "TObject".
type Argument struct {
	ID         int16
	Name, Type string
}

// Exception is an exception that a method declares: "SecurityException".
type Exception struct {
	ID   int16
	Name string
}

//go:embed methods.tsv
var table string

type key struct{ service, name string }

var all = sync.OnceValue(func() map[key]*Method {
	byName := map[key]*Method{}
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	for i, line := range lines[1:] {
		m, management, err := parse(line)
		if err != nil {
			panic(fmt.Sprintf("methods.tsv:%d: %v", i+2, err))
		}
		k := key{m.Service, m.Name}
		if management {
			k.service = managementService
		}
		byName[k] = m
	}
	return byName
})

// managementService is the key of a service whose methods have bare names.
const managementService = "management"

// Lookup returns the method of the client port that a name on the wire means:
// "calculate:sumKey", "core:login", or a bare name, which is core's. It returns
// nil if there is none, and known false if the service is unknown too.
func Lookup(name string) (m *Method, known bool) {
	service, bare, multiplexed := strings.Cut(name, ":")
	if !multiplexed {
		service, bare = "core", name
	}
	switch service {
	case "core", "calculate", "navigate":
		return all()[key{service, bare}], true
	}
	return nil, false
}

// OfManagement returns the method of the management port that has that name, or
// nil.
func OfManagement(name string) *Method { return all()[key{managementService, name}] }

// Each calls f for every method of the client port, in no order.
func Each(f func(*Method)) {
	for k, m := range all() {
		if k.service != managementService {
			f(m)
		}
	}
}

// The table's columns.
const (
	serviceColumn = iota
	muxColumn
	nameColumn
	argumentsColumn
	returnColumn
	exceptionsColumn
	accessColumn
	tokenColumn
	transactionColumn
	environmentColumn
)

func parse(line string) (m *Method, management bool, err error) {
	c := strings.Split(line, "\t")
	if len(c) <= environmentColumn {
		return nil, false, fmt.Errorf("%d columns", len(c))
	}
	m = &Method{Service: c[muxColumn], Name: c[nameColumn], Returns: c[returnColumn], Void: c[returnColumn] == "void"}
	if management = c[serviceColumn] == "ConcourseManagementService"; management {
		m.Service = ""
	}
	for column, to := range map[int]*int16{tokenColumn: &m.Token, transactionColumn: &m.Transaction, environmentColumn: &m.Environment} {
		if c[column] == "-" {
			continue
		}
		if *to, err = number(c[column]); err != nil {
			return nil, false, err
		}
	}
	if m.Arguments, err = arguments(c[argumentsColumn]); err != nil {
		return nil, false, err
	}
	if m.shapes, err = shapes(m.Arguments); err != nil {
		return nil, false, err
	}
	declared := map[string]*int16{
		"SecurityException": &m.Security, "TransactionException": &m.TransactionFailed, "PermissionException": &m.Permission,
		"ParseException": &m.Parse, "ManagementException": &m.Management,
	}
	for _, e := range strings.Fields(c[exceptionsColumn]) {
		text, name, _ := strings.Cut(e, ":")
		id, err := number(text)
		if err != nil {
			return nil, false, err
		}
		m.Exceptions = append(m.Exceptions, Exception{id, name})
		if to := declared[name]; to != nil {
			*to = id
		}
	}
	m.Access, err = access(c[accessColumn], m)
	return m, management, err
}

func arguments(column string) ([]Argument, error) {
	if column == "-" {
		return nil, nil
	}
	var all []Argument
	for _, a := range strings.Fields(column) {
		parts := strings.SplitN(a, ":", 3)
		if len(parts) != 3 {
			return nil, fmt.Errorf("argument %q", a)
		}
		id, err := number(parts[0])
		if err != nil {
			return nil, err
		}
		all = append(all, Argument{id, parts[1], parts[2]})
	}
	return all, nil
}

// changing are the methods that the original has take READ, and that may change
// data all the same: one adds what it does not find, and what a plugin of the data
// server does it does by the rights of the host's account there.
var changing = []string{"findOrAddKeyValue", "invokePlugin"}

// access closes what the original leaves open: a method that takes a token and
// an environment and checks neither is read, and whatever changes data is write.
func access(text string, m *Method) (Access, error) {
	switch text {
	case "none":
		if m.Token != 0 && m.Environment != 0 {
			return Read, nil
		}
		return Open, nil
	case "token":
		return Token, nil
	case "read":
		if slices.Contains(changing, m.Name) {
			return Write, nil
		}
		return Read, nil
	case "write":
		return Write, nil
	case "admin":
		return Admin, nil
	}
	return 0, fmt.Errorf("access %q", text)
}

func number(text string) (int16, error) {
	n, err := strconv.ParseInt(text, 10, 16)
	return int16(n), err
}
