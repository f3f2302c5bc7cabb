// Package safely keeps a panic from ending the whole process: every goroutine of this library, and every function of it that
// another library calls in a goroutine of its own, runs by this package.
package safely

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

var report atomic.Pointer[func(text string)]

// SetReport says who is told of each panic: what it said, and its stack. Until then standard error is.
func SetReport(to func(text string)) { report.Store(&to) }

// Recovered reports what recover gave, and makes an error of it.
func Recovered(panicked any) error {
	text := fmt.Sprintf("panic: %v\n%s", panicked, debug.Stack())
	if to := report.Load(); to != nil {
		(*to)(text)
	} else {
		fmt.Fprintln(os.Stderr, text)
	}
	return errs.New(errs.Internal, "a defect of this library, whose log says more: panic: %v", panicked)
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
