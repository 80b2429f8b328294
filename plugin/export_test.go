package plugin

// WatchHost is what dieWithHost does on every system.
var WatchHost = watchHost
