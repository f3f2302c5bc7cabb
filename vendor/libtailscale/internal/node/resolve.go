package node

import (
	"context"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// resolve gives the address of host, an IP address or a name that the tailnet itself knows. It never asks
// a DNS server, neither the host's nor one that the tailnet names.
func (n *Node) resolve(ctx context.Context, host string) (netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" {
			return netip.Addr{}, errs.New(errs.InvalidArgument, "address %s: a zone means nothing in a tailnet", host)
		}
		return ip.Unmap(), nil
	}
	name, err := n.qualify(host)
	if err != nil {
		return netip.Addr{}, err
	}
	unknown := errs.New(errs.NoSuchHost, "the tailnet has no node named %q", host)
	manager, ok := n.server.Sys().DNSManager.GetOK()
	if !ok || len(manager.Resolver().GetUpstreamResolvers(name)) > 0 {
		// Not a name that the node answers for itself: a query would be forwarded.
		return netip.Addr{}, unknown
	}
	for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		query, err := buildQuery(name, kind)
		if err != nil {
			return netip.Addr{}, errs.New(errs.InvalidArgument, "name %q: %v", host, err)
		}
		answer, err := manager.Query(ctx, query, "udp", netip.AddrPort{})
		if err != nil {
			continue // no answer of its own, and nobody to forward to
		}
		if ip, ok := parseAnswer(answer); ok {
			return ip, nil
		}
	}
	return netip.Addr{}, unknown
}

// qualify completes a name of one label with the tailnet's domain.
func (n *Node) qualify(host string) (dnsname.FQDN, error) {
	host = strings.ToLower(host)
	if !strings.Contains(strings.TrimSuffix(host, "."), ".") {
		s, _ := n.state.get()
		_, domain, ok := strings.Cut(s.selfName, ".")
		if !ok {
			return "", errs.New(errs.NoSuchHost, "the tailnet has no domain to look %q up in", host)
		}
		host = strings.TrimSuffix(host, ".") + "." + domain
	}
	name, err := dnsname.ToFQDN(host)
	if err != nil {
		return "", errs.New(errs.InvalidArgument, "name %q: %v", host, err)
	}
	return name, nil
}

func buildQuery(name dnsname.FQDN, kind dnsmessage.Type) ([]byte, error) {
	qname, err := dnsmessage.NewName(name.WithTrailingDot())
	if err != nil {
		return nil, err
	}
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: qname, Type: kind, Class: dnsmessage.ClassINET}},
	}
	return message.Pack()
}

func parseAnswer(answer []byte) (netip.Addr, bool) {
	var message dnsmessage.Message
	if err := message.Unpack(answer); err != nil {
		return netip.Addr{}, false
	}
	for _, record := range message.Answers {
		switch body := record.Body.(type) {
		case *dnsmessage.AResource:
			return netip.AddrFrom4(body.A), true
		case *dnsmessage.AAAAResource:
			return netip.AddrFrom16(body.AAAA), true
		}
	}
	return netip.Addr{}, false
}
