// Package pingfilter drops the pings that a node would pass on to the host's network. To an address that is in a route of
// the node's and not its own, Tailscale's netstack answers for the subnet: it runs the host's ping command.
package pingfilter

import (
	"tailscale.com/net/packet"
	"tailscale.com/net/tsaddr"
	"tailscale.com/net/tstun"
	"tailscale.com/wgengine/filter"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// Install has tun drop such pings from now on. It must come before tun carries packets, which read the hook without a lock.
func Install(tun *tstun.Wrapper) {
	tun.PreFilterPacketInboundFromWireGuard = before(tun.PreFilterPacketInboundFromWireGuard)
}

// before gives a hook that runs next, which may be nil, for each packet that is not dropped.
func before(next tstun.FilterFunc) tstun.FilterFunc {
	return func(p *packet.Parsed, tun *tstun.Wrapper) (response filter.Response) {
		defer func() {
			if panicked := recover(); panicked != nil {
				safely.Recovered(panicked)
				response = filter.Drop
			}
		}()
		if leaves(p) {
			return filter.DropSilently
		}
		if next == nil {
			return filter.Accept
		}
		return next(p, tun)
	}
}

var viaRange = tsaddr.TailscaleViaRange()

// leaves reports whether the netstack would pass the packet on to the host's ping command. The addresses of nodes and services
// are Tailscale's, and are answered by the netstack itself. The destination of a masqueraded node is its own address by now.
// A 4via6 address, although Tailscale's, stands for one in a subnet.
func leaves(p *packet.Parsed) bool {
	if !p.IsEchoRequest() {
		return false
	}
	to := p.Dst.Addr()
	return !tsaddr.IsTailscaleIP(to) || viaRange.Contains(to)
}
