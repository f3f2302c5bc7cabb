package node

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/net/tsaddr"
	"tailscale.com/tailcfg"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// names are the tailnet's own records, and the DNS servers that it names for all other names.
type names struct {
	addrs     map[dnsname.FQDN][]netip.Addr // of the nodes, and of the tailnet's own records
	wildcards map[dnsname.FQDN]bool         // nodes that own their subdomains, too
	search    []dnsname.FQDN                // the domains of short names, the tailnet's own first
	servers   map[dnsname.FQDN][]server     // DNS servers by domain, "." for all others; an empty list: only the tailnet's own records count
}

// nameTable holds the newest names. The first look-up after a change of the tailnet collects them anew.
type nameTable struct {
	fetching chan struct{} // holds one token while somebody fetches

	mu      sync.Mutex
	names   names
	of      uint64 // the number of the change that names belongs to
	changes uint64 // counts the changes of the tailnet, from 1
	fetched uint64 // counts
}

func (t *nameTable) init() {
	t.fetching = make(chan struct{}, 1)
	t.changes = 1
}

// changed notes that the tailnet has changed.
func (t *nameTable) changed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes++
}

func (t *nameTable) get() (known names, fresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.names, t.of == t.changes
}

// current gives the newest names; older ones if those answer the question already.
func (t *nameTable) current(ctx context.Context, suffice func(names) bool, barrier func(context.Context) error, fetch func(context.Context) (names, error)) (names, error) {
	known, fresh := t.get()
	if fresh && suffice(known) {
		return known, nil
	}
	// News of a node that has just joined may still be on its way here.
	if err := barrier(ctx); err != nil {
		return names{}, err
	}
	select {
	case t.fetching <- struct{}{}:
		defer func() { <-t.fetching }()
	case <-ctx.Done():
		return names{}, context.Cause(ctx)
	}
	t.mu.Lock()
	known, change := t.names, t.changes // a later change may be missing in what is fetched
	fresh = t.of == change
	t.mu.Unlock()
	if fresh {
		return known, nil
	}
	known, err := fetch(ctx)
	if err != nil {
		return names{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.names, t.of = known, change
	t.fetched++
	return known, nil
}

// candidates gives the full names that name may stand for, in the order in which they are tried.
func (n names) candidates(name dnsname.FQDN, absolute bool) (candidates []dnsname.FQDN) {
	if absolute {
		return []dnsname.FQDN{name}
	}
	for _, domain := range n.search {
		if full, err := dnsname.ToFQDN(name.WithTrailingDot() + domain.WithTrailingDot()); err == nil {
			candidates = append(candidates, full)
		}
	}
	if name.NumLabels() == 1 {
		return append(candidates, name)
	}
	return append([]dnsname.FQDN{name}, candidates...)
}

// get gives the addresses of a full name, and whether the tailnet itself knows the name.
func (n names) get(name dnsname.FQDN) (ips []netip.Addr, known bool) {
	if ip, ok := n.via(name); ok {
		return []netip.Addr{ip}, true
	}
	if ips, known := n.addrs[name]; known {
		return ips, true
	}
	for parent := name.Parent(); parent != ""; parent = parent.Parent() {
		if n.wildcards[parent] {
			return n.addrs[parent], true
		}
	}
	return nil, false
}

// via gives the address that a 4via6 name spells: "192-168-1-2-via-7" is 192.168.1.2 behind site 7.
func (n names) via(name dnsname.FQDN) (ip netip.Addr, ok bool) {
	label, domain, _ := strings.Cut(name.WithoutTrailingDot(), ".")
	own := len(n.search) > 0 && n.search[0].WithoutTrailingDot() == domain
	if domain != "" && !own && !dnsname.HasSuffix(domain, "ts.net") && !dnsname.HasSuffix(domain, "tailscale.net") {
		return netip.Addr{}, false
	}
	v4, site, ok := strings.Cut(label, "-via-")
	if !ok {
		return netip.Addr{}, false
	}
	inside, err := netip.ParseAddr(strings.ReplaceAll(v4, "-", "."))
	if err != nil || !inside.Is4() {
		return netip.Addr{}, false
	}
	number, err := strconv.ParseUint(site, 0, 32)
	if err != nil {
		return netip.Addr{}, false
	}
	route, err := tsaddr.MapVia(uint32(number), netip.PrefixFrom(inside, inside.BitLen()))
	return route.Addr(), err == nil
}

func (n *Node) fetchNames(ctx context.Context) (names, error) {
	status, err := n.status(ctx)
	if err != nil {
		return names{}, errs.Of(ctx, err)
	}
	config := new(tailcfg.DNSConfig) // no network map yet, and so no records
	if netmap := n.backend.NetMapNoPeers(); netmap != nil {
		config = &netmap.DNS
	}
	return collectNames(status, config, exitNodeOf(status, n.backend.NodeBackend())), nil
}

func collectNames(status *ipnstate.Status, config *tailcfg.DNSConfig, exit exitNode) names {
	table := names{
		addrs:     make(map[dnsname.FQDN][]netip.Addr, len(status.Peer)+1),
		wildcards: map[dnsname.FQDN]bool{},
		servers:   collectServers(config, exit),
	}
	table.collectDomains(status, config)
	add := func(node *ipnstate.PeerStatus) {
		fqdn, err := dnsname.ToFQDN(strings.ToLower(node.DNSName))
		if err != nil || len(node.TailscaleIPs) == 0 {
			return
		}
		if _, taken := table.addrs[fqdn]; !taken {
			table.addrs[fqdn] = node.TailscaleIPs
			table.wildcards[fqdn] = node.HasCap(tailcfg.NodeAttrDNSSubdomainResolve)
		}
	}
	if status.Self != nil {
		add(status.Self)
	}
	for _, peer := range status.Peer {
		add(peer)
	}
	table.collectRecords(config.ExtraRecords)
	return table
}

func (n *names) collectDomains(status *ipnstate.Status, config *tailcfg.DNSConfig) {
	if status.CurrentTailnet != nil && status.CurrentTailnet.MagicDNSSuffix != "" {
		if own, err := dnsname.ToFQDN(strings.ToLower(status.CurrentTailnet.MagicDNSSuffix)); err == nil {
			n.search = append(n.search, own)
			if _, taken := n.servers[own]; config.Proxied && !taken {
				n.servers[own] = nil
			}
		}
	}
	for _, domain := range config.Domains {
		if fqdn, err := dnsname.ToFQDN(strings.ToLower(domain)); err == nil && fqdn != "." && !slices.Contains(n.search, fqdn) {
			n.search = append(n.search, fqdn)
		}
	}
}

// collectRecords adds the tailnet's own records. They replace a node's addresses of the same name.
func (n *names) collectRecords(records []tailcfg.DNSRecord) {
	found := map[dnsname.FQDN][]netip.Addr{}
	for _, record := range records {
		if record.Type != "" && record.Type != "A" && record.Type != "AAAA" {
			continue
		}
		fqdn, err := dnsname.ToFQDN(strings.ToLower(record.Name))
		if err != nil {
			continue
		}
		if ip, err := netip.ParseAddr(record.Value); err == nil && !slices.Contains(found[fqdn], ip) {
			found[fqdn] = append(found[fqdn], ip)
		}
	}
	for name, ips := range found {
		slices.SortStableFunc(ips, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() }) // IPv4 first
		n.addrs[name] = ips
	}
}
