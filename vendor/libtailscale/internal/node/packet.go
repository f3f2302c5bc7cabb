package node

import (
	"context"
	"net"
	"net/netip"
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

// ListenPacket binds a UDP socket to address: "ip:port" with an address of the node's own, or ":port" for both of them.
func (n *Node) ListenPacket(ctx context.Context, address string) (*Packets, error) {
	local, err := parseListenAddress(address)
	if err != nil {
		return nil, err
	}
	if err := n.joined(ctx); err != nil {
		return nil, err
	}
	if err := n.checkOwn(local.Addr()); err != nil {
		return nil, err
	}
	conns, port, err := n.bindUDP(local)
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

// bindUDP binds to one address of the node's or, by the same port, to both.
func (n *Node) bindUDP(local netip.AddrPort) (conns []net.PacketConn, port uint16, err error) {
	addresses := []netip.Addr{local.Addr()}
	if !local.Addr().IsValid() {
		v4, v6 := n.server.TailscaleIPs()
		addresses = []netip.Addr{v4, v6}
	}
	port = local.Port()
	for _, ip := range addresses {
		if !ip.IsValid() {
			continue
		}
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
