package node

import (
	"context"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// race makes the attempts in their order, the next one when one has failed or stays silent for a while. The first to
// succeed wins, and the context of the others ends; drop takes what they still bring. When none succeeds, the first
// error is that of the race.
func race[T any](ctx context.Context, after time.Duration, drop func(T), attempts ...func(context.Context) (T, error)) (won T, err error) {
	if len(attempts) == 1 {
		return attempts[0](ctx)
	}
	type outcome struct {
		result T
		err    error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome)
	next := time.NewTimer(0)
	defer next.Stop()
	for begun, failed := 0, 0; ; {
		select {
		case <-next.C:
			attempt := attempts[begun]
			safely.Go(func() {
				var o outcome
				o.result, o.err = safely.Call(func() (T, error) { return attempt(ctx) })
				select {
				case outcomes <- o:
				case <-ctx.Done():
					if o.err == nil {
						drop(o.result)
					}
				}
			}, nil)
			if begun++; begun < len(attempts) {
				next.Reset(after)
			}
		case o := <-outcomes:
			if o.err == nil {
				return o.result, nil
			}
			if err == nil {
				err = o.err
			}
			if failed++; failed == len(attempts) {
				return won, err
			}
			if begun < len(attempts) {
				next.Reset(0)
			}
		case <-ctx.Done():
			return won, context.Cause(ctx)
		}
	}
}
