package main

import (
	"context"
	"testing"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

func TestAnOperationThatPanicsIsReportedOnceAsInternal(t *testing.T) {
	ends := make(chan error, 2)
	report := func(_ context.Context, _ result, err error) { ends <- err }
	before := handles.Len()
	start(context.Background(), 1000, report, nil, func(context.Context) (result, error) { panic("a defect") })
	err := <-ends
	if code := errs.Of(context.Background(), err).Code; code != errs.Internal {
		t.Errorf("%d: %v", code, err)
	}
	time.Sleep(10 * time.Millisecond)
	if len(ends) != 0 || handles.Len() != before {
		t.Errorf("%d more reports, %d handles", len(ends), handles.Len()-before)
	}
}
