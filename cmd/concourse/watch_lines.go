package main

import (
	"bufio"
	"context"
	"fmt"
	"time"
)

// watchLines prints one listing after the other: a time and a table, or an
// array on a line of its own. An interruption is how it ends, and no error;
// nothing else ends it but an error.
func (v *sessionsView) watchLines(ctx context.Context, c *console, h sessionsHost) error {
	for {
		if err := v.printOnce(ctx, c, h); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(v.interval):
		}
	}
}

func (v *sessionsView) printOnce(ctx context.Context, c *console, h sessionsHost) error {
	w := bufio.NewWriter(c.out)
	show, end := sessionsListing.array(w, "[", ",", "]\n")
	if !c.json {
		untitled := sessionsListing
		untitled.title = ""
		show, end = untitled.table(w, c.display)
		fmt.Fprintln(w, time.Now().UTC().Format(time.RFC3339))
	}
	for batch, err := range v.rows(ctx, c, h, v.listing) {
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			continue
		}
		if err := show(batch); err != nil {
			return notPrinted(err)
		}
	}
	if err := end(); err != nil {
		return notPrinted(err)
	}
	if !c.json {
		fmt.Fprintln(w)
	}
	return notPrinted(w.Flush())
}
