package main

import (
	"github.com/cinchapi/concourse-users/shared/account"
)

// What a program reads of a run: one object for each account, in the order of
// the files, then one for each deletion (docs/guide.md).

type jsonApplied struct {
	jsonAccount
	Changed     bool             `json:"changed"`
	Created     bool             `json:"created"`
	Differences []jsonDifference `json:"differences"`
	Kept        []string         `json:"kept,omitempty"` // what differs and stays as it is
	Note        string           `json:"note,omitempty"`
	Planned     bool             `json:"planned,omitempty"`
}

type jsonDifference struct {
	Field string  `json:"field"`
	From  *string `json:"from"` // null: nothing there, or a password
	To    *string `json:"to"`
}

type jsonPruned struct {
	jsonDeletion
	Deleted bool `json:"deleted"`
	Planned bool `json:"planned,omitempty"`
}

type jsonFailed struct {
	jsonDeletion
	Error   jsonError `json:"error"`
	Planned bool      `json:"planned,omitempty"`
}

// printTasks prints what all came to. The error of those that were not begun is
// the reason why.
func printTasks(c *console, all []*task, planned bool, reason error) error {
	array := listing[*task]{element: func(t *task) any { return newJSONTask(t, planned, reason) }}
	return array.print(c, func(yield func([]*task, error) bool) { yield(all, nil) })
}

func newJSONTask(t *task, planned bool, reason error) any {
	switch {
	case !t.over:
		return jsonFailed{jsonDeletion{t.Username, false}, newJSONError(reason), planned}
	case t.err != nil:
		return jsonFailed{jsonDeletion{t.Username, false}, newJSONError(t.explained()), planned}
	case t.delete:
		return jsonPruned{jsonDeletion{t.Username, t.applied.Changed}, t.applied.Changed, planned}
	}
	j := jsonApplied{
		jsonAccount: newJSONAccount(t.listed()), Changed: t.applied.Changed, Created: t.created(),
		Differences: []jsonDifference{}, Kept: t.differs, Note: t.applied.Note, Planned: planned,
	}
	for _, d := range t.applied.Differences() {
		j.Differences = append(j.Differences, newJSONDifference(d))
	}
	return j
}

func newJSONDifference(d account.Difference) jsonDifference {
	j := jsonDifference{Field: d.Field}
	if d.From != "" {
		j.From = &d.From
	}
	if d.To != "" {
		j.To = &d.To
	}
	return j
}
