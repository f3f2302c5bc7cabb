package node

import (
	"context"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/bridge"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"
)

// Stream is a dialled or accepted stream, as the C side gets it.
type Stream struct {
	*bridge.Conn
	FD            int            // the caller's end of the socket pair
	Local, Remote netip.AddrPort // as the stream's user is to see them
	ALPN          string         // the protocol that TLS agreed on, or empty

	node *Node
}

// abortable is what ends with its node.
type abortable interface{ Abort(why errs.Code) }

// adopt bridges conn, and makes it end with the node.
func (n *Node) adopt(conn net.Conn, local, remote netip.AddrPort) (*Stream, error) {
	stream := &Stream{Local: local, Remote: remote, node: n}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := context.Cause(n.ctx); err != nil {
		conn.Close()
		return nil, err
	}
	var err error
	stream.Conn, stream.FD, err = bridge.New(n.buffers.track(conn), &n.counters.Bytes, func() {
		n.forget(stream)
		n.counters.OpenStreams.Add(-1)
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	n.open[stream] = struct{}{}
	n.counters.OpenStreams.Add(1)
	return stream, nil
}

func (n *Node) forget(o abortable) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, o)
}

// Reset ends the stream at once; the peer is told by a reset.
func (s *Stream) Reset() {
	if endpoint := netstack.FindTCP(s.node.server, s.NetLocal(), s.NetRemote()); endpoint != nil {
		endpoint.Abort()
	}
	s.Abort(errs.Reset)
}

// SetKeepAlive has the netstack ask a silent peer for a sign of life after idle, and then every idle/3 (a second at
// the least), until nine questions stayed without an answer; 0 asks for none.
func (s *Stream) SetKeepAlive(idle time.Duration) error {
	endpoint := netstack.FindTCP(s.node.server, s.NetLocal(), s.NetRemote())
	if endpoint == nil {
		return errs.New(errs.Closed, "the stream has ended")
	}
	endpoint.SocketOptions().SetKeepAlive(idle > 0)
	if idle == 0 {
		return nil
	}
	first, interval := tcpip.KeepaliveIdleOption(idle), tcpip.KeepaliveIntervalOption(max(idle/3, time.Second))
	for _, option := range []tcpip.SettableSocketOption{&first, &interval} {
		if err := endpoint.SetSockOpt(option); err != nil {
			return errs.New(errs.Internal, "keepalive: %v", err)
		}
	}
	return nil
}

// addrPortOf is the address of a connection's end; one that has no address gives the zero value.
func addrPortOf(addr net.Addr) netip.AddrPort {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	ap, _ := netip.ParseAddrPort(addr.String())
	return ap
}
