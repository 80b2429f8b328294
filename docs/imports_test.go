package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cinchapi/concourse-users/"

// rule holds one row of the design's "who may import whom". Packages are named
// below the module; "x/..." stands for x and all below it.
type rule struct {
	of     string   // the packages it speaks of
	only   []string // what they may import directly, besides the standard library; nil: anything not forbidden
	never  []string // what must not be among their imports, direct or not
	direct bool     // never speaks of direct imports only
	tests  bool     // holds for their tests too
	except []string // packages within of to which it does not apply
}

var rules = []rule{
	// 1
	{of: "shared/...", never: []string{"host/...", "plugin/...", "cmd/..."}, tests: true},
	{of: "shared/account", only: []string{"golang.org/x/text/..."}},
	{of: "shared/backup", only: []string{}},
	{of: "shared/credentials", only: []string{"shared/account"}},
	{of: "...", never: []string{"shared/credentials/credentialstest"}},
	{
		of: "shared/conformance",
		only: []string{
			"shared/account", "shared/wire", "shared/proto/...", "shared/backup", "github.com/hashicorp/go-plugin", "github.com/hashicorp/go-hclog",
			"google.golang.org/grpc/...", "google.golang.org/protobuf/...",
		},
	},
	// 2
	{
		of:    "plugin/users",
		only:  []string{"shared/account", "shared/backup", "golang.org/x/crypto/...", "golang.org/x/text/...", "github.com/go-crypt/...", "github.com/ccojocar/zxcvbn-go/...", "github.com/hashicorp/go-hclog"},
		never: []string{"google.golang.org/grpc/...", "google.golang.org/protobuf/...", "github.com/hashicorp/go-plugin/...", "plugin/bolt", "plugin/etcd", "plugin/mem"},
	},
	{of: "...", never: []string{"github.com/ccojocar/zxcvbn-go/..."}, direct: true, except: []string{"plugin/users"}},
	// 3
	{of: "plugin/bolt", only: []string{"plugin/users", "shared/account", "go.etcd.io/bbolt/...", "github.com/hashicorp/go-hclog"}},
	{of: "plugin/etcd", only: []string{"plugin/users", "shared/account", "go.etcd.io/etcd/...", "google.golang.org/grpc/...", "go.uber.org/zap", "github.com/hashicorp/go-hclog"}},
	{of: "plugin/mem", only: []string{"plugin/users", "shared/account"}},
	{of: "...", never: []string{"go.etcd.io/bbolt/..."}, direct: true, except: []string{"plugin/bolt"}},
	{of: "...", never: []string{"go.etcd.io/etcd/...", "go.uber.org/zap"}, direct: true, except: []string{"plugin/etcd", "plugin/etcd/etcdtest"}},
	// 4
	{
		of: "plugin",
		only: []string{
			"plugin/users", "shared/wire", "shared/account", "shared/process", "shared/version",
			"github.com/hashicorp/go-plugin", "github.com/hashicorp/go-hclog", "google.golang.org/grpc", "golang.org/x/sys/...",
		},
	},
	{of: "plugin/cmd/...", only: []string{"plugin", "plugin/users", "plugin/bolt", "plugin/etcd", "shared/account", "shared/version", "github.com/hashicorp/go-hclog"}},
	{of: "plugin/cmd/concourse-users-bolt", never: []string{"plugin/etcd"}},
	{of: "plugin/cmd/concourse-users-etcd", never: []string{"plugin/bolt"}},
	// 5
	{of: "host/fault/powercut", only: []string{}},
	{of: "...", never: []string{"host/fault/powercut"}},
	{of: "host/verify", only: []string{"host/supervisor", "shared/account", "shared/conformance"}},
	{of: "host/throttle", only: []string{"shared/account"}, never: []string{"net"}},
	{of: "host/session", only: []string{"shared/account"}, never: []string{"net/http", "google.golang.org/grpc/...", "github.com/hashicorp/go-hclog"}},
	{of: "host/audit", only: []string{"shared/account"}, never: []string{"net/http", "google.golang.org/grpc/..."}},
	{of: "host/thrift/message", only: []string{"github.com/apache/thrift/..."}},
	{of: "host/thrift/methods", only: []string{"host/thrift/message", "github.com/apache/thrift/..."}},
	{of: "host/relay", never: []string{"host/thrift"}},
	{
		of: "...", never: []string{"github.com/apache/thrift/..."}, direct: true,
		except: []string{"host/thrift/...", "host/relay", "host/hosttest/driver", "host/hosttest/upstream"},
	},
	{of: "...", never: []string{"host/hosttest/..."}, except: []string{"host/hosttest/..."}},
	{
		of: "...", never: []string{"github.com/hashicorp/go-plugin/..."}, direct: true,
		except: []string{"host/supervisor/...", "plugin", "shared/wire", "shared/conformance"},
	},
	{of: "...", never: []string{"github.com/prometheus/...", "net/http"}, direct: true, except: []string{"host/metrics"}},
	// 6
	{of: "host/...", never: []string{"plugin/..."}},
	{of: "plugin/...", never: []string{"host/..."}},
	// 7
	{
		of: "...", never: []string{"github.com/mitchellh/cli", "golang.org/x/term", "github.com/posener/complete/...", "charm.land/bubbletea/..."}, direct: true,
		except: []string{"cmd/concourse"},
	},
	{of: "...", never: []string{"cmd/..."}, except: []string{"cmd/..."}},
	// 8
	{
		of: "...", never: []string{"google.golang.org/protobuf/...", "shared/proto/..."}, direct: true,
		except: []string{"shared/wire", "shared/proto/...", "shared/conformance", "host/management"},
	},
}

