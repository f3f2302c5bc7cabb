// Package peerdns refuses the DNS queries of peers. Tailscale's PeerAPI would pass them on to the host's DNS server: always
// those of peers that have the same owner as the node, as all nodes with tags have, and those of every peer with access to
// the Internet where the node advertises an exit node's routes.
package peerdns

import (
	"net/http"
	_ "unsafe" // go:linkname

	"tailscale.com/ipn/ipnlocal"
)

// path is the PeerAPI's path for DNS queries; paths below it count too.
const path = "/dns-query"

// handlers are the PeerAPI's by the beginning of the path, which it asks before it answers a DNS query itself.
// RegisterPeerAPIHandler adds to them only what ends with a slash.
//
//go:linkname handlers tailscale.com/ipn/ipnlocal.peerAPIHandlerPrefixes
var handlers map[string]func(ipnlocal.PeerAPIHandler, http.ResponseWriter, *http.Request)

func init() {
	handlers[path] = func(h ipnlocal.PeerAPIHandler, w http.ResponseWriter, r *http.Request) { Answer(h, w, r) }
}

// Answer is what peers get. It is a variable for tests only, whose exit nodes run in this process too.
var Answer = func(_ ipnlocal.PeerAPIHandler, w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "this node resolves no names for its peers", http.StatusForbidden)
}
