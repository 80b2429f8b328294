package users_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cinchapi/concourse-users/plugin/users"
	"github.com/cinchapi/concourse-users/shared/account"
)

// badCallers are callers whose sessions are no longer good.
func badCallers(h *harness) map[string]account.Caller {
	h.t.Helper()
	good := h.caller("admin")
	change := func(fn func(*account.Caller)) account.Caller {
		c := good
		fn(&c)
		return c
	}
	h.create("suspended", account.Admin)
	suspended := h.caller("suspended")
	h.must(h.Suspend(h.t.Context(), h.as("admin"), "suspended"))
	suspended.Generation = h.kept("suspended").Generation
	return map[string]account.Caller{
		"ErrNoCaller":        {},
		"ErrOtherID":         change(func(c *account.Caller) { c.AccountID = account.NewID() }),
		"ErrNoID":            change(func(c *account.Caller) { c.AccountID = "" }),
		"ErrOldGeneration":   change(func(c *account.Caller) { c.Generation-- }),
		"ErrNewerGeneration": change(func(c *account.Caller) { c.Generation++ }),
		"ErrNoSuchName":      change(func(c *account.Caller) { c.Username = "nobody" }),
		"ErrAnothersName":    change(func(c *account.Caller) { c.Username = "target" }),
		"ErrNotAName":        change(func(c *account.Caller) { c.Username = "a b" }),
		"ErrNotNormal":       change(func(c *account.Caller) { c.Username = "ａｄｍｉｎ" }),
		"ErrSuspended":       suspended,
	}
}

func TestCaller(t *testing.T) {
	t.Run("Mutations", func(t *testing.T) {
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			bad := badCallers(h)
			before, made := h.contents(), h.hashing.Made.Load()
			for name, c := range bad {
				t.Run(name, func(t *testing.T) {
					_, err := v.call(h, account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: c}, "target")
					refusal(t, err, account.KindNotAuthenticated, "")
				})
			}
			t.Run("ErrNotAnAdmin", func(t *testing.T) {
				_, err := v.call(h, h.as("target"), "target")
				refusal(t, err, account.KindNotPermitted, account.ReasonNeedsAdmin)
			})
			h.unchanged(before)
			if h.hashing.Made.Load() != made {
				t.Error("a password was hashed for callers who may not set it")
			}
		})
	})
	t.Run("Reads", func(t *testing.T) {
		h := start(t)
		h.create("target", account.User)
		bad := badCallers(h)
		for name, read := range map[string]func(account.Caller) error{
			"Show":     func(c account.Caller) error { _, err := h.Show(t.Context(), c, "target"); return err },
			"List":     func(c account.Caller) error { _, _, err := h.List(t.Context(), c, ""); return err },
			"Sessions": func(c account.Caller) error { _, err := h.Sessions(t.Context(), c, nil); return err },
			"Export":   func(c account.Caller) error { _, _, err := h.Export(t.Context(), c, ""); return err },
			"Plan": func(c account.Caller) error {
				_, err := h.Plan(t.Context(), c, account.Desired{Username: "target", Password: account.Secret(newPassword)})
				return err
			},
			"CheckPassword": func(c account.Caller) error {
				_, err := h.CheckPassword(t.Context(), c, account.Password{Username: "target", Password: account.Secret(newPassword)})
				return err
			},
		} {
			for which, c := range bad {
				t.Run(name+"/"+which, func(t *testing.T) { refusal(t, read(c), account.KindNotAuthenticated, "") })
			}
			t.Run(name+"/ErrNotAnAdmin", func(t *testing.T) {
				refusal(t, read(h.caller("target")), account.KindNotPermitted, account.ReasonNeedsAdmin)
			})
		}
		if n := h.hashing.Matched.Load(); n != 0 {
			t.Errorf("%d hashes were computed for callers who may not ask", n)
		}
	})
	t.Run("AtCommit", func(t *testing.T) {
		// The caller is suspended between the look before and the transaction.
		everyVerb(t, func(t *testing.T, h *harness, v verb) {
			h.create("second", account.Admin)
			in, suspension := h.as("second"), h.as("admin")
			h.store.set(func(s *hooked) {
				s.beforeUpdate = func(ctx context.Context) error {
					s.set(func(s *hooked) { s.beforeUpdate = nil })
					_, err := h.Suspend(ctx, suspension, "second")
					return err
				}
			})
			_, err := v.call(h, in, "target")
			refusal(t, err, account.KindNotAuthenticated, "")
		})
	})
	t.Run("AnEmptyStoreHasNone", func(t *testing.T) {
		h := start(t)
		_, err := h.Enable(t.Context(), account.Invocation{RequestID: account.NewRequestID(time.Now()), Caller: account.Caller{Username: "x"}}, "admin")
		refusal(t, err, account.KindNotAuthenticated, "")
	})
}

