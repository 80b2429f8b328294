package etcd

import (
	"cmp"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// What an empty option stands for.
const (
	DefaultPrefix         = "/concourse/users/"
	DefaultDialTimeout    = 5 * time.Second
	DefaultRequestTimeout = 2 * time.Second
)

// Options are the choices that Open leaves to its caller. What is refused is
// refused with account.Invalid, and named as the operator's setting.
type Options struct {
	// Endpoints are members of one cluster: "https://host:port" or
	// "http://host:port", all of one kind. A bare "host:port" is https if CAFile
	// or CertFile is given, otherwise http.
	Endpoints []string

	// Prefix begins every key, and ends with a slash, which is added if it is
	// missing. Hosts with the same one share their accounts. No prefix may begin
	// with another one that is in use.
	Prefix string

	// Username and Password are etcd's own, for a cluster that asks for them.
	Username string
	Password account.Secret

	// CAFile holds the certificates of who may vouch for the members, instead of
	// the system's. CertFile and KeyFile are ours; they are read again for every
	// connection, so that they can be renewed.
	CAFile, CertFile, KeyFile string

	DialTimeout    time.Duration // how long Open, and each new connection, may take
	RequestTimeout time.Duration // how long one member may take to answer before another is asked
	Logger         hclog.Logger  // nil: no log
}

const mostPrefix = 200 // bytes

// complete returns the options with the defaults filled in and each endpoint
// with its scheme, or says which setting is wrong.
func (o Options) complete() (Options, error) {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	o.DialTimeout = cmp.Or(o.DialTimeout, DefaultDialTimeout)
	o.RequestTimeout = cmp.Or(o.RequestTimeout, DefaultRequestTimeout)
	o.Prefix = cmp.Or(o.Prefix, DefaultPrefix)
	if !strings.HasSuffix(o.Prefix, "/") {
		o.Prefix += "/"
	}
	switch {
	case !utf8.ValidString(o.Prefix) || strings.ContainsFunc(o.Prefix, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return o, invalid("prefix", "%q has white space, control characters or bytes that are no UTF-8", account.Printable(o.Prefix))
	case len(o.Prefix) > mostPrefix:
		return o, invalid("prefix", "it has %d bytes; it may have at most %d", len(o.Prefix), mostPrefix)
	case o.DialTimeout < 0:
		return o, invalid("dial_timeout", "%s is no time to wait", o.DialTimeout)
	case o.RequestTimeout < 0:
		return o, invalid("request_timeout", "%s is no time to wait", o.RequestTimeout)
	case o.Username == "" && len(o.Password) > 0:
		return o, invalid("username", "there is a password and no name that it belongs to")
	case o.Username != "" && len(o.Password) == 0:
		return o, invalid("password_file", "%q has no password; name the file that holds it", account.Printable(o.Username))
	case (o.CertFile == "") != (o.KeyFile == ""):
		return o, invalid("cert_file", "a certificate and its key go together: give both cert_file and key_file, or neither")
	}
	endpoints := make([]string, 0, len(o.Endpoints))
	for _, e := range o.Endpoints {
		whole, err := o.endpoint(e)
		if err != nil {
			return o, err
		}
		endpoints = append(endpoints, whole)
	}
	if len(endpoints) == 0 {
		return o, invalid("endpoints", "it is required: the members of the etcd cluster, such as https://etcd1:2379,https://etcd2:2379,https://etcd3:2379")
	}
	o.Endpoints = endpoints
	for _, e := range endpoints {
		if secure(e) != o.secure() {
			return o, invalid("endpoints", "%s and %s are not both https or both http", endpoints[0], e)
		}
	}
	if !o.secure() && o.trusts() {
		return o, invalid("endpoints", "%s is not https, so that ca_file and cert_file would have no effect", endpoints[0])
	}
	return o, nil
}

func (o *Options) endpoint(given string) (string, error) {
	if strings.Contains(given, "@") { // a password may be before it: it is not shown
		return "", invalid("endpoints", "an address may have no user in it; use username and password_file")
	}
	whole := given
	if !strings.Contains(whole, "://") {
		whole = "http://" + whole
		if o.trusts() {
			whole = "https://" + given
		}
	}
	refused := func(why string) (string, error) {
		return "", invalid("endpoints", "%q is not an address of etcd: %s; https://host:port is", account.Printable(given), why)
	}
	u, err := url.Parse(whole)
	switch {
	case err != nil:
		return refused("it cannot be read")
	case u.Scheme != "http" && u.Scheme != "https":
		return refused("its scheme is neither http nor https")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return refused("there is more than a host and a port")
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r == '@' || !unicode.IsPrint(r) }): // which escapes can bring about
		return refused("there is a character in it that no host's name has")
	}
	if host, port, err := net.SplitHostPort(u.Host); err != nil || host == "" || port == "" {
		return refused("it has no host and port")
	}
	return u.Scheme + "://" + u.Host, nil
}

func secure(endpoint string) bool { return strings.HasPrefix(endpoint, "https://") }

// secure needs complete endpoints.
func (o *Options) secure() bool { return secure(o.Endpoints[0]) }

// distant reports whether what goes to a complete endpoint leaves the machine.
func distant(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err != nil || u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback()
}

func (o *Options) trusts() bool { return o.CAFile != "" || o.CertFile != "" }

// invalid says what is wrong with one of the operator's settings.
func invalid(setting, format string, args ...any) error {
	field := "plugin.settings." + setting
	return account.Invalid(field, field+": "+format, args...)
}
