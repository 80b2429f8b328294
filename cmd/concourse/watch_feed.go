package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// patience bounds the wait for one answer to a watch.
const patience = 10 * time.Second

// feed is a watched host, over as many connections as it takes: when one
// breaks, the next question makes another, and logs in again. A session that
// the host ended is not opened again: that is refused with NotAuthenticated.
type feed struct {
	connect func(context.Context) (sessionsHost, error)

	mu   sync.Mutex
	host sessionsHost // nil: the next question connects
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.host != nil {
		f.host.Close()
		f.host = nil
	}
}

// ask puts a question to the host.
func (f *feed) ask(ctx context.Context, question func(context.Context, sessionsHost) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h, err := f.connected(ctx)
	if err == nil {
		err = question(ctx, h)
	}
	if h != nil && account.KindOf(err) == account.KindUnavailable {
		f.lose(h)
	}
	return err
}

func (f *feed) connected(ctx context.Context) (sessionsHost, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.host == nil {
		h, err := f.connect(ctx)
		if err != nil {
			return nil, err
		}
		f.host = h
	}
	return f.host, nil
}

func (f *feed) lose(h sessionsHost) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.host == h {
		h.Close()
		f.host = nil
	}
}

// wanted is what a watch wants to see: a listing, and of that the rows with a
// text in them.
type wanted struct {
	management.SessionListing
	text string
}

// seen is what there was to see.
type seen struct {
	rows  []account.Session
	total uint64 // how many there are
	at    time.Time
}

// look returns the first rows of what is wanted. With a text the host cannot
// choose them, so all go by here, and only those are kept.
func (f *feed) look(ctx context.Context, w wanted) (seen, error) {
	s := seen{}
	err := f.ask(ctx, func(ctx context.Context, h sessionsHost) error {
		own := ownSession(h)
		l, most := w.SessionListing, int(w.Limit)
		l.Total = func(n uint64) { s.total = n }
		if w.text != "" {
			l.Limit = 0
		}
		for batch, err := range h.Sessions(ctx, l) {
			if err != nil {
				return err
			}
			for _, r := range batch {
				hideOwnCall(&r, own)
				if w.text == "" {
					s.rows = append(s.rows, r)
				} else if contains(r, w.text) {
					if s.total++; len(s.rows) < most {
						s.rows = append(s.rows, r)
					}
				}
			}
		}
		return nil
	})
	s.at = time.Now()
	return s, err
}

// contains looks for a text in what a row says, whatever its case.
func contains(r account.Session, text string) bool {
	texts := []string{r.Username, r.ID, r.RemoteAddress, r.Environment, r.Client, string(r.Role), string(r.Listener), r.Note}
	for _, t := range r.OpenTransactions {
		texts = append(texts, t.Environment)
	}
	for _, of := range texts {
		if strings.Contains(strings.ToLower(of), strings.ToLower(text)) {
			return true
		}
	}
	return false
}

// disconnect is for a host that is a disconnecter.
func (f *feed) disconnect(ctx context.Context, id string) error {
	return f.ask(ctx, func(ctx context.Context, h sessionsHost) error {
		_, err := h.(disconnecter).DisconnectSession(ctx, id)
		return err
	})
}
