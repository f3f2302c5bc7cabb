// Package handle gives out the numbers by which the C side names Go objects. A number is never given out
// twice, so a stale one is refused instead of meaning another object.
package handle

import (
	"sync"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// Table maps handles to objects. Its zero value is empty and ready.
type Table struct {
	mu   sync.RWMutex
	last uint64
	m    map[uint64]any
}

// Add gives v a handle, which is never 0.
func (t *Table) Add(v any) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = make(map[uint64]any)
	}
	t.last++
	t.m[t.last] = v
	return t.last
}

// Remove forgets h.
func (t *Table) Remove(h uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.m, h)
}

// Len is the number of live handles.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.m)
}

// Get gives the object of kind T that h names.
func Get[T any](t *Table, h uint64) (T, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return get[T](t, h)
}

// Take is Get and Remove in one step, so that of two callers only one gets the object.
func Take[T any](t *Table, h uint64) (T, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, err := get[T](t, h)
	if err == nil {
		delete(t.m, h)
	}
	return v, err
}

// Replace has h name what with makes of its object of kind T from now on, in one step.
func Replace[T any](t *Table, h uint64, with func(T) any) (T, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, err := get[T](t, h)
	if err == nil {
		t.m[h] = with(v)
	}
	return v, err
}

func get[T any](t *Table, h uint64) (T, error) {
	var zero T
	v, ok := t.m[h]
	if !ok {
		return zero, errs.New(errs.BadHandle, "handle %d is unknown or closed", h)
	}
	typed, ok := v.(T)
	if !ok {
		return zero, errs.New(errs.BadHandle, "handle %d is a %T, not a %T", h, v, zero)
	}
	return typed, nil
}
