package node

import (
	"context"
	"net/netip"
	"strings"
	"sync"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// resolve gives the addresses of host, an IP address or a name, IPv4 first. Names are those that the tailnet itself
// knows, those for which it names a DNS server that is in the tailnet as well, and those that the chosen exit node looks
// up. No other server is asked, neither the host's nor one outside: not even the node's own resolver, which would forward
// what it does not know.
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
	known, err := n.names.lookup(ctx, name, n.fetchNames)
	if err != nil {
		return nil, err
	}
	if ips := known.get(name); len(ips) > 0 {
		return ips, nil
	}
	servers, others := known.serversFor(name)
	if servers, err := n.inTailnetServers(servers); err == nil {
		return ask(ctx, name, servers, n.dialer.NetstackDialTCP)
	}
	if others && known.exit.isKnown() && !known.isOfNodes(name) {
		return known.exit.ask(ctx, name, n.dialer.NetstackDialTCP)
	}
	return nil, errs.New(errs.NoSuchHost, "the tailnet knows no address of %q", host)
}

// nameTable is what MagicDNS would answer: the names of the nodes and the tailnet's own records. It is
// made when it is first asked after a change of the tailnet.
type nameTable struct {
	fetching chan struct{} // holds one token while somebody fetches

	mu      sync.Mutex
	names   names
	version uint64 // counts what was fetched
	stale   bool   // the tailnet has changed since
}

type names struct {
	addrs   map[dnsname.FQDN][]netip.Addr
	domain  string                            // of short names
	servers map[dnsname.FQDN][]netip.AddrPort // DNS servers by domain, "." for all others
	exit    exitDNS                           // asked for what they do not serve
}

func (t *nameTable) init() {
	t.fetching = make(chan struct{}, 1)
	t.stale = true
}

// changed says that the tailnet has.
func (t *nameTable) changed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stale = true
}

func (t *nameTable) get() (known names, version uint64, stale bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.names, t.version, t.stale
}

// lookup gives the names as they are now, or as they were if name is among them.
func (t *nameTable) lookup(ctx context.Context, name dnsname.FQDN, fetch func(context.Context) (names, error)) (names, error) {
	known, seen, stale := t.get()
	if !stale && len(known.get(name)) > 0 {
		return known, nil
	}
	// News of a node that has just joined may still be on its way here, so a miss asks again as well.
	select {
	case t.fetching <- struct{}{}:
		defer func() { <-t.fetching }()
	case <-ctx.Done():
		return names{}, context.Cause(ctx)
	}
	if known, version, stale := t.get(); version != seen && !stale {
		return known, nil // somebody else has asked meanwhile
	}
	t.mu.Lock()
	t.stale = false // a change from here on may not be in what is fetched
	t.mu.Unlock()
	known, err := fetch(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.stale = true
		return names{}, err
	}
	t.names = known
	t.version++
	return known, nil
}

func (n names) get(name dnsname.FQDN) []netip.Addr {
	if name.NumLabels() == 1 && n.domain != "" {
		name = dnsname.FQDN(name.WithTrailingDot() + n.domain + ".")
	}
	return n.addrs[name]
}

// isOfNodes is whether only a node of the tailnet can have the name.
func (n names) isOfNodes(name dnsname.FQDN) bool {
	return name.NumLabels() == 1 || n.domain != "" && dnsname.FQDN(n.domain+".").Contains(name)
}

func (n *Node) fetchNames(ctx context.Context) (names, error) {
	status, err := n.status(ctx)
	if err != nil {
		return names{}, errs.Of(ctx, err)
	}
	config, err := n.local.DNSConfig(ctx)
	if err != nil {
		config = new(tailcfg.DNSConfig) // no network map yet, and so no records
	}
	return collectNames(status, config), nil
}

func collectNames(status *ipnstate.Status, config *tailcfg.DNSConfig) names {
	exit := exitDNSOf(status)
	table := names{
		addrs:   make(map[dnsname.FQDN][]netip.Addr, len(status.Peer)+1),
		servers: collectServers(config, exit.isKnown()),
		exit:    exit,
	}
	if status.CurrentTailnet != nil {
		table.domain = status.CurrentTailnet.MagicDNSSuffix
	}
	add := func(name string, ips ...netip.Addr) {
		if fqdn, err := dnsname.ToFQDN(strings.ToLower(name)); err == nil && len(ips) > 0 {
			if _, taken := table.addrs[fqdn]; !taken {
				table.addrs[fqdn] = ips
			}
		}
	}
	if status.Self != nil {
		add(status.Self.DNSName, status.Self.TailscaleIPs...)
	}
	for _, peer := range status.Peer {
		add(peer.DNSName, peer.TailscaleIPs...)
	}
	for _, record := range config.ExtraRecords {
		switch record.Type {
		case "", "A", "AAAA":
			if ip, err := netip.ParseAddr(record.Value); err == nil {
				add(record.Name, ip)
			}
		}
	}
	return table
}
