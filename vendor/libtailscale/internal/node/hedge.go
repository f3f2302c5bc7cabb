package node

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// The netstack picks its own port at random. A peer that runs in user space keeps its side of a closed
// stream for a minute. Meanwhile it drops a SYN from the same port, or refuses it while it is just closing.
// After some 300 dials in a minute that becomes likely. A SYN from another port is answered at once. So a
// silent dial gets another dial beside it, and a refused dial is followed by another one.
//
// If the dial was silent for another reason, the peer sees each further dial as a stream that ends at once.
// So there are further dials only to a peer that was recently seen.
const (
	hedgeAfter = 400 * time.Millisecond
	hedges     = 3
	remembered = 2 * time.Minute
)

// recentlySeen holds the addresses to which streams were made in the last minutes.
type recentlySeen struct {
	mu   sync.Mutex
	last map[netip.Addr]time.Time
}

// add records that a stream to ip was made.
func (r *recentlySeen) add(ip netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.last == nil {
		r.last = make(map[netip.Addr]time.Time)
	}
	if _, known := r.last[ip]; !known {
		maps.DeleteFunc(r.last, func(_ netip.Addr, met time.Time) bool { return now.Sub(met) > remembered })
	}
	r.last[ip] = now
}

// has is whether the peer that has ip may still keep its side of a closed stream.
func (r *recentlySeen) has(ip netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	met, known := r.last[ip]
	return known && time.Since(met) <= remembered
}

// hedge is one dial with the attempts beside it.
type hedge struct {
	ctx     context.Context
	cancel  context.CancelFunc
	attempt func(context.Context) (net.Conn, error)

	mu      sync.Mutex
	left    int // attempts that may still be made
	running int
	refused bool // one was
	timer   *time.Timer
	over    bool
	done    chan struct{} // closed when over
	conn    net.Conn
	err     error
}

// dialHedged makes the attempt, and others beside it while there is no answer. The first to succeed wins.
func dialHedged(ctx context.Context, attempt func(context.Context) (net.Conn, error)) (net.Conn, error) {
	h := &hedge{attempt: attempt, left: hedges, running: 1, done: make(chan struct{})}
	h.ctx, h.cancel = context.WithCancel(ctx)
	defer h.cancel()
	h.mu.Lock()
	h.timer = time.AfterFunc(hedgeAfter, safely.Func(h.another, nil))
	h.mu.Unlock()
	h.try()
	<-h.done
	return h.conn, h.err
}

// another makes one more attempt, in the timer's goroutine.
func (h *hedge) another() {
	h.mu.Lock()
	if h.over || h.left == 0 {
		h.mu.Unlock()
		return
	}
	h.left--
	h.running++
	h.timer.Reset(hedgeAfter)
	h.mu.Unlock()
	h.try()
}

// try makes an attempt.
func (h *hedge) try() {
	h.settle(safely.Call(func() (net.Conn, error) { return h.attempt(h.ctx) }))
}

// settle takes the outcome of one attempt.
func (h *hedge) settle(conn net.Conn, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running--
	switch {
	case h.over:
		if err == nil {
			conn.Close()
		}
		return
	case err == nil:
	case !h.refused && h.left > 0 && errs.Of(h.ctx, err).Code == errs.Refused:
		h.refused = true
		safely.Go(h.another, nil)
		return
	case h.running > 0:
		return
	}
	h.over, h.conn, h.err = true, conn, err
	h.timer.Stop()
	h.cancel()
	close(h.done)
}
