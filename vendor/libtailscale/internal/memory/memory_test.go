package memory

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestTheHeapMayGrowByLessTheMoreOfItIsInUse(t *testing.T) {
	for _, c := range []struct{ liveMiB, percent int }{
		{10, 100}, {48, 100}, {50, 75}, {64, 50}, {70, 25}, {95, 25}, {96, 25}, {500, 25},
	} {
		if percent := percentFor(uint64(c.liveMiB) << 20); percent != c.percent {
			t.Errorf("%d MiB in use: %d %%, want %d %%", c.liveMiB, percent, c.percent)
		}
	}
}

func TestEachCollectionSetsTheNextOne(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	KeepSmall()
	much := make([]byte, 120<<20)
	await(t, least)
	runtime.KeepAlive(much)
	much = nil
	await(t, usual)
}

func await(t *testing.T, percent int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		runtime.GC()
		now := debug.SetGCPercent(percent)
		if now == percent {
			return
		}
		debug.SetGCPercent(now)
		if time.Now().After(deadline) {
			t.Fatalf("the heap may grow by %d %%, want %d %%", now, percent)
		}
		time.Sleep(time.Millisecond)
	}
}
