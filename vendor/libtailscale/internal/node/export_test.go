package node

import (
	"fmt"
	"maps"
	"slices"

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

// MaxSecrets is the most secrets that a node looks for in its log.
const MaxSecrets = maxSecrets

// AddSecret adds a secret as a login does.
func (n *Node) AddSecret(text string) { n.secrets.add(text) }

// Secrets says how many there are.
func (n *Node) Secrets() int { return len(n.secrets.list) }

// Redact is what the log has instead of a line.
func (n *Node) Redact(line string) string { return n.redact(line) }

// ControlServer is the form in which URLs of control servers are compared.
func ControlServer(url string) string { return controlServer(url) }

// JudgedLocalAPI says whether a request of the LocalAPI, by the name of its handler, is among the allowed and the refused.
func JudgedLocalAPI(name string) (allowed, refused bool) {
	_, refused = localAPIRefused[name]
	return localAPIAllowed[name], refused
}

// AllowedLocalAPI are the names of the allowed ones.
func AllowedLocalAPI() []string { return slices.Collect(maps.Keys(localAPIAllowed)) }
