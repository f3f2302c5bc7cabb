package node

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"
)

func TestTheMoreBuffersAreFillingTheLessEachMayGrow(t *testing.T) {
	b := &bufferBudget{least: netstack.LeastSend, most: netstack.MostSend}
	for _, c := range []struct{ busy, kib int64 }{
		{0, 6144}, {2, 6144}, {3, 3072}, {5, 3072}, {6, 1536}, {10, 1536}, {11, 768}, {22, 384}, {43, 256}, {10_000, 256},
	} {
		if size := b.sizeFor(c.busy); size != c.kib<<10 {
			t.Errorf("%d: %d bytes each, want %d KiB", c.busy, size, c.kib)
		}
	}
}

// limits records the limits that a budget has set.
type limits struct {
	mu             sync.Mutex
	smallest, last int
}

func (l *limits) set(size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.smallest == 0 || size < l.smallest {
		l.smallest = size
	}
	l.last = size
}

// await waits until the limit has been as small as size.
func (l *limits) await(t *testing.T, size int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		smallest := l.smallest
		l.mu.Unlock()
		if smallest == size {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the smallest limit was %d bytes, want %d", smallest, size)
		}
	}
}

func TestOnlyStreamsThatAreBusyCountAndTheLimitsReturnAfterThem(t *testing.T) {
	var sent, received limits
	var b bufferBudgets
	b.send = bufferBudget{least: netstack.LeastSend, most: netstack.MostSend, setLimit: sent.set}
	b.receive = bufferBudget{least: netstack.LeastReceive, most: netstack.MostReceive, setLimit: received.set}
	const streams = 80
	var writers sync.WaitGroup
	var conns, peers []net.Conn
	for range streams {
		ours, theirs := net.Pipe()
		conn := b.track(halfClosing{ours})
		conns, peers = append(conns, conn), append(peers, theirs)
		writers.Go(func() { conn.Write([]byte("x")) }) // until the peer reads
	}
	sent.await(t, netstack.LeastSend)
	for _, peer := range peers {
		io.ReadFull(peer, make([]byte, 1))
	}
	writers.Wait()
	for i, peer := range peers {
		go peer.Write(make([]byte, 5))
		conns[i].Read(make([]byte, 4)) // there is more
	}
	received.await(t, netstack.LeastReceive)
	for i, conn := range conns {
		if i%2 == 0 {
			conn.Read(make([]byte, 4)) // all that was left
		} else {
			conn.Close()
		}
	}
	if sent.last != netstack.MostSend || received.last != netstack.MostReceive {
		t.Errorf("afterwards: %d and %d bytes", sent.last, received.last)
	}
}

type halfClosing struct{ net.Conn }

func (halfClosing) CloseWrite() error { return nil }
