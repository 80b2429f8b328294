package docs_test

import (
	"os"
	"strings"
	"testing"
)

// TestReaderBites shows that a document that is wrong does not pass.
func TestReaderBites(t *testing.T) {
	for _, c := range []struct {
		name, language, words, text string
		refusal                     string // "": none
	}{
		{"Right", "console", "", "$ echo a\na\n", ""},
		{"Remembers", "console", "", "$ export A=b\n$ mkdir d && cd d\n$ echo $A ${PWD##*/}\nb d\n", ""},
		{"ShowsStatus", "console", "", "$ (exit 3)\n$ echo $?\n3\n", ""},
		{"OtherOutput", "console", "", "$ echo a\nb\n", "this was printed"},
		{"HidesStatus", "console", "", "$ (exit 3)\n", "exit status 3"},
		{"OtherStatus", "console", "", "$ (exit 3)\n$ echo $?\n4\n", "this was printed"},
		{"Asks", "console", "", "$ read -p 'Role for jeff: ' role; echo $role\nRole for jeff: USER\nUSER\n", ""},
		{"AsksUnseen", "console", "", "$ read -p 'Role for jeff: ' role\n", "does not show"},
		{"AsksHidden", "console", "", "$ read -s -p 'Password for jeff: ' it; echo; echo $it\nPassword for jeff:\nsecret number 1 of jeff\n", ""},
		{"ShowsHidden", "console", "", "$ read -s -p 'Password for jeff: ' it\nPassword for jeff: secret\n", "which is hidden"},
		{"NoCommand", "console", "", "a\n", "begins with a command"},
		{"EndsInsteadOfStaying", "console", "stays", "$ echo a\nb\n", "this was printed"},
		{"NoLanguage", "", "", "a\n", "nothing tests"},
		{"OtherLanguage", "python", "", "a\n", "nothing tests"},
		{"ScriptWithoutFile", "sh", "", "a\n", "nothing tests"},
		{"OtherFile", "sh", "docs/examples/provision.sh", "a\n", "is not the file"},
		{"NoFile", "sh", "docs/examples/none.sh", "a\n", "no example"},
		{"OtherJSON", "json", "echo '{\"a\":1}'", "{\"b\":1}\n", "has the names"},
		{"NoJSON", "json", "echo 1", "a\n", "not JSON"},
		{"OtherSetting", "yaml", "", "leese: 10s\n", "unknown setting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReader(t, c.name)
			err := r.follow(block{language: c.language, words: c.words, text: c.text})
			switch {
			case c.refusal == "" && err != nil:
				t.Error(err)
			case c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal)):
				t.Errorf("got %v, want %q", err, c.refusal)
			}
		})
	}
}

// TestReadBlocksBites shows that a document that is not well-formed does not
// pass.
func TestReadBlocksBites(t *testing.T) {
	for name, text := range map[string]string{
		"NoEnd":  "```console\n$ true\n",
		"Nested": "```console\n```json\n```\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir() + "/document.md"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if blocks, err := readBlocks(path); err == nil {
				t.Errorf("got %v", blocks)
			}
		})
	}
}
