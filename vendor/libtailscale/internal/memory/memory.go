// Package memory has Go collect garbage earlier where there is much to collect: a node at full speed would otherwise take
// twice what it has in use. Packets under way hold no pointers, so that the collector has little to do for them.
package memory

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

const (
	// heap is the size that Go's heap should not grow past. GOGC does not fall below least for it.
	heap = 96 << 20
	// usual and least are by how many per cent of what is in use the heap may grow between two collections.
	usual = 100
	least = 25
)

// KeepSmall adjusts GOGC after each GC cycle from now on, unless the environment sets GOGC or GOMEMLIMIT.
var KeepSmall = sync.OnceFunc(func() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		afterCollections(new(tuner))
	}
})

// tuner adjusts GOGC. Nothing refers to it, so its finalizer runs after each GC cycle, adjusts GOGC and re-arms itself.
type tuner struct {
	percent int
	sample  [1]metrics.Sample
}

func afterCollections(t *tuner) {
	runtime.SetFinalizer(t, func(t *tuner) {
		safely.Do(func() error { t.tune(); afterCollections(t); return nil })
	})
}

func (t *tuner) tune() {
	t.sample[0].Name = "/gc/heap/live:bytes"
	metrics.Read(t.sample[:])
	if value := t.sample[0].Value; value.Kind() == metrics.KindUint64 {
		// Setting it stops the program for a moment.
		if percent := percentFor(value.Uint64()); percent != t.percent {
			debug.SetGCPercent(percent)
			t.percent = percent
		}
	}
}

// percentFor is by how much the heap may grow when live bytes of it are in use, in steps of a quarter.
func percentFor(live uint64) int {
	if live == 0 || live >= heap {
		return least
	}
	percent := int((heap - live) * 100 / live)
	return max(least, min(percent/least*least, usual))
}
