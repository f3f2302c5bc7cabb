package node

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"net/url"
	"os"
	"time"

	"tailscale.com/ipn"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/knobs"
)

// Netcheck gives the node's newest check of the network around it, as JSON of Go's netcheck.Report. The node makes one
// when it starts and when the network changes, and every half minute while it has peers.
func (n *Node) Netcheck(ctx context.Context) ([]byte, error) {
	if err := n.running(ctx); err != nil {
		return nil, err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if report := n.server.Sys().MagicSock.Get().GetLastNetcheckReport(ctx); report != nil {
			return json.Marshal(report)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errs.Of(ctx, context.Cause(ctx))
		}
	}
}

// controlURL is where the control server is.
func controlURL(c Config) *url.URL {
	control, err := url.Parse(cmp.Or(c.ControlURL, os.Getenv("TS_CONTROL_URL"), ipn.DefaultControlURL))
	if err != nil {
		return new(url.URL)
	}
	return control
}

// wayToControl says what may keep the node from the control server, for the end of a sentence.
func (n *Node) wayToControl() string {
	n.mu.Lock()
	control := controlURL(*n.config)
	n.mu.Unlock()
	if networkIsDown() && !knobs.IsOnThisMachine(control) {
		return ": no network interface is up but loopback"
	}
	if proxy := knobs.ProxyTo(control); proxy != "" {
		return " by the proxy " + proxy + ", which the environment names"
	}
	return ""
}

// networkIsDown is whether no interface has an address but the loopback one.
func networkIsDown() bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, address := range addresses {
		prefix, err := netip.ParsePrefix(address.String())
		if err == nil && !prefix.Addr().IsLoopback() && !prefix.Addr().IsLinkLocalUnicast() {
			return false
		}
	}
	return true
}
