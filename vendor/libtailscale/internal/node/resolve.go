package node

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"strings"

	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// maxAliases is how many DNS servers may send a look-up on, as a bound for loops.
const maxAliases = 8

// resolve gives the addresses of host, an IP address or a name, IPv4 first. Names are those that the tailnet itself
// knows, and those for which it names a DNS server that is in the tailnet as well, the chosen exit node among them. No
// other server is asked, neither the host's nor one outside: not even the node's own resolver, which would forward what
// it does not know. NAMES.md beside this says what is alike in Tailscale's own programs, and what is not.
func (n *Node) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" {
			return nil, errs.New(errs.InvalidArgument, "address %s: a zone means nothing in a tailnet", host)
		}
		return []netip.Addr{ip.Unmap()}, nil
	}
	name, err := dnsname.ToFQDN(strings.ToLower(host))
	if err != nil {
		return nil, errs.New(errs.InvalidArgument, "name %q: %v", host, err)
	}
	absolute := strings.HasSuffix(host, ".")
	first := func(known names) bool {
		_, knows := known.get(known.candidates(name, absolute)[0])
		return knows
	}
	known, err := n.names.current(ctx, first, n.barrier, n.fetchNames)
	if err != nil {
		return nil, err
	}
	var failed, unknown error
	for _, candidate := range known.candidates(name, absolute) {
		ips, err := n.find(ctx, known, candidate)
		if err == nil {
			return ips, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			e := errs.Of(ctx, cause)
			if e.Code == errs.Timeout {
				e = errs.New(e.Code, "%v", err) // says which server was silent
			}
			return nil, e
		}
		missing := errs.Of(ctx, err).Code == errs.NoSuchHost
		switch {
		case !missing && candidate == name:
			return nil, err // what it may stand for otherwise would be another's address while its own server is down
		case !missing:
			failed = cmp.Or(failed, err)
		case candidate == name:
			unknown = err
		}
	}
	return nil, cmp.Or(failed, unknown)
}

// find gives the addresses of a full name.
func (n *Node) find(ctx context.Context, known names, name dnsname.FQDN) ([]netip.Addr, error) {
	for range maxAliases {
		if ips, ok := known.get(name); ok {
			return ips, nil
		}
		servers := n.inTailnetServers(known.serversFor(name))
		if len(servers) == 0 {
			break
		}
		found, err := lookUp(ctx, n.dialDNS, name, servers)
		if err != nil {
			return nil, errs.New(errs.Unreachable, "cannot look up %q: %v", name.WithoutTrailingDot(), err)
		}
		if len(found.ips) > 0 {
			return found.ips, nil
		}
		if found.none {
			return nil, errs.New(errs.NoSuchHost, "%s knows no name %q (NXDOMAIN)", found.by, name.WithoutTrailingDot())
		}
		if found.alias == "" {
			return nil, errs.New(errs.NoSuchHost, "%s knows no address of %q", found.by, name.WithoutTrailingDot())
		}
		name = found.alias
	}
	return nil, errs.New(errs.NoSuchHost, "the tailnet knows no address of %q", name.WithoutTrailingDot())
}

// serversFor gives the servers of the longest domain that name is in. A name of one label is never looked up by an exit
// node, whose network has nothing to do with it.
func (n names) serversFor(name dnsname.FQDN) (servers []server) {
	if name == "onion." || dnsname.FQDN("onion.").Contains(name) { // RFC 7686
		return nil
	}
	servers = n.servers["."]
	for domain := name; domain != ""; domain = domain.Parent() {
		if own, ok := n.servers[domain]; ok {
			servers = own
			break
		}
	}
	if len(servers) == 1 && name.NumLabels() == 1 {
		if byHTTP, ok := servers[0].(httpServer); ok && byHTTP.exit != "" {
			return nil
		}
	}
	return servers
}

// inTailnetServers keeps the servers that pass the gate.
func (n *Node) inTailnetServers(servers []server) (passed []server) {
	for _, server := range servers {
		if n.gate(server.address().Addr()) == nil {
			passed = append(passed, server)
		}
	}
	return passed
}

// dialDNS connects to a DNS server, which has passed the gate.
func (n *Node) dialDNS(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error) {
	if network == "udp" {
		n.awaitNewcomerHandshake(ctx, server.Addr())
		return n.dialer.NetstackDialUDP(ctx, server)
	}
	return n.dialAddress(ctx, server)
}
