package main

import (
	"cmp"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/cinchapi/concourse-users/shared/conformance"
)

var jsonCases = listing[conformance.Case]{element: func(k conformance.Case) any {
	return map[string]any{"case": k.Name, "contract": k.Contract, "needs": append([]string{}, k.Needs...)}
}}

// cases prints each on a line, with what it needs, and the contract below it.
func (c *console) cases(all []conformance.Case) error {
	if c.json {
		return jsonCases.print(c, batchOf(all))
	}
	const indent = "    "
	width := cmp.Or(c.display.width, helpWidth) - len(indent)
	var lines []string
	for _, k := range all {
		line := k.Name
		if len(k.Needs) > 0 {
			line += " (needs " + strings.Join(k.Needs, ", ") + ")"
		}
		lines = append(lines, line)
		for _, line := range wrapped(k.Contract, width) {
			lines = append(lines, indent+line)
		}
	}
	return c.say(lines...)
}

// wrapped divides a text between its words. One that is wider is not cut.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch longer := line + " " + word; {
		case line == "":
			line = word
		case displaywidth.String(longer) <= width:
			line = longer
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
