package node

import (
	"fmt"

	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/netstack"
)

// SegmentsSent says how many TCP segments the node has sent.
func (n *Node) SegmentsSent() uint64 { return netstack.SegmentsSent(n.server) }

// NamesCollected says how often the node has collected the names of its tailnet.
func (n *Node) NamesCollected() uint64 {
	n.names.mu.Lock()
	defer n.names.mu.Unlock()
	return n.names.fetched
}

// ServersBesideExit gives the DNS servers for all names, with an exit node chosen that answers none itself and may name
// resolvers.
func ServersBesideExit(config *tailcfg.DNSConfig, resolvers ...*dnstype.Resolver) (shown []string) {
	for _, server := range collectServers(config, exitNode{chosen: true, resolvers: resolvers})["."] {
		shown = append(shown, fmt.Sprint(server))
	}
	return shown
}
