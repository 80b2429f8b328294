package plugin_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	hclog "github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/cinchapi/concourse-users/plugin"
	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/wire"
)

// executable is the bolt backend as it is shipped, with the race detector.
var executable string

// Roles that this test's executable plays when asked to by its environment.
const (
	roleVariable = "PLUGIN_TEST_ROLE"
	roleHost     = "host"   // starts the plugin on the home in its argument, prints its pid, waits
	roleParent   = "parent" // starts an orphan-to-be, prints its pid, waits
	roleOrphan   = "orphan" // waits, watching its parent in the portable way
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case roleHost:
		playHost(os.Getenv(pluginVariable), os.Args[1])
	case roleParent:
		playParent()
	case roleOrphan:
		plugin.WatchHost()
		fmt.Println(os.Getpid())
		select {}
	default:
		os.Exit(run(m))
	}
}

// pluginVariable hands the built plugin to a process in the role of the host.
const pluginVariable = "PLUGIN_TEST_EXECUTABLE"

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "plugin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	executable = filepath.Join(dir, "concourse-users-bolt")
	build := exec.Command("go", "build", "-race", "-o", executable, "./cmd/concourse-users-bolt")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", build, err, out)
		return 1
	}
	return m.Run()
}

func playHost(path, home string) {
	client := goplugin.NewClient(clientConfig(exec.Command(path)))
	if _, err := configure(context.Background(), client, home, nil); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(client.ReattachConfig().Pid)
	select {}
}

func playParent() {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"="+roleOrphan)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	fmt.Println(lines.Text())
	select {}
}

// clientConfig is how a host starts a plugin.
func clientConfig(cmd *exec.Cmd) *goplugin.ClientConfig {
	cmd.Env = []string{"GORACE=atexit_sleep_ms=0"} // the detector would sleep longer than a host waits
	return &goplugin.ClientConfig{
		HandshakeConfig:  wire.Handshake,
		VersionedPlugins: wire.ClientPlugins(),
		Cmd:              cmd,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		GRPCDialOptions:  wire.DialOptions(),
		Logger:           hclog.NewNullLogger(),
	}
}

// configure starts the client's plugin, if need be, and opens its store.
func configure(ctx context.Context, client *goplugin.Client, home string, settings map[string]string) (account.Users, error) {
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	dispensed, err := protocol.Dispense(wire.PluginName)
	if err != nil {
		return nil, err
	}
	backend := dispensed.(account.Users)
	_, err = backend.Configure(ctx, account.Configuration{Home: home, Settings: settings})
	return backend, err
}
