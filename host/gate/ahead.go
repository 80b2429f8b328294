package gate

import (
	"context"
	"fmt"
	"iter"

	"github.com/cinchapi/concourse-users/shared/account"
)

// ahead yields what is shown of each batch, and an error last. While one is
// being sent the plugin is asked about the next, and no more than that: a
// listing takes the same memory however long it is.
func (show showing) ahead(ctx context.Context, batches iter.Seq[[]account.Session]) iter.Seq2[[]account.Session, error] {
	type outcome struct {
		shown []account.Session
		err   error
	}
	return func(yield func([]account.Session, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		next := make(chan outcome)
		go func() {
			defer close(next)
			defer func() {
				if p := recover(); p != nil { // nobody else would, here
					next <- outcome{err: fmt.Errorf("panic of type %T while sessions were listed", p)}
				}
			}()
			for rows := range batches {
				o := outcome{err: ctx.Err()}
				if o.err == nil {
					o.shown, o.err = show(ctx, rows)
				}
				if next <- o; o.err != nil {
					return
				}
			}
		}()
		defer func() {
			cancel()
			for range next { // until the plugin is no longer asked
			}
		}()
		for o := range next {
			if !yield(o.shown, o.err) {
				return
			}
		}
	}
}
