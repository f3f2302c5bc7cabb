package node

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"
	"tailscale.com/wgengine"
)

// A node that has just joined is told to its peers a moment later, and where it is reached later still. A peer drops a
// handshake of a node that it does not know, and cannot answer one of a node that it cannot reach yet; WireGuard begins
// another one only after five seconds, and the first dial would take that long. So a ping is sent until the peer has
// answered it, which it does for nodes that it knows, then a handshake is begun, and another one while it stays
// unanswered. The dial comes after that: a SYN that waited for a handshake begun anew would be lost.
const (
	newcomer       = 10 * time.Second // how long a node is new
	introduction   = 10 * time.Second // how long it may take until a peer knows it and they have shaken hands
	firstPause     = 40 * time.Millisecond
	firstHandshake = 50 * time.Millisecond // how long the first one may take at the least
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

// since says when the node has joined.
func (i *introductions) since() time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.joined
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
			defer close(known)
			peer, ok := n.backend.PeerForIP(ip)
			if !ok || peer.IsSelf || peer.Node.DiscoKey().IsZero() || peer.Node.Addresses().Len() == 0 {
				return nil // one by WireGuard alone answers no ping
			}
			ctx, cancel := context.WithTimeout(n.ctx, introduction)
			defer cancel()
			if latency, answered := n.pingUntilAnswered(ctx, ip); answered {
				n.shakeHands(ctx, peer, latency)
			}
			return nil
		})
	}
	select {
	case <-known:
	case <-ctx.Done():
	}
}

// pingUntilAnswered pings the node that has ip again after a pause, each longer by a quarter than the one before. So it
// learns late by a quarter at most of the time that the peer took.
func (n *Node) pingUntilAnswered(ctx context.Context, ip netip.Addr) (latency time.Duration, answered bool) {
	answers := make(chan time.Duration, 1)
	ping := func() {
		answer, err := n.ping(ctx, ip, tailcfg.PingDisco)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return
		}
		select {
		case answers <- time.Duration(answer.LatencySeconds * float64(time.Second)):
		default:
		}
	}
	for pause := firstPause; ; pause = min(pause+pause/4, 2*time.Second) {
		go ping()
		select {
		case latency := <-answers:
			return latency, true
		case <-ctx.Done():
			return 0, false
		case <-time.After(pause):
		}
	}
}

// ping gives an answer in any case, so that what it says can be asked for.
func (n *Node) ping(ctx context.Context, ip netip.Addr, kind tailcfg.PingType) (answer ipnstate.PingResult, err error) {
	err = n.guarded(func() error {
		result, err := n.backend.Ping(ctx, ip, kind, 0)
		if result != nil {
			answer = *result
		}
		return err
	})
	return answer, err
}

// shakeHands has WireGuard shake hands with a peer that is as far away as latency says, and begin anew while the peer
// does not answer.
func (n *Node) shakeHands(ctx context.Context, peer wgengine.PeerForIP, latency time.Duration) {
	engine, key, ip := n.server.Sys().Engine.Get(), peer.Node.Key(), peer.Node.Addresses().At(0).Addr()
	joined := n.introductions.since()
	look := time.NewTicker(max(latency/10, time.Millisecond))
	defer look.Stop()
	for pause := max(2*latency, firstHandshake); ; pause *= 2 {
		go n.ping(ctx, ip, tailcfg.PingTSMP) // WireGuard begins a handshake for what is to be sent
		for over := time.After(pause); over != nil; {
			select {
			case <-look.C:
				if device, ok := engine.PeerByKey(key); ok && device.LastHandshake().After(joined) {
					return
				}
			case <-over:
				engine.ResetDevicePeer(key)
				over = nil
			case <-ctx.Done():
				return
			}
		}
	}
}
