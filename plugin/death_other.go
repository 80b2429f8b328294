//go:build !linux

package plugin

// armDeath does nothing where the kernel offers nothing; the watch remains.
func armDeath() {}
