package conformance

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// usageOf reads what everybody may read of a process, one that forbids core
// dumps included.
func usageOf(pid int) (u usage, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, errors.New("a readable /proc")
	}
	values := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if fields := strings.Fields(value); len(fields) > 0 {
			values[name], _ = strconv.ParseInt(fields[0], 10, 64)
		}
	}
	return usage{values["RssAnon"] << 10, values["Threads"], values["FDSize"]}, nil
}
