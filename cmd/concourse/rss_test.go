package main_test

import (
	"os"
	"runtime"
	"syscall"
)

// maxRSS returns the most memory that the process had, in KiB.
func maxRSS(p *os.ProcessState) int64 {
	most := int64(p.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" {
		most /= 1024 // there it is in bytes
	}
	return most
}
