package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/cinchapi/concourse-users/shared/account"
	"github.com/cinchapi/concourse-users/shared/version"
)

const (
	sdkModule        = "github.com/cinchapi/concourse-users"
	executablePrefix = "concourse-users-"
	goVersion        = "1.26" // what the SDK's go.mod asks for
)

// backendFiles are a whole backend of each kind: files that both have, and those
// of a store and of a directory. Its tests are among ours.
//
//go:embed template
var backendFiles embed.FS

// backendTemplate is what differs from one backend to another.
type backendTemplate struct {
	Name, Module, Go string
	Version          string // of the SDK
	SDK              string // a checkout of it, as it stands in go.mod; empty: none
	ReadOnly         bool   // a directory, not a store
}

// findSDK says where Go finds the SDK.
func (v *pluginInit) findSDK(b *backendTemplate) error {
	checkout := v.sdk
	if checkout == "" {
		at, err := os.Getwd()
		if err != nil {
			return err
		}
		for ; !isSDK(at) && at != filepath.Dir(at); at = filepath.Dir(at) {
		}
		if isSDK(at) {
			checkout = at
		}
	} else if !isSDK(checkout) {
		return account.Invalid("sdk", "the directory %s is not a checkout of %s", checkout, sdkModule)
	}
	b.Version = released(version.String())
	if checkout == "" && b.Version == "" {
		return account.Invalid("sdk", "this concourse (%s) is not a released version, which Go could find by itself; name a checkout of %s with --sdk DIR",
			version.String(), sdkModule)
	}
	if b.Version == "" {
		b.Version = "v0.0.0" // of which the checkout takes the place
	}
	if checkout == "" {
		return nil
	}
	path, err := filepath.Abs(checkout)
	if err != nil {
		return err
	}
	b.SDK = path
	if strings.ContainsAny(path, " \t\"'`()[]{},") {
		b.SDK = strconv.Quote(path)
	}
	return nil
}

var sdkLine = regexp.MustCompile(`(?m)^module\s+` + regexp.QuoteMeta(sdkModule) + `\s*$`)

func isSDK(directory string) bool {
	content, err := os.ReadFile(filepath.Join(directory, "go.mod"))
	return err == nil && sdkLine.Match(content)
}

var releaseForm = regexp.MustCompile(`^v?(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)[.\d]*)?)$`)

// released returns the version as Go names it, if it is that of a release.
func released(version string) string {
	if m := releaseForm.FindStringSubmatch(version); m != nil {
		return "v" + m[1]
	}
	return ""
}

// write makes the directory, which may exist if it is empty, and returns the
// names of the files.
func (b *backendTemplate) write(directory string) (names []string, err error) {
	there, err := os.ReadDir(directory)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(directory, 0o755)
	case err == nil && len(there) > 0:
		return nil, account.Invalid("directory", "the directory %s is not empty; name another", directory)
	}
	if err != nil {
		return nil, account.Invalid("directory", "the directory %s cannot be written: %v", directory, cause(err))
	}
	kind := "store"
	if b.ReadOnly {
		kind = "directory"
	}
	all, err := template.ParseFS(backendFiles, "template/*.tmpl", "template/"+kind+"/*.tmpl")
	if err != nil {
		return nil, err
	}
	for _, t := range all.Templates() {
		var text strings.Builder
		if err := t.Execute(&text, b); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(t.Name(), ".tmpl")
		if name == "gitignore" { // which the SDK's own files are not to heed
			name = ".gitignore"
		}
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text.String()), 0o644); err != nil {
			return nil, fmt.Errorf("the backend is not whole: %w", err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}
