package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// connections connects and says nothing, and connects again when it is thrown
// out. Half of the time it says half of what a client says first.
func connections(ctx context.Context, o options) tally {
	t := tally{Answers: map[string]int{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range o.connections {
		all.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				c, err := net.Dial("unix", o.socket)
				if err == nil {
					stop := context.AfterFunc(ctx, func() { c.Close() })
					if i%2 == 0 {
						c.Write([]byte("PRI * HTTP/2.0\r\n"))
					}
					buffer := make([]byte, 1024)
					for err == nil {
						_, err = c.Read(buffer)
					}
					stop()
					c.Close()
				}
				if ctx.Err() != nil {
					return
				}
				answer := "thrown out"
				if time.Since(began) < time.Second {
					answer = "not let in"
				}
				mu.Lock()
				t.Attempts++
				t.Answers[answer]++
				mu.Unlock()
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	all.Wait()
	return t
}
