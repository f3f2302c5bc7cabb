package node

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// raceAfter is how long an address may stay silent before the next one of the name is tried beside it (RFC 8305).
const raceAfter = 250 * time.Millisecond

// Dial connects to address, "host:port", by TCP, through the netstack and by no other way.
func (n *Node) Dial(ctx context.Context, address string) (stream *Stream, err error) {
	n.counters.Dials.Add(1)
	defer func() {
		if err != nil {
			n.counters.DialFailures.Add(1)
		}
	}()
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	ips, err := n.addressesOf(ctx, host)
	if err != nil {
		return nil, err
	}
	conn, err := n.dialFirst(ctx, ips, port)
	if err != nil {
		return nil, errs.Of(ctx, err)
	}
	return n.adopt(conn, addrPortOf(conn.LocalAddr()), addrPortOf(conn.RemoteAddr()))
}

// Resolve gives the addresses that a dial of host would go to, as JSON.
func (n *Node) Resolve(ctx context.Context, host string) ([]byte, error) {
	ips, err := n.addressesOf(ctx, host)
	if err != nil {
		return nil, err
	}
	return json.Marshal(ips)
}

// addressesOf gives the addresses of host that are in the tailnet, of which there must be one.
func (n *Node) addressesOf(ctx context.Context, host string) ([]netip.Addr, error) {
	if err := n.joined(ctx); err != nil {
		return nil, err
	}
	ips, err := n.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	return n.inTailnet(ips)
}

// gate fails unless the tailnet has ip: a node, a service, an accepted subnet route or a chosen exit node.
// tsnet's own Dial would connect to any other address by the host's network.
func (n *Node) gate(ip netip.Addr) error {
	if !n.dialer.UseNetstackForIP(ip) {
		return errs.New(errs.NotInTailnet, "%s is not in the tailnet: no node, service or accepted route has it", ip)
	}
	return nil
}

// inTailnet keeps the addresses that pass the gate, of which there must be one.
func (n *Node) inTailnet(ips []netip.Addr) (passed []netip.Addr, err error) {
	for _, ip := range ips {
		if refused := n.gate(ip); refused == nil {
			passed = append(passed, ip)
		} else if err == nil {
			err = refused
		}
	}
	if len(passed) > 0 {
		return passed, nil
	}
	return nil, err
}

// dialFirst dials the addresses in their order, the next one when one has failed or stays silent. The first to answer
// wins.
func (n *Node) dialFirst(ctx context.Context, ips []netip.Addr, port uint16) (net.Conn, error) {
	attempts := make([]func(context.Context) (net.Conn, error), len(ips))
	for i, ip := range ips {
		attempts[i] = func(ctx context.Context) (net.Conn, error) {
			conn, err := n.dialAddress(ctx, netip.AddrPortFrom(ip, port))
			if err != nil {
				return nil, errs.Of(ctx, err)
			}
			return conn, nil
		}
	}
	return race(ctx, raceAfter, func(late net.Conn) { late.Close() }, attempts...)
}

// dialAddress dials one address, which has passed the gate.
func (n *Node) dialAddress(ctx context.Context, target netip.AddrPort) (net.Conn, error) {
	n.awaitNewcomerHandshake(ctx, target.Addr())
	attempt := func(ctx context.Context) (net.Conn, error) { return n.dialer.NetstackDialTCP(ctx, target) }
	dial := attempt
	if n.recentlySeen.has(target.Addr()) {
		dial = func(ctx context.Context) (net.Conn, error) { return dialHedged(ctx, attempt) }
	}
	conn, err := dial(ctx)
	if err == nil {
		n.recentlySeen.add(target.Addr())
	}
	return conn, err
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
