package sandbox

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	"tailscale.com/net/socks5"
	"tailscale.com/tsnet"
)

// openSOCKS5 serves a proxy on a loopback port, by which programs of this machine dial as the peer's node. It ends with
// the process, and refuses while the peer is stopped.
func (p *peer) openSOCKS5() (netip.AddrPort, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	proxy := &socks5.Server{Logf: p.logf, Dialer: p.dial}
	go proxy.Serve(listener)
	return listener.Addr().(*net.TCPAddr).AddrPort(), nil
}

// dial connects by the tailnet, or not at all. It does not keep to the proxy's deadline, which is short for a busy machine.
func (p *peer) dial(_ context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), joinTimeout)
	defer cancel()
	p.mu.Lock()
	server, name := p.server, p.info.Name
	p.mu.Unlock()
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	switch {
	case err != nil:
		return nil, err
	case network != "tcp":
		return nil, fmt.Errorf("the proxy does not carry %s", network)
	case server == nil:
		return nil, errStopped
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		if !strings.Contains(host, ".") {
			_, domain, _ := strings.Cut(name, ".")
			host += "." + domain
		}
		if ip, err = lookUp(ctx, server, host); err != nil {
			return nil, err
		}
	}
	dialer := server.Sys().Dialer.Get()
	if !dialer.UseNetstackForIP(ip.Unmap()) {
		return nil, fmt.Errorf("%s is not in the tailnet", ip)
	}
	return dialer.NetstackDialTCP(ctx, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
}

// lookUp asks the node's own resolver for a name.
func lookUp(ctx context.Context, server *tsnet.Server, name string) (netip.Addr, error) {
	client, err := server.LocalClient()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, kind := range []string{"A", "AAAA"} {
		answer, _, err := client.QueryDNS(ctx, name, kind)
		if err != nil {
			return netip.Addr{}, err
		}
		var message dnsmessage.Message
		if err := message.Unpack(answer); err != nil {
			return netip.Addr{}, err
		}
		for _, record := range message.Answers {
			switch body := record.Body.(type) {
			case *dnsmessage.AResource:
				return netip.AddrFrom4(body.A), nil
			case *dnsmessage.AAAAResource:
				return netip.AddrFrom16(body.AAAA), nil
			}
		}
	}
	return netip.Addr{}, fmt.Errorf("no node is named %q", name)
}
