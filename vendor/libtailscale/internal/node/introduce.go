package node

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/wgengine"
)

// A node that has just joined is told to its peers a moment later, and where it is reached later still. A peer drops a
// handshake of a node that it does not know, and cannot answer one of a node that it cannot reach yet; WireGuard begins
// another one only after five seconds, and the first dial would take that long. So the dial comes after a ping that the
// peer has answered, which it does for nodes that it knows, and the handshake is begun anew while it stays unanswered.
const (
	newcomer     = 10 * time.Second // how long a node is new
	introduction = 10 * time.Second // how long it may take until a peer knows it and has answered
	firstPause   = 40 * time.Millisecond
	handshake    = 500 * time.Millisecond // how long the first one may take
)

// introductions are those of a node to the peers that it has dialled since it joined.
type introductions struct {
	mu     sync.Mutex
	joined time.Time
	known  map[netip.Addr]chan struct{} // by the peer's address; closed once the peer knows the node
}

// begin says that the node has joined with a key that its peers may not know.
func (i *introductions) begin() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.joined, i.known = time.Now(), map[netip.Addr]chan struct{}{}
}

// to gives what is closed once the peer that has ip knows the node, and whether the caller has to see to that; nil when
// there is no need.
func (i *introductions) to(ip netip.Addr) (known chan struct{}, first bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if known, begun := i.known[ip]; begun {
		return known, false
	}
	if time.Since(i.joined) > newcomer {
		return nil, false
	}
	known = make(chan struct{})
	i.known[ip] = known
	return known, true
}

// introduce waits until the peer that has ip knows the node, if they can only just have met.
func (n *Node) introduce(ctx context.Context, ip netip.Addr) {
	known, first := n.introductions.to(ip)
	if known == nil {
		return
	}
	if first {
		n.inBackground("cannot meet "+ip.String(), func() error {
			over := sync.OnceFunc(func() { close(known) })
			defer over()
			peer, ok := n.backend.PeerForIP(ip)
			if !ok || peer.IsSelf || peer.Node.DiscoKey().IsZero() || peer.Node.Addresses().Len() == 0 {
				return nil // one by WireGuard alone answers no ping
			}
			ctx, cancel := context.WithTimeout(n.ctx, introduction)
			defer cancel()
			if n.pingUntilAnswered(ctx, ip, tailcfg.PingDisco, firstPause, func() {}) {
				over()
				n.shakeHands(ctx, peer)
			}
			return nil
		})
	}
	select {
	case <-known:
	case <-ctx.Done():
	}
}

// shakeHands begins a handshake with the peer, and another one while it is not answered.
func (n *Node) shakeHands(ctx context.Context, peer wgengine.PeerForIP) {
	key := peer.Node.Key()
	n.pingUntilAnswered(ctx, peer.Node.Addresses().At(0).Addr(), tailcfg.PingTSMP, handshake, func() {
		status, err := n.status(ctx)
		if err == nil && status.Peer[key] != nil && status.Peer[key].LastHandshake.IsZero() {
			n.server.Sys().Engine.Get().ResetDevicePeer(key)
		}
	})
}

// pingUntilAnswered pings the peer again after a pause, each longer by a quarter than the one before, up to two seconds, and
// calls unanswered before that. So it learns late by a quarter at most of the time that the peer took.
func (n *Node) pingUntilAnswered(ctx context.Context, ip netip.Addr, kind tailcfg.PingType, pause time.Duration, unanswered func()) bool {
	answered := make(chan struct{}, 1)
	ping := func() {
		err := n.guarded(func() error {
			_, err := n.backend.Ping(ctx, ip, kind, 0)
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
	for ; ; pause = min(pause+pause/4, 2*time.Second) {
		go ping()
		select {
		case <-answered:
			return true
		case <-ctx.Done():
			return false
		case <-time.After(pause):
			unanswered()
		}
	}
}
