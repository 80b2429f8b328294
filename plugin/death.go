package plugin

import (
	"os"
	"time"
)

// host is the parent as the process found it. It may well be process 1, in a
// container. A parent that was gone even before has closed its end of standard
// output, and go-plugin's first line to that ends the process.
var host = os.Getppid()

// deathWatch is how often a missing host is looked for. It is the only way on
// systems without a signal for it, and backs that signal up on Linux.
const deathWatch = 200 * time.Millisecond

// dieWithHost ends this process when its host does, however that dies: an
// orphan would keep the lock on the store from the next host's plugin. It ends
// without ceremony, which a store must survive anyway.
func dieWithHost() {
	armDeath()
	watchHost()
}

// watchHost also sees a host that died before the arming.
func watchHost() {
	exitIfOrphan()
	go func() {
		for range time.Tick(deathWatch) {
			exitIfOrphan()
		}
	}()
}

func exitIfOrphan() {
	if os.Getppid() != host {
		os.Exit(1)
	}
}
