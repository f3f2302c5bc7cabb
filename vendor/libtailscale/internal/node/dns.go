package node

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// dnsTimeout is how long one server may take.
const dnsTimeout = 5 * time.Second

// collectServers gives the DNS servers that the tailnet names: by domain (split DNS), and for everything else; with an
// exit node only those that are meant to be used beside it. Servers that are asked by other ways than DNS itself, such
// as HTTPS, are left out.
func collectServers(config *tailcfg.DNSConfig, exitNode bool) map[dnsname.FQDN][]netip.AddrPort {
	servers := map[dnsname.FQDN][]netip.AddrPort{".": addresses(config.Resolvers, exitNode)}
	for domain, resolvers := range config.Routes {
		fqdn, err := dnsname.ToFQDN(domain)
		if err != nil {
			continue
		}
		found := addresses(resolvers, exitNode)
		if exitNode && len(found) == 0 && len(resolvers) > 0 {
			continue // none that may be used beside it
		}
		servers[fqdn] = found
	}
	return servers
}

func addresses(resolvers []*dnstype.Resolver, exitNode bool) (found []netip.AddrPort) {
	for _, resolver := range resolvers {
		if exitNode && !resolver.UseWithExitNode {
			continue
		}
		if address, ok := resolver.IPPort(); ok {
			found = append(found, address)
		}
	}
	return found
}

// serversFor gives the servers of the longest domain that name is in, and whether they are those of all other names.
func (n names) serversFor(name dnsname.FQDN) (servers []netip.AddrPort, others bool) {
	for domain := name; domain != ""; domain = domain.Parent() {
		if servers, ok := n.servers[domain]; ok {
			return servers, domain == "."
		}
	}
	return n.servers["."], true
}

// inTailnetServers keeps the servers that pass the gate, of which there must be one.
func (n *Node) inTailnetServers(servers []netip.AddrPort) (passed []netip.AddrPort, err error) {
	for _, server := range servers {
		if n.gate(server.Addr()) == nil {
			passed = append(passed, server)
		}
	}
	if len(passed) == 0 {
		return nil, errs.New(errs.NotInTailnet, "no DNS server of the tailnet is in it")
	}
	return passed, nil
}

// ask asks the servers for the addresses of name, one after the other until one has answered. It asks by TCP, which
// every server speaks (RFC 7766) and which needs no second try for a long answer.
func ask(ctx context.Context, name dnsname.FQDN, servers []netip.AddrPort, dial func(context.Context, netip.AddrPort) (net.Conn, error)) (ips []netip.Addr, err error) {
	for _, server := range servers {
		ips, err = askOne(ctx, name, server, dial)
		switch {
		case err == nil && len(ips) > 0:
			return ips, nil
		case err == nil:
			return nil, errs.New(errs.NoSuchHost, "the tailnet's DNS server %s knows no address of %q", server, name.WithoutTrailingDot())
		case context.Cause(ctx) != nil:
			return nil, errs.Of(ctx, err)
		}
	}
	return nil, errs.New(errs.Unreachable, "no DNS server of the tailnet answers for %q: %v", name.WithoutTrailingDot(), err)
}

func askOne(ctx context.Context, name dnsname.FQDN, server netip.AddrPort, dial func(context.Context, netip.AddrPort) (net.Conn, error)) (ips []netip.Addr, err error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	conn, err := dial(ctx, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return lookUp(name, func(question []byte) ([]byte, error) { return exchange(conn, question) })
}

// exchange carries one question over conn (RFC 1035, section 4.2.2).
func exchange(conn io.ReadWriter, question []byte) (answer []byte, err error) {
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(question)))
	if _, err := conn.Write(append(framed, question...)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	answer = make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err = io.ReadFull(conn, answer)
	return answer, err
}

// lookUp asks for the addresses of name of both kinds, by an exchange for each.
func lookUp(name dnsname.FQDN, exchange func(question []byte) (answer []byte, err error)) (ips []netip.Addr, err error) {
	qname, err := dnsmessage.NewName(name.WithTrailingDot())
	if err != nil {
		return nil, err
	}
	for id, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		message := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: uint16(id), RecursionDesired: true},
			Questions: []dnsmessage.Question{{Name: qname, Type: kind, Class: dnsmessage.ClassINET}},
		}
		question, err := message.Pack()
		if err != nil {
			return nil, err
		}
		answer, err := exchange(question)
		if err != nil {
			return nil, err
		}
		found, err := answeredAddresses(answer, uint16(id))
		if err != nil {
			return nil, err
		}
		ips = append(ips, found...)
	}
	return ips, nil
}

// answeredAddresses reads an answer; a name that does not exist has no address.
func answeredAddresses(answer []byte, id uint16) (ips []netip.Addr, err error) {
	var message dnsmessage.Message
	if err := message.Unpack(answer); err != nil {
		return nil, err
	}
	switch {
	case message.ID != id || !message.Response:
		return nil, errs.New(errs.Internal, "the answer is to another question")
	case message.RCode == dnsmessage.RCodeNameError:
		return nil, nil
	case message.RCode != dnsmessage.RCodeSuccess:
		return nil, errs.New(errs.Internal, "the server says %v", message.RCode)
	}
	for _, record := range message.Answers {
		switch body := record.Body.(type) {
		case *dnsmessage.AResource:
			ips = append(ips, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			ips = append(ips, netip.AddrFrom16(body.AAAA))
		}
	}
	return ips, nil
}
