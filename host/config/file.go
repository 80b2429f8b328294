package config

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// maxFile bounds the settings file, in bytes.
const maxFile = 1 << 20

// fromFile reads the settings file. One that anybody may write to is refused,
// because it names the executable that the host runs.
func fromFile(path string, problems *Problems) ([]given, []Warning) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		problems.add(path, "is not a file")
		return nil, nil
	}
	var data []byte
	if err == nil {
		data, err = contents(path)
	}
	if err != nil {
		problems.add(path, "cannot be read: %v", cause(err))
		return nil, nil
	}
	if info.Mode()&0o002 != 0 {
		problems.add(path, "everybody may write to it; run chmod o-w")
	}
	r := reader{path: path, problems: problems, lines: map[string]int{}, values: map[string]given{}}
	r.read(data)
	all := slices.Collect(maps.Values(r.values))
	var warnings []Warning
	if info.Mode()&0o044 != 0 && holdsSecret(all) {
		warnings = append(warnings, Warning{Origin: path, Message: "holds a password, and others may read it; run chmod 600"})
	}
	return all, warnings
}

// contents returns at most one byte more than a settings file may have.
func contents(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

func holdsSecret(all []given) bool {
	for _, g := range all {
		s, name, _ := find(g.name)
		if g.text != "" && (s.Secret || s.Name == pluginSettings && secretKey(strings.TrimPrefix(name, pluginSettings+"."), g.text)) {
			return true
		}
	}
	return false
}

// cause leaves out the path that a file error repeats.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
