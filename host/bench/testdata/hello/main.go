// Command hello is the least that a Go process does.
package main

import "fmt"

func main() { fmt.Println("hello, world") }
