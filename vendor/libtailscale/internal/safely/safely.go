// Package safely keeps a panic from ending the whole process: every goroutine of this library, and every function of it that
// another library calls in a goroutine of its own, runs by this package.
package safely

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

var report atomic.Pointer[func(text string)]

// SetReport says who is told of panics: what each said, and its stack. Until then standard error is.
func SetReport(to func(text string)) { report.Store(&to) }

// reported has a *atomic.Int64 for each place that has panicked: when that was last reported, in nanoseconds.
var reported sync.Map

// oftenest is how often a place is reported: what other nodes send may lead there all the time.
const oftenest = time.Minute

// Recovered makes an error of what recover gave, and reports it, unless the place was reported just before.
func Recovered(panicked any) error {
	if mayReport() {
		text := fmt.Sprintf("panic: %v\n%s", panicked, debug.Stack())
		if to := report.Load(); to != nil {
			(*to)(text)
		} else {
			fmt.Fprintln(os.Stderr, text)
		}
	}
	return errs.New(errs.Internal, "a defect of this library, whose log says more: panic: %v", panicked)
}

func mayReport() bool {
	entry, _ := reported.LoadOrStore(place(), new(atomic.Int64))
	last := entry.(*atomic.Int64)
	before, now := last.Load(), time.Now().UnixNano()
	return (before == 0 || now-before >= int64(oftenest)) && last.CompareAndSwap(before, now)
}

// place is the call that panicked.
func place() uintptr {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for panicking := false; ; {
		frame, more := frames.Next()
		ofRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if panicking = panicking || ofRuntime; panicking && !ofRuntime || !more {
			return frame.PC
		}
	}
}

// Do does work, and makes an error of its panic.
func Do(work func() error) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = Recovered(panicked)
		}
	}()
	return work()
}

// Call is Do for work that has a result.
func Call[T any](work func() (T, error)) (result T, err error) {
	err = Do(func() (err error) { result, err = work(); return err })
	return result, err
}

// Await runs work in a goroutine and waits for its result or for the end of ctx. After the end of ctx, work goes on and its
// result is dropped.
func Await[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type outcome struct {
		result T
		err    error
	}
	done := make(chan outcome, 1)
	Go(func() {
		result, err := Call(work)
		done <- outcome{result, err}
	}, nil)
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// Func is work as a function that does not panic. failed is called when work has panicked; nil where there is nothing to do.
func Func(work func(), failed func(why error)) func() {
	return func() {
		if err := Do(func() error { work(); return nil }); err != nil && failed != nil {
			Do(func() error { failed(err); return nil })
		}
	}
}

// Go runs Func's function in a goroutine.
func Go(work func(), failed func(why error)) { go Func(work, failed)() }
