package node

import (
	"context"
	"net"
	"net/netip"
	"strconv"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/bridge"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// Stream is a dialled or accepted stream, as the C side gets it.
type Stream struct {
	Conn          *bridge.Conn
	FD            int // the caller's end of the socket pair
	Local, Remote string
}

// Dial connects to address, "host:port", by TCP, through the netstack and by no other way.
func (n *Node) Dial(ctx context.Context, address string) (*Stream, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	if err := n.joined(ctx); err != nil {
		return nil, err
	}
	ip, err := n.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	// This is the gate. tsnet's own Dial would connect to any other address by the host's network.
	if !n.dialer.UseNetstackForIP(ip) {
		return nil, errs.New(errs.NotInTailnet, "%s is not in the tailnet: no node, service or accepted route has it", ip)
	}
	target := netip.AddrPortFrom(ip, port)
	attempt := func(ctx context.Context) (net.Conn, error) { return n.dialer.NetstackDialTCP(ctx, target) }
	dial := attempt
	if n.recent.mayRemember(ip) {
		dial = func(ctx context.Context) (net.Conn, error) { return dialHedged(ctx, attempt) }
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, errs.Of(ctx, err)
	}
	n.recent.met(ip)
	stream, err := n.adopt(conn)
	if err != nil {
		return nil, err
	}
	stream.Local, stream.Remote = conn.LocalAddr().String(), conn.RemoteAddr().String()
	return stream, nil
}

// adopt bridges conn, and makes it end with the node.
func (n *Node) adopt(conn net.Conn) (*Stream, error) {
	stream := &Stream{}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := context.Cause(n.ctx); err != nil {
		conn.Close()
		return nil, err
	}
	var err error
	stream.Conn, stream.FD, err = bridge.New(conn, func() {
		n.mu.Lock()
		delete(n.conns, stream.Conn)
		n.mu.Unlock()
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	n.conns[stream.Conn] = struct{}{}
	return stream, nil
}

func splitAddress(address string) (host string, port uint16, err error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", 0, errs.New(errs.InvalidArgument, "address %q is not host:port", address)
	}
	p, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || p == 0 {
		return "", 0, errs.New(errs.InvalidArgument, "address %q: the port must be a number from 1 to 65535", address)
	}
	return host, uint16(p), nil
}
