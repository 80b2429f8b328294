package config

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	hclog "github.com/hashicorp/go-hclog"

	"github.com/cinchapi/concourse-users/shared/account"
)

// The least that a duration may be, other than zero where zero has a meaning.
const (
	shortest = 10 * time.Millisecond
	second   = time.Second
)

func setDuration(to *time.Duration, text string, least time.Duration, orZero bool) error {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return fmt.Errorf("%s is not a duration; use a number and a unit, such as 500ms, 10s, 5m or 24h", quote(text))
	case d < least && !(orZero && d == 0):
		zero := ""
		if orZero {
			zero = "0, or "
		}
		return fmt.Errorf("%s is too short; use %sat least %s", quote(text), zero, least)
	}
	*to = d
	return nil
}

func setBool(to *bool, text string) error {
	switch strings.ToLower(text) {
	case "true":
		*to = true
	case "false":
		*to = false
	default:
		return fmt.Errorf("%s is not a boolean; use true or false", quote(text))
	}
	return nil
}

func setSize(to *int64, text string, least int64) error {
	digits := strings.TrimRight(text, "KMGiB ")
	unit := strings.TrimSpace(text[len(digits):])
	factor, known := map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit]
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil || !known || n < 0 || n > math.MaxInt64/factor:
		return fmt.Errorf("%s is not a size; use a number of bytes, or one with KiB, MiB or GiB, such as 64MiB", quote(text))
	case n*factor < least:
		return fmt.Errorf("%s is too small; use at least %dKiB", quote(text), least>>10)
	}
	*to = n * factor
	return nil
}

// setMessage takes what a message's own lengths, of 31 bits, can say.
func setMessage(to *int, text string) error {
	var n int64
	if err := setSize(&n, text, 64<<10); err != nil {
		return err
	}
	if n > math.MaxInt32 {
		return fmt.Errorf("%s is too large; use at most 2047MiB", quote(text))
	}
	*to = int(n)
	return nil
}

func setCount(to *int, text string, least uint64) error {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return fmt.Errorf("%s is not a number; use %d or more", quote(text), least)
	}
	if n < least {
		return fmt.Errorf("%s is too small; use at least %d", quote(text), least)
	}
	*to = int(n)
	return nil
}

func setLevel(to *hclog.Level, text string) error {
	switch text {
	case "trace", "debug", "info", "warn", "error":
		*to = hclog.LevelFromString(text)
		return nil
	}
	return fmt.Errorf("%s is not a level; use trace, debug, info, warn or error", quote(text))
}

func setFormat(json *bool, text string) error {
	if text != "text" && text != "json" {
		return fmt.Errorf("%s is not a format; use text or json", quote(text))
	}
	*json = text == "json"
	return nil
}

func setDigest(to *string, text string) error {
	if b, err := hex.DecodeString(text); text != "" && (err != nil || len(b) != 32) {
		return fmt.Errorf("%s is not a SHA-256; use 64 hexadecimal digits, as sha256sum prints", quote(text))
	}
	*to = strings.ToLower(text)
	return nil
}

func setAbsolute(to *string, text string) error {
	if !filepath.IsAbs(text) {
		return fmt.Errorf("%s is not an absolute path", quote(text))
	}
	*to = filepath.Clean(text)
	return nil
}

func setExecutable(to *string, text string) error {
	switch {
	case text == "" || text == "." || text == "..":
		return fmt.Errorf("%s names no executable; use a name such as concourse-users-bolt, or an absolute path", quote(text))
	case strings.ContainsRune(text, filepath.Separator):
		return setAbsolute(to, text)
	}
	*to = text
	return nil
}

func setGroup(to *Management, text string) error {
	to.SocketGroup, to.SocketGID = text, -1
	if text == "" {
		return nil
	}
	if gid, err := strconv.ParseUint(text, 10, 31); err == nil {
		to.SocketGID = int(gid)
		return nil
	}
	g, err := user.LookupGroup(text)
	if err != nil {
		return fmt.Errorf("%s is not a group of this machine; use the name of one that exists, or a gid", quote(text))
	}
	to.SocketGID, err = strconv.Atoi(g.Gid)
	return err
}

// setLoopback takes no other address: whoever reaches it need not say who they
// are.
func setLoopback(to *string, text string) error {
	*to = text
	if text == "" {
		return nil
	}
	const use = "use 127.0.0.1, [::1] or localhost with a port, such as 127.0.0.1:9717"
	host, _, err := splitAddress(text, use)
	if err != nil {
		return err
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not a loopback address, and others are not served; %s", quote(host), use)
	}
	return nil
}

func setUsername(to *string, text string) error {
	name, err := account.NormalizeUsername(text)
	*to = name
	return err
}

// setPassword allows one shorter than the plugin's minimum, which warns; its
// error does not show it (rule 9).
func setPassword(to *account.Secret, text string) error {
	if len(text) > account.MaxPassword {
		return fmt.Errorf("a password may have at most %d bytes, this one has %d", account.MaxPassword, len(text))
	}
	*to = nil
	if text != "" {
		*to = account.Secret(text)
	}
	return nil
}

// PluginDirectory is the default of plugin.directory: "plugins" beside the
// executable itself, not beside a link to it.
func PluginDirectory() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return filepath.Join(filepath.Dir(exe), "plugins")
}

func quote(text string) string { return strconv.Quote(account.Printable(text)) }
