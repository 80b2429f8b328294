package main

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/cinchapi/concourse-users/plugin/mem"
	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// Faults of a store under concurrency and at its end.
var _ = add(map[string]fault{
	"commits-without-checking-what-it-read": {store: func(s users.Store) users.Store { return careless{s, 50 * time.Millisecond} }},
	"commits-a-second-after-it-has-read":    {store: func(s users.Store) users.Store { return careless{s, time.Second} }},
	"counts-admins-outside-the-transaction": {store: func(s users.Store) users.Store { return countsOutside{s} }},
	"answers-before-it-commits":             {store: func(s users.Store) users.Store { return inFront(s, 100*time.Millisecond) }},
	"restarts-its-revisions":                {store: func(s users.Store) users.Store { return inFront(s, 0) }},
})

// collecting is a transaction whose writes are kept for later.
type collecting struct {
	users.Reader
	written map[users.Key][]byte // nil: deleted
}

func (c collecting) Get(k users.Key) ([]byte, error) {
	if value, ok := c.written[k]; ok {
		return bytes.Clone(value), nil
	}
	return c.Reader.Get(k)
}

func (c collecting) Put(k users.Key, value []byte) error {
	c.written[k] = append([]byte{}, value...)
	return nil
}

func (c collecting) Delete(k users.Key) error {
	c.written[k] = nil
	return nil
}

func write(tx users.Tx, written map[users.Key][]byte) error {
	for k, value := range written {
		var err error
		if value == nil {
			err = tx.Delete(k)
		} else {
			err = tx.Put(k, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// careless commits some time after it has read.
type careless struct {
	users.Store
	delay time.Duration
}

func (s careless) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	c := collecting{written: map[users.Key][]byte{}}
	if err := s.View(ctx, func(r users.Reader) error {
		clear(c.written)
		c.Reader = r
		return fn(c)
	}); err != nil {
		return 0, err
	}
	time.Sleep(s.delay)
	return s.Store.Update(ctx, func(tx users.Tx) error { return write(tx, c.written) })
}

// countsOutside reads the counter of enabled ADMINs some time before the rest.
type countsOutside struct{ users.Store }

func (s countsOutside) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	var admins []byte
	if err := s.View(ctx, func(r users.Reader) error {
		value, err := r.Get(adminsKey)
		admins = bytes.Clone(value)
		return err
	}); err != nil {
		return 0, err
	}
	time.Sleep(100 * time.Millisecond)
	return s.Store.Update(ctx, func(tx users.Tx) error { return fn(counted{tx, admins}) })
}

type counted struct {
	users.Tx
	admins []byte
}

func (c counted) Get(k users.Key) ([]byte, error) {
	if k == adminsKey {
		return c.admins, nil
	}
	return c.Tx.Get(k)
}

// front keeps everything in memory, and writes to the right store after a delay.
type front struct {
	*mem.Store
	behind users.Store
	delay  time.Duration
	mu     sync.Mutex // held by updates, so that they are written in order
	late   sync.WaitGroup
	queue  chan written
}

type written struct {
	at     time.Time
	values map[users.Key][]byte
}

func inFront(s users.Store, delay time.Duration) users.Store {
	f := &front{Store: mem.New(), behind: s, delay: delay, queue: make(chan written, 100_000)}
	_, err := f.Store.Update(context.Background(), func(tx users.Tx) error {
		return s.View(context.Background(), func(r users.Reader) error {
			for _, space := range users.Spaces() {
				if err := r.Scan(space, "", func(name string, value []byte) error {
					return tx.Put(users.Key{Space: space, Name: name}, value)
				}); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		panic(err)
	}
	f.late.Go(func() {
		for w := range f.queue {
			time.Sleep(time.Until(w.at.Add(f.delay)))
			f.write(w.values)
		}
	})
	return f
}

func (f *front) write(values map[users.Key][]byte) {
	if _, err := f.behind.Update(context.Background(), func(tx users.Tx) error { return write(tx, values) }); err != nil {
		panic(err)
	}
}

func (f *front) Update(ctx context.Context, fn func(users.Tx) error) (account.Revision, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	values := map[users.Key][]byte{}
	revision, err := f.Store.Update(ctx, func(tx users.Tx) error {
		clear(values)
		if err := fn(collecting{tx, values}); err != nil {
			return err
		}
		return write(tx, values)
	})
	switch {
	case err != nil:
	case f.delay == 0:
		f.write(values)
	default:
		f.queue <- written{time.Now(), values}
	}
	return revision, err
}

func (f *front) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.queue != nil {
		close(f.queue)
		f.late.Wait()
		f.queue = nil
	}
	f.Store.Close()
	return f.behind.Close()
}
