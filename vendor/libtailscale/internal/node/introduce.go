package node

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/wgengine"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// A node that has just joined is told to its peers a moment later, and where it is reached later still. A peer drops a
// handshake of a node that it does not know, and cannot answer one of a node that it cannot reach yet; WireGuard begins
// another one only after five seconds, and the first dial would take that long. So the dial waits for the handshake,
// which is begun anew while it stays unanswered once the peer has answered a ping, as it does for nodes that it knows.
// The dial comes after that: a SYN that waited for a handshake begun anew would be lost.
const (
	newcomer       = 10 * time.Second // how long a node is new
	introduction   = 10 * time.Second // how long it may take until a peer knows it and they have shaken hands
	firstPause     = 15 * time.Millisecond
	firstHandshake = 25 * time.Millisecond // how long the first one may take at the least
	lookEvery      = time.Millisecond
)

// introductions are those of a node to the peers that it has dialled since it joined.
type introductions struct {
	mu     sync.Mutex
	joined time.Time
	known  map[netip.Addr]chan struct{} // by the peer's address; closed once they have shaken hands
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

// to gives what is closed once the node has shaken hands with the peer that has ip, and whether the caller has to see to
// that; nil when there is no need.
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

// introduce waits until the node has shaken hands with the peer that has ip, if they can only just have met.
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
			n.shakeHands(ctx, peer, n.pingUntilAnswered(ctx, ip))
			return nil
		})
	}
	select {
	case <-known:
	case <-ctx.Done():
	}
}

// answer is that of a peer to a ping.
type answer struct {
	latency time.Duration
	late    bool // it is not that to the first one
}

// pingUntilAnswered pings the node that has ip again after a pause, each longer by a quarter than the one before. So it
// learns late by a quarter at most of the time that the peer took.
func (n *Node) pingUntilAnswered(ctx context.Context, ip netip.Addr) <-chan answer {
	answers := make(chan answer)
	ctx, cancel := context.WithCancel(ctx)
	ping := func(late bool) {
		latency, err := n.ping(ctx, ip, tailcfg.PingDisco)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return
		}
		select {
		case answers <- answer{latency, late}:
			cancel()
		case <-ctx.Done():
		}
	}
	safely.Go(func() {
		defer cancel()
		for pause := firstPause; ctx.Err() == nil; pause = min(pause+pause/4, 2*time.Second) {
			safely.Go(func() { ping(pause > firstPause) }, nil)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}, nil)
	return answers
}

// ping says how long the answer of the node that has ip took.
func (n *Node) ping(ctx context.Context, ip netip.Addr, kind tailcfg.PingType) (latency time.Duration, err error) {
	err = safely.Do(func() error {
		result, err := n.backend.Ping(ctx, ip, kind, 0)
		if result != nil {
			latency = time.Duration(result.LatencySeconds * float64(time.Second))
		}
		return err
	})
	return latency, err
}

// shakeHands waits until WireGuard has shaken hands with the peer. Once the peer knows the node, which its answer to a
// ping shows, the handshake is begun anew while it stays unanswered.
func (n *Node) shakeHands(ctx context.Context, peer wgengine.PeerForIP, answers <-chan answer) {
	engine, key, ip := n.server.Sys().Engine.Get(), peer.Node.Key(), peer.Node.Addresses().At(0).Addr()
	joined := n.introductions.since()
	begin := func() { // WireGuard begins one for what is to be sent
		safely.Go(func() { n.ping(ctx, ip, tailcfg.PingTSMP) }, nil)
	}
	begin()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	pause, over := firstHandshake, (<-chan time.Time)(nil)
	for {
		select {
		case <-look.C:
			if device, ok := engine.PeerByKey(key); ok && device.LastHandshake().After(joined) {
				return
			}
		case answer := <-answers:
			pause = max(2*answer.latency, firstHandshake)
			over = time.After(pause)
			if answer.late { // what was sent with the first ping was dropped, too
				over = time.After(0)
			}
			look.Reset(max(answer.latency/10, lookEvery))
		case <-over:
			engine.ResetDevicePeer(key)
			begin()
			over = time.After(pause)
			pause *= 2
		case <-ctx.Done():
			return
		}
	}
}
