// Package version says which version of this project an executable is. It
// knows nothing else.
package version

import "runtime/debug"

// Version is set by the linker (-X); "dev" says that it was not.
var Version = "dev"

// String returns Version, or what the go command wrote into the executable if
// the linker was given none.
func String() string {
	if Version != "dev" {
		return Version
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return Version
}
