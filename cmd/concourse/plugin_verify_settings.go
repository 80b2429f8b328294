package main

import (
	"errors"
	"io"
	"maps"
	"os"
	"strings"

	"github.com/posener/complete"
	"go.yaml.in/yaml/v4"

	"github.com/cinchapi/concourse-users/shared/account"
)

// backendSettings are a backend's own, as they would stand below
// plugin.settings. --set wins over --settings, wherever it stands.
type backendSettings struct {
	given map[string]string
	file  map[string]string
}

func (s *backendSettings) define(o *options) {
	s.given, s.file = map[string]string{}, map[string]string{}
	o.Var(backendPair{s}, "set", "a setting of the backend, as `NAME=VALUE`; may be repeated")
	o.Var(backendFile{s}, "settings", "settings of the backend, a YAML mapping in `FILE`, for what must not show in process lists")
	o.anything["settings"] = true
	o.values["settings"] = complete.PredictFiles("*")
}

// all returns them together.
func (s *backendSettings) all() map[string]string {
	all := maps.Clone(s.file)
	maps.Copy(all, s.given)
	return all
}

type backendPair struct{ to *backendSettings }

func (backendPair) String() string { return "" }
func (backendPair) Type() string   { return "" }
func (p backendPair) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("it wants NAME=VALUE")
	}
	p.to.given[name] = value
	return nil
}

type backendFile struct{ to *backendSettings }

func (backendFile) String() string { return "" }
func (backendFile) Type() string   { return "" }
func (f backendFile) Set(path string) error {
	data, err := readSettings(path)
	if err != nil {
		return err
	}
	return f.to.read(path, data)
}

const mostSettings = 1 << 20 // bytes

func readSettings(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, account.Invalid("settings", "the file %s cannot be read: %v", path, cause(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, mostSettings))
	if err != nil {
		return nil, account.Invalid("settings", "the file %s cannot be read: %v", path, cause(err))
	}
	return data, nil
}

// read takes names and values as they are written. No message repeats a value,
// which may be a secret (rule 9).
func (s *backendSettings) read(path string, data []byte) error {
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil {
		return account.Invalid("settings", "the file %s is not YAML", path)
	}
	if len(doc.Content) == 0 {
		return nil
	}
	mapping := doc.Content[0]
	if mapping.Kind != yaml.MappingNode {
		return account.Invalid("settings", "%s:%d: it must be a mapping of names to values, such as \"endpoints: localhost:2379\"", path, mapping.Line)
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		name, value := mapping.Content[i], mapping.Content[i+1]
		if _, twice := s.file[name.Value]; twice {
			return account.Invalid("settings", "%s:%d: %s is given twice", path, name.Line, account.Printable(name.Value))
		}
		if name.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode {
			return account.Invalid("settings", "%s:%d: %s must be a single value", path, name.Line, account.Printable(name.Value))
		}
		s.file[name.Value] = value.Value
	}
	return nil
}
