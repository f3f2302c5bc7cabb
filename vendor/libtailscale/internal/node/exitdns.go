package node

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"tailscale.com/ipn/ipnstate"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// exitDNSTimeout is longer than an exit node gives itself for an answer, which is five seconds.
const exitDNSTimeout = 6 * time.Second

// mediaType is that of a question and of an answer (RFC 8484, section 6).
const mediaType = "application/dns-message"

// exitDNS is where the chosen exit node answers DNS: a port of its own on its address in the tailnet, by HTTP.
type exitDNS struct {
	name string // the node's
	api  netip.AddrPort
}

// exitDNSOf gives where the exit node answers, if one is chosen that does.
func exitDNSOf(status *ipnstate.Status) (exit exitDNS) {
	for _, peer := range status.Peer {
		if !peer.ExitNode {
			continue
		}
		for _, text := range peer.PeerAPIURL {
			if at, err := url.Parse(text); err == nil {
				if api, err := netip.ParseAddrPort(at.Host); err == nil {
					return exitDNS{name: peer.HostName, api: api}
				}
			}
		}
	}
	return exitDNS{}
}

func (e exitDNS) isKnown() bool { return e.api.IsValid() }

// ask asks the exit node for the addresses of name, which it looks up where it is (RFC 8484).
func (e exitDNS) ask(ctx context.Context, name dnsname.FQDN, dial func(context.Context, netip.AddrPort) (net.Conn, error)) (ips []netip.Addr, err error) {
	ctx, cancel := context.WithTimeout(ctx, exitDNSTimeout)
	defer cancel()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, e.api) },
	}
	defer transport.CloseIdleConnections()
	ips, err = lookUp(name, func(question []byte) ([]byte, error) { return e.exchange(ctx, transport, question) })
	if err != nil {
		return nil, errs.New(errs.Unreachable, "the exit node %s does not look up %q: %v", e.name, name.WithoutTrailingDot(), err)
	}
	if len(ips) == 0 {
		return nil, errs.New(errs.NoSuchHost, "the exit node %s knows no address of %q", e.name, name.WithoutTrailingDot())
	}
	return ips, nil
}

// exchange carries one question to the exit node.
func (e exitDNS) exchange(ctx context.Context, transport http.RoundTripper, question []byte) (answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.api.String()+"/dns-query", bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Accept", mediaType)
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(io.LimitReader(response.Body, 1<<16)); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errs.New(errs.Unreachable, "%s: %s", response.Status, bytes.TrimSpace(answer[:min(len(answer), 200)]))
	}
	return answer, nil
}
