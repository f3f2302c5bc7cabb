package node

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

const (
	defaultBacklog = 128

	// The ports from which port 0 takes one, as the netstack's own for dials end at 65535 and begin at 16000.
	firstFreePort = 49152
	freePorts     = 1<<16 - firstFreePort
)

// Listener takes streams from other nodes. tsnet's own listeners do not say who a stream comes from before
// its handshake is over, and drop one that waits for a second; these know from the first packet, and
// refuse it at once when too many wait.
type Listener struct {
	node   *Node
	local  netip.AddrPort // its address is not valid for all of the node's
	queue  chan incoming
	ctx    context.Context // ends with the listener
	cancel context.CancelCauseFunc
}

// incoming is a stream that waits to be accepted.
type incoming struct {
	conn     net.Conn
	src, dst netip.AddrPort
}

// listeners are those of one node, by port.
type listeners struct {
	mu     sync.Mutex
	byPort map[uint16][]*Listener
}

// find gives the listener for a stream to dst.
func (l *listeners) find(dst netip.AddrPort) *Listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, listener := range l.byPort[dst.Port()] {
		if !listener.local.Addr().IsValid() || listener.local.Addr() == dst.Addr() {
			return listener
		}
	}
	return nil
}

// add enters the listener, whose port it chooses when that is 0.
func (l *listeners) add(listener *Listener) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	port := listener.local.Port()
	if port == 0 {
		first := rand.IntN(freePorts)
		for i := range freePorts {
			port = uint16(firstFreePort + (first+i)%freePorts)
			if len(l.byPort[port]) == 0 {
				break
			}
		}
		listener.local = netip.AddrPortFrom(listener.local.Addr(), port)
	}
	for _, other := range l.byPort[port] {
		a, b := listener.local.Addr(), other.local.Addr()
		if !a.IsValid() || !b.IsValid() || a == b {
			return errs.New(errs.AddressInUse, "port %d is in use by another listener of this node", port)
		}
	}
	l.byPort[port] = append(l.byPort[port], listener)
	return nil
}

func (l *listeners) remove(listener *Listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	port := listener.local.Port()
	for i, other := range l.byPort[port] {
		if other == listener {
			l.byPort[port] = append(l.byPort[port][:i:i], l.byPort[port][i+1:]...)
		}
	}
	if len(l.byPort[port]) == 0 {
		delete(l.byPort, port)
	}
}

// Listen listens on address, "ip:port" or ":port". backlog is how many streams may wait (0: the default).
func (n *Node) Listen(ctx context.Context, address string, backlog int) (*Listener, error) {
	local, err := parseListenAddress(address)
	if err != nil {
		return nil, err
	}
	if err := n.joined(ctx); err != nil {
		return nil, err
	}
	if ip := local.Addr(); ip.IsValid() {
		if v4, v6 := n.server.TailscaleIPs(); ip != v4 && ip != v6 {
			return nil, errs.New(errs.InvalidArgument, "%s is not an address of this node, which has %s and %s", ip, v4, v6)
		}
	}
	if backlog <= 0 {
		backlog = defaultBacklog
	}
	l := &Listener{node: n, local: local, queue: make(chan incoming, backlog)}
	l.ctx, l.cancel = context.WithCancelCause(n.ctx)
	if err := n.listeners.add(l); err != nil {
		return nil, err
	}
	context.AfterFunc(l.ctx, l.end)
	return l, nil
}

func parseListenAddress(address string) (netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, errs.New(errs.InvalidArgument, "address %q is not ip:port or :port", address)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return netip.AddrPort{}, errs.New(errs.InvalidArgument, "address %q: the port must be a number up to 65535", address)
	}
	var ip netip.Addr
	if host != "" {
		if ip, err = netip.ParseAddr(host); err != nil {
			return netip.AddrPort{}, errs.New(errs.InvalidArgument, "address %q: %q is not an IP address", address, host)
		}
		if ip = ip.Unmap(); ip.IsUnspecified() {
			ip = netip.Addr{}
		}
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

// incoming says who takes a stream that another node begins: tsnet.FallbackTCPHandler.
func (n *Node) incoming(src, dst netip.AddrPort) (handler func(net.Conn), intercept bool) {
	if v4, v6 := n.server.TailscaleIPs(); dst.Addr() != v4 && dst.Addr() != v6 {
		return nil, false // for a subnet that this node routes
	}
	l := n.listeners.find(dst)
	if l == nil || len(l.queue) == cap(l.queue) {
		return nil, false // refused
	}
	return func(conn net.Conn) {
		select {
		case l.queue <- incoming{conn, src, dst}:
			if l.ctx.Err() != nil {
				l.drain()
			}
		default:
			conn.Close() // others came first
		}
	}, true
}

// Context ends with the listener.
func (l *Listener) Context() context.Context { return l.ctx }

// Addr is where it listens.
func (l *Listener) Addr() string {
	if l.local.Addr().IsValid() {
		return l.local.String()
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), l.local.Port()).String()
}

// Accept waits for a stream.
func (l *Listener) Accept(ctx context.Context) (*Stream, error) {
	select {
	case in := <-l.queue:
		stream, err := l.node.adopt(in.conn)
		if err != nil {
			return nil, err
		}
		stream.Local, stream.Remote = in.dst.String(), in.src.String()
		return stream, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close ends the listener and the streams that nobody has accepted.
func (l *Listener) Close() { l.cancel(errs.New(errs.Closed, "the listener was closed")) }

func (l *Listener) end() {
	l.node.listeners.remove(l)
	l.drain()
}

func (l *Listener) drain() {
	for {
		select {
		case in := <-l.queue:
			in.conn.Close()
		default:
			return
		}
	}
}
