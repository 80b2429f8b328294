package credentialstest

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"
)

// Account is one account of a file.
type Account struct {
	ID          int16             `json:"id"` // 0: by its place, from 1
	Username    string            `json:"username"`
	UsernameHex string            `json:"username_hex"` // in place of one that is no text
	Password    string            `json:"password"`
	PasswordHex string            `json:"password_hex"` // likewise
	Role        string            `json:"role"`         // empty: none, as after a failed create
	Enabled     bool              `json:"enabled"`
	Grants      map[string]string `json:"grants"`
	Columns     map[string]string `json:"columns"` // besides the original's
}

// Parse reads accounts as JSON has them: {"accounts": [{"username": …}]}.
func Parse(text []byte) ([]Account, error) {
	var of struct {
		Note     string
		Accounts []Account
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&of)
	return of.Accounts, err
}

// File returns the file of these accounts, in the order that they have.
func File(accounts ...Account) []byte {
	w := &writer{handles: map[string]int{}}
	w.put("\xac\xed\x00\x05")
	w.object("com.google.common.collect.HashBasedTable")
	w.begin("java.util.LinkedHashMap", len(accounts))
	for i, a := range accounts {
		if a.ID == 0 {
			a.ID = int16(i + 1)
		}
		w.object("java.lang.Short")
		w.number(2, uint64(uint16(a.ID)))
		w.account(a)
	}
	w.end("java.util.LinkedHashMap")
	w.object("com.google.common.collect.HashBasedTable$Factory")
	w.number(4, 0)
	return w.out.Bytes()
}

// classes are those of a file: the version and the flags, the fields with their
// types, and the class above.
var classes = map[string]struct {
	version string
	fields  []string
	super   string
}{
	"com.google.common.collect.HashBasedTable":         {zero + "\x02", nil, "com.google.common.collect.StandardTable"},
	"com.google.common.collect.StandardTable":          {zero + "\x02", []string{"LbackingMap Ljava/util/Map;", "Lfactory Lcom/google/common/base/Supplier;"}, ""},
	"com.google.common.collect.HashBasedTable$Factory": {zero + "\x02", []string{"IexpectedSize"}, ""},
	"java.util.LinkedHashMap":                          {"\x34\xc0\x4e\x5c\x10\x6c\xc0\xfb\x02", []string{"ZaccessOrder"}, "java.util.HashMap"},
	"java.util.HashMap":                                {"\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03", []string{"FloadFactor", "Ithreshold"}, ""},
	"java.lang.Short":                                  {"\x68\x4d\x37\x13\x34\x60\xda\x52\x02", []string{"Svalue"}, "java.lang.Number"},
	"java.lang.Integer":                                {"\x12\xe2\xa0\xa4\xf7\x81\x87\x38\x02", []string{"Ivalue"}, "java.lang.Number"},
	"java.lang.Number":                                 {"\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02", nil, ""},
	"java.lang.Boolean":                                {"\xcd\x20\x72\x80\xd5\x9c\xfa\xee\x02", []string{"Zvalue"}, ""},
	"java.lang.Enum":                                   {zero + "\x12", nil, ""},
	"com.cinchapi.concourse.security.Permission":       {zero + "\x12", nil, "java.lang.Enum"},
}

const zero = "\x00\x00\x00\x00\x00\x00\x00\x00"

type writer struct {
	out     bytes.Buffer
	handles map[string]int // of texts, and of classes and constants with a mark before them
	next    int
}

func (w *writer) put(s string) { w.out.WriteString(s) }

func (w *writer) number(n int, v uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	w.out.Write(b[8-n:])
}

// again refers to what was written before; otherwise that is to be written now.
func (w *writer) again(what string) bool {
	h, ok := w.handles[what]
	if ok {
		w.put("\x71")
		w.number(4, uint64(0x7e0000+h))
	}
	return ok
}

func (w *writer) keep(what string) {
	w.handles[what] = w.next
	w.next++
}

