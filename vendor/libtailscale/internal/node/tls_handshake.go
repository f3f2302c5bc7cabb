package node

import (
	"context"
	"crypto/tls"
	"net/netip"
	"sync"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// What may be under way to agree on TLS with a listener, so that peers who say nothing take little and keep nobody out.
const (
	tlsTimeout           = 10 * time.Second
	maxTLSHandshakes     = 256
	maxTLSHandshakesEach = 32 // with one peer
)

// handshakes are those of a listener that are under way.
type tlsHandshakes struct {
	mu  sync.Mutex
	all int
	by  map[netip.Addr]int
}

// begin enters one with a peer, unless there are too many.
func (h *tlsHandshakes) begin(peer netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all >= maxTLSHandshakes || h.by[peer] >= maxTLSHandshakesEach {
		return false
	}
	if h.by == nil {
		h.by = map[netip.Addr]int{}
	}
	h.all++
	h.by[peer]++
	return true
}

func (h *tlsHandshakes) end(peer netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all--
	if h.by[peer]--; h.by[peer] == 0 {
		delete(h.by, peer)
	}
}

// agree queues a stream once TLS, which conn adds to it, is agreed on.
func (l *Listener) handshake(in incoming, conn *tls.Conn) {
	peer := in.src.Addr()
	if !l.tlsHandshakes.begin(peer) {
		in.conn.Close()
		return
	}
	safely.Go(func() {
		defer l.tlsHandshakes.end(peer)
		err := safely.Do(func() error {
			ctx, cancel := context.WithTimeout(l.ctx, tlsTimeout)
			defer cancel()
			return conn.HandshakeContext(ctx)
		})
		if err != nil {
			l.node.log(Debug, l.node.redact("TLS with "+in.src.String()+": "+err.Error()))
			in.conn.Close()
			return
		}
		in.conn = conn
		l.enqueue(in)
	}, func(error) { in.conn.Close() })
}
