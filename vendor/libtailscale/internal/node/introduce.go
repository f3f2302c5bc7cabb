package node

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"tailscale.com/tailcfg"
)

// The control server tells the peers of a node that has just joined a moment later. Until then they drop its handshake,
// and WireGuard begins another one only after five seconds: the first dial would take that long. So it waits until the
// peer has answered a ping, which a peer that does not know the node does not do.
const (
	newcomer     = 10 * time.Second // how long a node is new
	introduction = 3 * time.Second  // what the first dial waits at most
	nextPing     = 150 * time.Millisecond
)

// introductions are those of a node to the peers that it has dialled since it joined.
type introductions struct {
	mu     sync.Mutex
	joined time.Time
	over   map[netip.Addr]chan struct{} // by the peer's address; closed when it is
}

// begin says that the node has joined with a key that its peers may not know.
func (i *introductions) begin() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.joined, i.over = time.Now(), map[netip.Addr]chan struct{}{}
}

// to gives what is closed when the node is introduced to the peer that has ip, and whether the caller has to see to that;
// nil when there is no need.
func (i *introductions) to(ip netip.Addr) (over chan struct{}, first bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if over, known := i.over[ip]; known {
		return over, false
	}
	if time.Since(i.joined) > newcomer {
		return nil, false
	}
	over = make(chan struct{})
	i.over[ip] = over
	return over, true
}

// introduce waits until the peer that has ip knows the node, if they can only just have met.
func (n *Node) introduce(ctx context.Context, ip netip.Addr) {
	over, first := n.introductions.to(ip)
	if over == nil {
		return
	}
	if first {
		go func() {
			defer close(over)
			ctx, cancel := context.WithTimeout(n.ctx, introduction)
			defer cancel()
			n.pingUntilAnswered(ctx, ip)
		}()
	}
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// pingUntilAnswered returns as well when the peer cannot be pinged.
func (n *Node) pingUntilAnswered(ctx context.Context, ip netip.Addr) {
	answered := make(chan struct{}, 1)
	ping := func() {
		err := n.guarded(func() error {
			_, err := n.backend.Ping(ctx, ip, tailcfg.PingDisco, 0)
			return err
		})
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return
		}
		select {
		case answered <- struct{}{}:
		default:
		}
	}
	next := time.NewTicker(nextPing)
	defer next.Stop()
	for {
		go ping()
		select {
		case <-answered:
			return
		case <-ctx.Done():
			return
		case <-next.C:
		}
	}
}
