package handle

import (
	"errors"
	"testing"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

func refused(err error) bool {
	var e *errs.Error
	return errors.As(err, &e) && e.Code == errs.BadHandle
}

func TestAHandleIsNeverGivenOutTwice(t *testing.T) {
	var table Table
	seen := map[uint64]bool{0: true}
	for range 10_000 {
		h := table.Add("x")
		if seen[h] {
			t.Fatalf("%d was given out before", h)
		}
		seen[h] = true
		table.Remove(h)
		if _, err := Get[string](&table, h); !refused(err) {
			t.Fatalf("a stale handle gave %v", err)
		}
	}
	if n := table.Len(); n != 0 {
		t.Errorf("%d handles are left", n)
	}
}

func TestAHandleOfAnotherKindIsRefusedAndStays(t *testing.T) {
	var table Table
	h := table.Add("x")
	if _, err := Take[int](&table, h); !refused(err) {
		t.Errorf("got %v", err)
	}
	if v, err := Take[string](&table, h); v != "x" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if _, err := Take[string](&table, h); !refused(err) {
		t.Errorf("taken twice: %v", err)
	}
}

func TestAReplacedObjectIsRefusedAsWhatItWas(t *testing.T) {
	var table Table
	h := table.Add("x")
	was, err := Replace(&table, h, func(was string) any { return len(was) })
	if err != nil || was != "x" {
		t.Fatalf("replaced %q, %v", was, err)
	}
	if _, err := Replace(&table, h, func(string) any { return nil }); !refused(err) {
		t.Errorf("it was replaced twice: %v", err)
	}
	if now, err := Get[int](&table, h); err != nil || now != 1 {
		t.Errorf("it is %d, %v", now, err)
	}
}
