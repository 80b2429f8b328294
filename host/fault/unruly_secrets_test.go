package fault_test

import (
	"os"
	"strings"
	"testing"
)

// keepsSecrets looks for passwords and hashes in what host and plugin have
// logged, over all starts, and in the audit log (rule 9).
func (s *scene) keepsSecrets(t *testing.T) {
	t.Helper()
	lines, err := os.ReadFile(s.host.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"log": s.host.History(), "audit log": string(lines)} {
		for _, secret := range append(passwords[1:len(passwords):len(passwords)], "$argon2id$") {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%q is in the host's %s:\n%s", secret, what, text[max(at-200, 0):min(at+200, len(text))])
			}
		}
	}
}