func (w *writer) class(name string) {
	if name == "" {
		w.put("\x70")
		return
	}
	if w.again("class " + name) {
		return
	}
	c, ok := classes[name]
	if !ok {
		panic("no class " + name)
	}
	w.put("\x72")
	w.utf(name)
	w.put(c.version)
	w.keep("class " + name)
	w.number(2, uint64(len(c.fields)))
	for _, f := range c.fields {
		own, of, _ := strings.Cut(f, " ")
		w.put(own[:1])
		w.utf(own[1:])
		if of != "" {
			w.text(of)
		}
	}
	w.put("\x78")
	w.class(c.super)
}

// object begins one; its fields follow.
func (w *writer) object(class string) {
	w.put("\x73")
	w.class(class)
	w.next++
}

// begin begins a map; its entries follow, then its end.
func (w *writer) begin(class string, size int) {
	w.object(class)
	w.put("\x3f\x40\x00\x00\x00\x00\x00\x0c\x77\x08\x00\x00\x00\x10")
	w.number(4, uint64(size))
}

// end also writes what the class below HashMap has.
func (w *writer) end(class string) {
	w.put("\x78")
	if class == "java.util.LinkedHashMap" {
		w.put("\x00")
	}
}

// text is one that later ones refer to.
func (w *writer) text(s string) {
	if w.again(s) {
		return
	}
	w.put("\x74")
	w.utf(s)
	w.keep(s)
}

// utf is a length and Java's form of UTF-8.
func (w *writer) utf(s string) {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		switch {
		case u != 0 && u < 0x80:
			b = append(b, byte(u))
		case u < 0x800:
			b = append(b, 0xc0|byte(u>>6), 0x80|byte(u&0x3f))
		default:
			b = append(b, 0xe0|byte(u>>12), 0x80|byte(u>>6&0x3f), 0x80|byte(u&0x3f))
		}
	}
	w.number(2, uint64(len(b)))
	w.out.Write(b)
}

func (w *writer) account(a Account) {
	name, password := bytesOf(a.Username, a.UsernameHex), bytesOf(a.Password, a.PasswordHex)
	salt := sha256.Sum256(fmt.Appendf(nil, "salt of %d %x", a.ID, name)) // the same file each time
	digest := sha512.Sum512(append(password, salt[:]...))
	columns := 4 + len(a.Columns)
	if a.Role != "" {
		columns++
	}
	if a.Grants != nil {
		columns++
	}
	w.begin("java.util.LinkedHashMap", columns)
	for _, c := range []struct {
		name  string
		value []byte
	}{{"username", name}, {"salt", salt[:]}, {"password", digest[:]}} {
		w.text(c.name)
		w.text(strings.ToUpper(hex.EncodeToString(c.value)))
	}
	if a.Role != "" {
		w.text("role")
		w.object("java.lang.Integer")
		w.number(4, uint64(slices.Index([]string{"ADMIN", "USER", "SERVICE"}, a.Role)))
	}
	w.text("user_enabled")
	w.object("java.lang.Boolean")
	w.put(map[bool]string{false: "\x00", true: "\x01"}[a.Enabled])
	if a.Grants != nil {
		w.text("permission")
		w.begin("java.util.HashMap", len(a.Grants))
		for _, e := range slices.Sorted(maps.Keys(a.Grants)) {
			w.text(e)
			w.constant(a.Grants[e])
		}
		w.end("java.util.HashMap")
	}
	for _, c := range slices.Sorted(maps.Keys(a.Columns)) {
		w.text(c)
		w.text(a.Columns[c])
	}
	w.end("java.util.LinkedHashMap")
}

func (w *writer) constant(name string) {
	if w.again("constant " + name) {
		return
	}
	w.put("\x7e")
	w.class("com.cinchapi.concourse.security.Permission")
	w.keep("constant " + name)
	w.text(name)
}

func bytesOf(text, inHex string) []byte {
	if inHex == "" {
		return []byte(text)
	}
	b, err := hex.DecodeString(inHex)
	if err != nil {
		panic(err)
	}
	return b
}