func TestLastAdmin(t *testing.T) {
	leave := map[string]func(h *harness, by, target string) error{
		"Delete": func(h *harness, by, target string) error {
			_, err := h.Delete(t.Context(), h.as(by), account.Delete{Username: target})
			return err
		},
		"Demote": func(h *harness, by, target string) error {
			_, err := h.Edit(t.Context(), h.as(by), account.Edit{Username: target, Role: account.User})
			return err
		},
		"DemoteWithPassword": func(h *harness, by, target string) error {
			_, err := h.Edit(t.Context(), h.as(by), account.Edit{Username: target, Role: account.User, Password: account.Secret(newPassword)})
			return err
		},
		"ApplyRole": func(h *harness, by, target string) error {
			_, err := h.Apply(t.Context(), h.as(by), account.Desired{Username: target, Role: account.User, Password: account.Secret(otherPassword)})
			return err
		},
	}
	for name, do := range leave {
		t.Run(name+"/ErrLastAdmin", func(t *testing.T) {
			h := start(t)
			h.create("suspended", account.Admin)
			h.must(h.Suspend(t.Context(), h.as("admin"), "suspended"))
			before, made := h.contents(), h.hashing.Made.Load()
			refusal(t, do(h, "admin", "admin"), account.KindRefused, account.ReasonLastAdmin)
			h.unchanged(before)
			if n := h.hashing.Made.Load(); n != made {
				t.Error("a password was hashed for a change that could be refused before")
			}
		})
		t.Run(name+"/OneOfTwo", func(t *testing.T) {
			h := start(t)
			h.create("second", account.Admin)
			if err := do(h, "admin", "admin"); err != nil {
				t.Error(err)
			}
			refusal(t, do(h, "second", "second"), account.KindRefused, account.ReasonLastAdmin)
		})
		t.Run(name+"/ASuspendedOneDoesNotCount", func(t *testing.T) {
			h := start(t)
			h.create("suspended", account.Admin)
			h.must(h.Suspend(t.Context(), h.as("admin"), "suspended"))
			if err := do(h, "admin", "suspended"); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("Create/Counts", func(t *testing.T) {
		h := start(t)
		h.create("second", account.Admin)
		h.checkAdmins()
		h.must(h.Suspend(t.Context(), h.as("second"), "admin"))
		h.checkAdmins()
		h.must(h.Enable(t.Context(), h.as("second"), "admin"))
		h.checkAdmins()
		h.must(h.Edit(t.Context(), h.as("second"), account.Edit{Username: "admin", Role: account.User}))
		h.checkAdmins()
		h.must(h.Suspend(t.Context(), h.as("second"), "admin"))
		h.must(h.Edit(t.Context(), h.as("second"), account.Edit{Username: "admin", Role: account.Admin}))
		h.checkAdmins()
		h.must(h.Enable(t.Context(), h.as("second"), "admin"))
		h.checkAdmins()
		h.must(h.Delete(t.Context(), h.as("second"), account.Delete{Username: "admin"}))
	})
	t.Run("WithoutACounter", func(t *testing.T) {
		h := start(t)
		h.create("second", account.Admin)
		var was []byte
		key := users.Key{Space: users.Meta, Name: "admins"}
		swap := func(fn func(tx users.Tx) error) {
			if _, err := h.store.Update(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		swap(func(tx users.Tx) (err error) {
			if was, err = tx.Get(key); err != nil {
				return err
			}
			return tx.Delete(key)
		})
		_, err := h.Delete(t.Context(), h.as("admin"), account.Delete{Username: "second"})
		refusal(t, err, account.KindInternal, "")
		swap(func(tx users.Tx) error { return tx.Put(key, was) })
	})
	t.Run("ManyAtOnce", manyAdminsAtOnce)
}

// manyAdminsAtOnce lets ADMINs do away with each other, and looks all the time.
func manyAdminsAtOnce(t *testing.T) {
	const rounds, admins, workers, steps = 6, 5, 6, 60
	hash := hashOf(t, newPassword)
	for range rounds {
		h := start(t)
		for i := range admins {
			h.create(fmt.Sprint("admin", i), account.Admin)
		}
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for range steps {
					var names, enabled []string
					for name, k := range h.all() {
						names = append(names, name)
						if k.Enabled && k.Role == account.Admin {
							enabled = append(enabled, name)
						}
					}
					if len(enabled) == 0 {
						t.Error("there was no enabled ADMIN")
						return
					}
					in := account.Invocation{RequestID: account.NewRequestID(time.Now())}
					by := enabled[rand.N(len(enabled))]
					k, ok := h.all()[by]
					if !ok {
						continue
					}
					in.Caller = account.Caller{Username: by, AccountID: k.ID, Generation: k.Generation}
					target := names[rand.N(len(names))]
					var err error
					switch rand.N(13) {
					case 0:
						_, err = h.Delete(t.Context(), in, account.Delete{Username: target})
					case 1, 2, 3:
						_, err = h.Suspend(t.Context(), in, target)
					case 4, 5, 6:
						_, err = h.Edit(t.Context(), in, account.Edit{Username: target, Role: account.User})
					case 7, 8:
						_, err = h.Enable(t.Context(), in, target)
					case 9:
						_, err = h.Edit(t.Context(), in, account.Edit{Username: target, Role: account.Admin})
					case 10:
						_, err = h.Apply(t.Context(), in, account.Desired{Username: target, Role: account.User, Enabled: &off, PasswordHash: hash})
					case 11:
						_, err = h.Apply(t.Context(), in, account.Desired{Username: target, Enabled: &off, PasswordHash: hash})
					case 12:
						_, err = h.Apply(t.Context(), in, account.Desired{Username: target, Role: account.Admin, Enabled: &on, PasswordHash: hash})
					}
					switch account.KindOf(err) {
					case 0, account.KindRefused, account.KindNotFound, account.KindNotAuthenticated, account.KindNotPermitted:
					default:
						t.Errorf("%s on %s: %v", by, target, err)
					}
				}
			})
		}
		all.Wait()
		h.checkAdmins()
	}
}
