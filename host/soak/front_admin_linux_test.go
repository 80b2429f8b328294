package soak_test

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/cinchapi/concourse-users/host/management"
	"github.com/cinchapi/concourse-users/shared/account"
)

// clerk is an administrator who changes accounts that no other one changes.
type clerk struct {
	*door
	admin     *management.Client
	persons   []*person
	random    *rand.Rand
	every     time.Duration // between two changes, on the average
	suspended *person       // whom it enables next; nil: nobody
}

// live makes one change after the other until ctx ends. Nobody stays suspended.
func (k *clerk) live(ctx context.Context) {
	for {
		select {
		case <-time.After(time.Duration((0.5 + k.random.Float64()) * float64(k.every))):
			k.within(k.draw)
		case <-ctx.Done():
			k.within(k.enable)
			return
		}
	}
}

func (k *clerk) enable() {
	if p := k.suspended; p != nil {
		k.suspended = nil
		k.make(p, change{verb: enables}, func(ctx context.Context) error {
			_, err := k.admin.Enable(ctx, account.RequestID{}, p.name)
			return err
		})
	}
}

// draw makes a change. Most are of grants: what ends sessions costs as many
// hashes.
func (k *clerk) draw() {
	p := k.persons[k.random.IntN(len(k.persons))]
	environment := environments[k.random.IntN(len(environments))]
	switch n := k.random.IntN(100); {
	case k.suspended != nil && n < 60:
		k.enable()
	case k.suspended == nil && n < 8:
		k.suspended = p
		k.make(p, change{verb: suspends}, func(ctx context.Context) error {
			_, err := k.admin.Suspend(ctx, account.RequestID{}, p.name)
			return err
		})
	case n < 16:
		next := p.passwordNow() + 1
		k.make(p, change{verb: setPassword, password: next}, func(ctx context.Context) error {
			_, err := k.admin.Password(ctx, account.RequestID{}, account.Password{Username: p.name, Password: account.Secret(passwordOf(next))})
			return err
		})
	case n < 20:
		k.make(p, change{verb: disconnects}, func(ctx context.Context) error {
			_, err := k.admin.DisconnectUser(ctx, p.name)
			return err
		})
	case n < 50:
		k.make(p, change{verb: revokes, environment: environment}, func(ctx context.Context) error {
			_, err := k.admin.Revoke(ctx, account.RequestID{}, account.Revoke{Username: p.name, Environment: environment})
			return err
		})
	default:
		k.grant(p, environment, []level{reading, writing, writing}[k.random.IntN(3)])
	}
}

func (k *clerk) grant(p *person, environment string, l level) {
	held, _ := p.held(environment, k.now(), k.now())
	k.make(p, change{verb: grants, environment: environment, level: max(l, held)}, func(ctx context.Context) error {
		_, err := k.admin.Grant(ctx, account.RequestID{}, grantOf(p, environment, l))
		return err
	})
}

func grantOf(p *person, environment string, l level) account.Grant {
	g := account.Grant{Username: p.name, Environment: environment, Permission: account.Read}
	if l == writing {
		g.Permission = account.Write
	}
	return g
}

// make asks for a change until it is answered. Asked for twice, each of them is
// what it was once.
func (k *clerk) make(p *person, c change, ask func(context.Context) error) {
	c.began = k.now()
	for tries := 1; ; tries++ {
		began := k.now()
		err := ask(context.Background())
		if err == nil {
			break
		}
		if !k.excused(began) || tries == 20 {
			k.wrong("'%s', %s: %v", p.name, c.verb, err)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.ended = k.now()
	p.note(c)
	k.changed(c.verb)
}
