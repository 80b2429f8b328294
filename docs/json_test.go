package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cinchapi/concourse-users/host/config"
)

// compareJSON holds a json block to what its command prints: the same names
// and types everywhere, and the same texts, as far as they do not differ each
// time. Numbers may differ.
func (r *reader) compareJSON(b block) error {
	var shown, printed any
	if err := json.Unmarshal([]byte(b.text), &shown); err != nil {
		return fmt.Errorf("%d: not JSON: %w", b.line, err)
	}
	out, err := r.output(b.words)
	if err != nil {
		return fmt.Errorf("%d: %s: %w", b.line, b.words, err)
	}
	if err := json.Unmarshal(out, &printed); err != nil {
		return fmt.Errorf("%d: %s prints no JSON: %w\n%s", b.line, b.words, err, out)
	}
	if err := sameShape("", shown, printed); err != nil {
		return fmt.Errorf("%d: %s: %w; this was printed:\n%s", b.line, b.words, err, indent(string(out)))
	}
	return nil
}

func sameShape(at string, shown, printed any) error {
	switch s := shown.(type) {
	case map[string]any:
		p, ok := printed.(map[string]any)
		if !ok {
			break
		}
		if names, have := slices.Sorted(maps.Keys(s)), slices.Sorted(maps.Keys(p)); !slices.Equal(names, have) {
			return fmt.Errorf("%s has the names %v, not %v", at, have, names)
		}
		for name := range s {
			if err := sameShape(at+"."+name, s[name], p[name]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		p, ok := printed.([]any)
		if !ok || len(p) != len(s) {
			break
		}
		for i := range s {
			if err := sameShape(fmt.Sprintf("%s[%d]", at, i), s[i], p[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		if p, ok := printed.(string); ok && matchText(normal(s), normal(p)) {
			return nil
		}
	case float64:
		if _, ok := printed.(float64); ok {
			return nil
		}
	default:
		if shown == printed {
			return nil
		}
	}
	return fmt.Errorf("%s is %#v, not %#v", at, printed, shown)
}

// TestSameShapeBites shows that the comparison finds faults.
func TestSameShapeBites(t *testing.T) {
	for _, c := range []struct {
		name, shown, printed string
		same                 bool
	}{
		{"Same", `{"a":[1,"x",null,true]}`, `{"a":[2,"x",null,true]}`, true},
		{"Time", `{"a":"2026-11-23T10:48:31Z"}`, `{"a":"2027-01-01T00:00:00.123Z"}`, true},
		{"AnyText", `{"a":"…/b"}`, `{"a":"/x/b"}`, true},
		{"OtherText", `{"a":"x"}`, `{"a":"y"}`, false},
		{"Missing", `{"a":1,"b":1}`, `{"a":1}`, false},
		{"Added", `{"a":1}`, `{"a":1,"b":1}`, false},
		{"Null", `{"a":null}`, `{"a":"2026-11-23T10:48:31Z"}`, false},
		{"Boolean", `{"a":true}`, `{"a":false}`, false},
		{"Number", `{"a":1}`, `{"a":"1"}`, false},
		{"Length", `[1]`, `[1,2]`, false},
		{"Object", `[]`, `{}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var shown, printed any
			if json.Unmarshal([]byte(c.shown), &shown) != nil || json.Unmarshal([]byte(c.printed), &printed) != nil {
				t.Fatal("the case is not JSON")
			}
			if err := sameShape("", shown, printed); (err == nil) != c.same {
				t.Errorf("sameShape(%s, %s): %v", c.shown, c.printed, err)
			}
		})
	}
}

// loadYAML lets the host's own code read a settings file.
func loadYAML(b block) error {
	home, err := os.MkdirTemp("", "doc")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	if err := os.WriteFile(filepath.Join(home, config.File), []byte(b.text), 0o600); err != nil {
		return err
	}
	_, warnings, err := config.Load(home, nil, nil)
	if err == nil && len(warnings) > 0 {
		err = fmt.Errorf("it warns: %v", warnings)
	}
	if err != nil {
		return fmt.Errorf("%d: the host does not take this: %w", b.line, err)
	}
	return nil
}
