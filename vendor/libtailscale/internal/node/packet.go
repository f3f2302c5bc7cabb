package node

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/bridge"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// Packets is a bound UDP socket, as the C side gets it.
type Packets struct {
	*bridge.Datagrams
	FD    int
	Local string
}

// ListenPacket binds a UDP socket to address: "ip:port" with an address of the node's own, "0.0.0.0:port" for its IPv4
// address, or "[::]:port" or ":port" for both of them.
func (n *Node) ListenPacket(ctx context.Context, address string) (*Packets, error) {
	local, err := parseListenAddress(address)
	if err != nil {
		return nil, err
	}
	if err := n.joined(ctx); err != nil {
		return nil, err
	}
	ips, err := n.ownAddresses(local.Addr())
	if err != nil {
		return nil, err
	}
	conns, port, err := n.bindUDP(ips, local.Port())
	for tries := 8; err != nil && local.Port() == 0 && tries > 0 && errs.Of(ctx, err).Code == errs.AddressInUse; tries-- {
		conns, port, err = n.bindUDP(ips, 0) // a port that is free at one address may not be so at the other
	}
	if err != nil {
		return nil, err
	}
	packets := &Packets{Local: shownAddress(netip.AddrPortFrom(local.Addr(), port))}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err = context.Cause(n.ctx); err == nil {
		packets.Datagrams, packets.FD, err = bridge.NewDatagrams(conns, func() { n.forget(packets) })
	}
	if err != nil {
		for _, conn := range conns {
			conn.Close()
		}
		return nil, err
	}
	n.open[packets] = struct{}{}
	return packets, nil
}

// ownAddresses are those of the node's addresses that a socket bound to ip hears.
func (n *Node) ownAddresses(ip netip.Addr) ([]netip.Addr, error) {
	v4, v6 := n.server.TailscaleIPs()
	own := []netip.Addr{ip}
	switch {
	case ip == netip.IPv4Unspecified():
		own = []netip.Addr{v4}
	case !ip.IsValid() || ip.IsUnspecified():
		own = []netip.Addr{v4, v6}
	default:
		if err := n.checkOwn(ip); err != nil {
			return nil, err
		}
	}
	own = slices.DeleteFunc(own, func(ip netip.Addr) bool { return !ip.IsValid() })
	if len(own) == 0 {
		return nil, errs.New(errs.InvalidArgument, "%s: the tailnet gave this node no such address", ip)
	}
	return own, nil
}

// bindUDP binds to the node's addresses, by the same port.
func (n *Node) bindUDP(ips []netip.Addr, port uint16) (conns []net.PacketConn, _ uint16, err error) {
	for _, ip := range ips {
		conn, err := n.server.ListenPacket("udp", netip.AddrPortFrom(ip, port).String())
		if err != nil {
			for _, other := range conns {
				other.Close()
			}
			// gVisor and tsnet have only words for it.
			if text := err.Error(); strings.Contains(text, "in use") || strings.Contains(text, "already open") {
				return nil, 0, errs.New(errs.AddressInUse, "UDP port %d is in use by another socket of this node", port)
			}
			return nil, 0, errs.Of(context.Background(), err)
		}
		conns = append(conns, conn)
		port = addrPortOf(conn.LocalAddr()).Port()
	}
	return conns, port, nil
}

// Contains fails unless ip is an address of the tailnet, to which a datagram can go.
func (n *Node) Contains(ip netip.Addr) error {
	if !n.state.running.Load() {
		return errs.New(errs.NotRunning, "the node has not joined its tailnet")
	}
	return n.gate(ip)
}
