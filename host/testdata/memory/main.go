// Command memory is a users plugin whose accounts end with its process.
package main

import (
	"github.com/cinchapi/concourse-users/plugin"
	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
)

func main() {
	plugin.Serve(users.Backend{Name: "memory", Version: "1.0", Volatile: true, Open: mem.Open})
}
