package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// unnamed returns a deletion for each account that no file names, and whether
// the caller's own is spared.
func unnamed(ctx context.Context, h *steadyHost, named []*task) (deletions []*task, spared bool, err error) {
	names := map[string]bool{h.caller: true}
	spared = true
	for _, t := range named {
		names[t.Username] = true
		spared = spared && t.Username != h.caller
	}
	err = h.ask(ctx, ctx, func(ctx context.Context, client *management.Client) error {
		deletions = nil
		for batch, err := range client.List(ctx, management.AccountFilter{}) {
			if err != nil {
				return err
			}
			for _, a := range batch {
				if !names[a.Username] {
					deletions = append(deletions, &task{Desired: account.Desired{Username: a.Username}, delete: true})
				}
			}
		}
		return nil
	})
	return deletions, spared, err
}

// confirmPrune asks a person.
func confirmPrune(ctx context.Context, p *prompt, deletions []*task) error {
	answer, err := p.line(ctx, question{fmt.Sprintf("Delete %s (%s)? [y/N] ", count(len(deletions), "account"), someNames(deletions)), "--yes"})
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return &account.Error{Kind: account.KindInterrupted, Message: "nothing was changed"}
}

// someNames names as many as fit in a line or two.
func someNames(tasks []*task) string {
	const most = 10
	var names []string
	for _, t := range tasks[:min(most, len(tasks))] {
		names = append(names, t.Username)
	}
	if len(tasks) > most {
		names = append(names, fmt.Sprintf("and %d more", len(tasks)-most))
	}
	return strings.Join(names, ", ")
}
