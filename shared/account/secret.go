package account

import "fmt"

// Secret is a password on its way. It prints as a placeholder in every format,
// JSON included, so that no log, error or panic shows it by accident.
type Secret []byte

const redacted = "[secret]"

// Format writes the placeholder, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// String returns the placeholder.
func (Secret) String() string { return redacted }

// MarshalText returns the placeholder.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
