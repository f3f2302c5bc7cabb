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

// Peers hear of a node a moment after it has joined, and of its addresses later still. Until then a peer drops the
// node's handshake, or cannot send an answer. WireGuard retries a handshake after five seconds, and the first dial would
// take that long. So the first dial to a peer waits for the handshake, and the handshake is retried sooner: a peer that
// answers a ping knows the node, so from then on an unanswered handshake is started again. The SYN is sent after the
// handshake, because a restarted handshake drops what was waiting for it.
const (
	newcomerFor     = 10 * time.Second      // how long a node counts as a newcomer
	newcomerTimeout = 10 * time.Second      // how long a dial waits for the handshake at most
	firstPause      = 15 * time.Millisecond // between the first two pings
	firstHandshake  = 25 * time.Millisecond // the least time before a handshake is started again
	pollEvery       = time.Millisecond
)

// newcomerHandshakes are the handshakes with the peers that a node has dialled since it joined.
type newcomerHandshakes struct {
	mu     sync.Mutex
	joined time.Time
	byPeer map[netip.Addr]chan struct{} // closed after the handshake with the peer that has the address
}

// restart forgets all handshakes: the node has joined with a key that its peers may not know.
func (h *newcomerHandshakes) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.joined, h.byPeer = time.Now(), map[netip.Addr]chan struct{}{}
}

// joinedAt gives the time of the newest restart.
func (h *newcomerHandshakes) joinedAt() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.joined
}

// with gives a channel that is closed after the handshake with the peer that has ip. The first caller for a peer has to
// start the handshake and to close the channel. The channel is nil when the node is no newcomer.
func (h *newcomerHandshakes) with(ip netip.Addr) (done chan struct{}, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if done, begun := h.byPeer[ip]; begun {
		return done, false
	}
	if time.Since(h.joined) > newcomerFor {
		return nil, false
	}
	done = make(chan struct{})
	h.byPeer[ip] = done
	return done, true
}

// awaitNewcomerHandshake waits for the handshake with the peer that has ip while the node is a newcomer.
func (n *Node) awaitNewcomerHandshake(ctx context.Context, ip netip.Addr) {
	done, first := n.newcomers.with(ip)
	if done == nil {
		return
	}
	if first {
		n.inBackground("cannot meet "+ip.String(), func() error {
			defer close(done)
			peer, ok := n.backend.PeerForIP(ip)
			if !ok || peer.IsSelf || peer.Node.DiscoKey().IsZero() || peer.Node.Addresses().Len() == 0 {
				return nil // a node that knows WireGuard only answers no ping
			}
			ctx, cancel := context.WithTimeout(n.ctx, newcomerTimeout)
			defer cancel()
			n.shakeHands(ctx, peer, n.pingUntilAnswered(ctx, ip))
			return nil
		})
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// answer is a peer's reply to a ping.
type answer struct {
	latency time.Duration
	late    bool // it is the reply to a later ping: the first ping was lost, and the handshake sent with it
}

// pingUntilAnswered pings the node that has ip until a ping is answered, and sends the first answer. Each pause between
// pings is a quarter longer than the last, so the answer comes at most that much later than it could.
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

// ping pings the node that has ip and gives the latency.
func (n *Node) ping(ctx context.Context, ip netip.Addr, kind tailcfg.PingType) (time.Duration, error) {
	return safely.Call(func() (time.Duration, error) {
		result, err := n.backend.Ping(ctx, ip, kind, 0)
		if result == nil {
			return 0, err
		}
		return time.Duration(result.LatencySeconds * float64(time.Second)), err
	})
}

// shakeHands starts WireGuard's handshake with the peer and waits until it is done. From the peer's answer to a ping on,
// it starts an unanswered handshake again.
func (n *Node) shakeHands(ctx context.Context, peer wgengine.PeerForIP, answers <-chan answer) {
	engine, key, ip := n.server.Sys().Engine.Get(), peer.Node.Key(), peer.Node.Addresses().At(0).Addr()
	joined := n.newcomers.joinedAt()
	begin := func() { // WireGuard starts a handshake when there is a packet to send
		safely.Go(func() { n.ping(ctx, ip, tailcfg.PingTSMP) }, nil)
	}
	begin()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	pause, again := firstHandshake, (<-chan time.Time)(nil)
	for {
		select {
		case <-poll.C:
			if device, ok := engine.PeerByKey(key); ok && device.LastHandshake().After(joined) {
				return
			}
		case answer := <-answers:
			pause = max(2*answer.latency, firstHandshake)
			again = time.After(pause)
			if answer.late {
				again = time.After(0)
			}
			poll.Reset(max(answer.latency/10, pollEvery))
		case <-again:
			engine.ResetDevicePeer(key)
			begin()
			again = time.After(pause)
			pause *= 2
		case <-ctx.Done():
			return
		}
	}
}