type pkg struct {
	ImportPath                string
	Imports, Deps             []string
	TestImports, XTestImports []string
}

func TestImports(t *testing.T) {
	packages := load(t)
	for _, r := range rules {
		matched := false
		for _, p := range packages {
			name := strings.TrimPrefix(p.ImportPath, module)
			if !matches(r.of, name) || slices.ContainsFunc(r.except, func(e string) bool { return matches(e, name) }) {
				continue
			}
			matched = true
			imports := p.Imports
			if r.tests {
				imports = slices.Concat(imports, p.TestImports, p.XTestImports)
			}
			if r.only != nil {
				for _, i := range imports {
					i = strings.TrimPrefix(i, module)
					if !standard(i) && !slices.ContainsFunc(r.only, func(o string) bool { return matches(o, i) }) {
						t.Errorf("%s imports %s, which its rule does not name", name, i)
					}
				}
			}
			if !r.direct {
				imports = slices.Concat(imports, p.Deps)
			}
			for _, i := range imports {
				i = strings.TrimPrefix(i, module)
				if slices.ContainsFunc(r.never, func(n string) bool { return matches(n, i) }) {
					t.Errorf("%s reaches %s, which its rule forbids", name, i)
				}
			}
		}
		if !matched {
			t.Errorf("no package is %q: the rule holds nothing", r.of)
		}
	}
}

// TestImportRulesBite shows that the matching can find a fault.
func TestImportRulesBite(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"host/...", "host", true},
		{"host/...", "host/session", true},
		{"host/...", "hosts", false},
		{"host", "host/session", false},
		{"...", "anything/at/all", true},
	} {
		if matches(c.pattern, c.name) != c.want {
			t.Errorf("matches(%q, %q) is not %v", c.pattern, c.name, c.want)
		}
	}
}

func matches(pattern, name string) bool {
	if pattern == "..." {
		return true
	}
	prefix, tree := strings.CutSuffix(pattern, "/...")
	return name == prefix || tree && strings.HasPrefix(name, prefix+"/")
}

// standard reports whether the path is of the standard library: its first
// element has no dot, and it is not ours.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && !slices.Contains([]string{"host", "plugin", "shared", "cmd", "docs"}, first)
}

func load(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,Deps,TestImports,XTestImports", module+"...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
