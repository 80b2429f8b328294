package config

import "github.com/cinchapi/concourse-users/shared/account"

// checkTogether refuses settings that don't fit each other, and names the place
// of the one that is too much, or that asks for another.
func (c *Config) checkTogether(values map[string][]given, problems *Problems) {
	refuse := func(name, why string) {
		place := "default"
		if all := values[name]; len(all) > 0 {
			place = all[len(all)-1].place
		}
		problems.add(place, "%s", why)
	}
	if c.Init.PasswordFile != "" && c.Init.Password != nil {
		refuse("init.root.password_file", "init.root.password_file and init.root.password exclude each other")
	}
	pair := func(t TLS, certificate, key string) {
		switch {
		case t.Certificate != "" && t.Key == "":
			refuse(certificate, certificate+" needs "+key+", the file with its key")
		case t.Certificate == "" && t.Key != "":
			refuse(key, key+" needs "+certificate+", the file with its certificate")
		}
	}
	pair(c.Client.TLS, "client.tls.certificate", "client.tls.key")
	pair(c.Management.TLS, "management.tls.certificate", "management.tls.key")
	if c.Management.Port == PortAuto && c.Client.Address == "" {
		refuse("management.port", "management.port is computed from the client port, and client.address is empty; give a number")
	}
	switch u := c.Upstream; {
	case u.PasswordFile != "" && u.Password != nil:
		refuse("upstream.password_file", "upstream.password_file and upstream.password exclude each other")
	case u.Address == "":
	case isOwn(u.Address, c.Client.Address):
		refuse("upstream.address", "upstream.address "+quote(u.Address)+" is this host's own client port, see client.address; it must name the data server")
	case u.Username == "":
		refuse("upstream.address", "upstream.address needs upstream.username, the host's own account on the data server")
	case u.Password == nil && u.PasswordFile == "":
		refuse("upstream.address", "upstream.address needs upstream.password_file or upstream.password, of '"+account.Printable(u.Username)+"' on the data server")
	}
}
