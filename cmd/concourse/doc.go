// Command concourse is the operator's binary: it starts the host, and carries
// the users commands to a running one.
//
// It parses, prompts and prints, and holds no rule about accounts. One file
// holds each command; commands.go lists them, main.go finds the one that is
// meant, prompt.go and echo.go alone ask, display.go alone says how results
// look on a terminal, watch.go alone fills one, output.go alone knows JSON,
// exit.go alone knows exit codes. It upholds design rule 9 on its side: no
// password in an error, a core dump, or anything but the one call that needs
// it. Everything is handed to host/management's Client, or to host.Run.
package main
