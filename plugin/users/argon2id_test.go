package users

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzHash gives what comes from outside to the parser. Nothing is computed: a
// hash costs what it says, and is refused for that before.
func FuzzHash(f *testing.F) {
	for _, seed := range []string{
		"", "$", "$$$$$", "$argon2id$", owasp.decoy(),
		"$argon2id$v=19$m=262144,t=3,p=16$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw",
		"$argon2id$v=19$m=64,t=1,p=1,k=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw",
		"$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw",
		"$argon2id$v=19$t=1,m=64,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw",
		"$argon2id$v=19$m=064,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw",
		"$argon2id$v=19$m=4294967296,t=1,p=0$$", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw",
		"$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ=$a2V5a2V5a2V5a2V5a2V5aw", "$6$rounds=1000$salt$hash",
		"$argon2id-sha512$v=19$m=262144,t=3,p=16$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw", "$argon2id-sha512$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw",
		"$argon2id-sha512$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw", "$argon2id-sha512$", "$argon2id-sha512", originalForm + "c2FsdHNhbHQ$" + strings.Repeat("ZGln", 21) + "ZA",
	} {
		f.Add(seed)
	}
	h := newHasher()
	f.Fuzz(func(t *testing.T, given string) {
		_, parsed, err := h.parse(given)
		if err != nil {
			if len(given) > 8 && strings.Contains(err.Error(), given) {
				t.Errorf("%q is quoted by its refusal", given)
			}
			if h.admits(given) {
				t.Errorf("%q cannot be read and is accepted", given)
			}
			return
		}
		if given == "" {
			return // a decoy
		}
		if readOriginalHash(given) != nil {
			t.Errorf("%q is stored as it is", given)
		}
		form := given
		d, ok := parsed.(argon2idDigest)
		if !ok {
			d = parsed.(argon2idSHA512Digest).argon2idDigest
			form = strings.Replace(given, "$argon2id-sha512$", "$argon2id$", 1)
		}
		if d.Encode() != form {
			t.Errorf("%q is read as %q", given, d.Encode())
		}
		var m, passes, p uint64
		_, scanned := fmt.Sscanf(form, "$argon2id$v=19$m=%d,t=%d,p=%d$", &m, &passes, &p)
		if scanned != nil || m > mostMemory || passes > mostPasses || p > mostLanes || m*passes*p == 0 {
			t.Errorf("%q is accepted from a store", given)
		}
		if h.admits(given) && (m > 256<<10 || passes > 10 || m*passes > 20*19456*2+(16<<10) || p > 16) {
			t.Errorf("%q is accepted from outside", given)
		}
		if h.admits(given) && form != given && m*passes < 5*7168 {
			t.Errorf("%q is accepted, and was never made", given)
		}
	})
}
