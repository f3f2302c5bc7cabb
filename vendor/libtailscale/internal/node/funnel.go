package node

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"tailscale.com/ipn"
	"tailscale.com/tsnet"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

// checkHTTPS fails unless the tailnet gives its nodes certificates.
func (n *Node) checkHTTPS(ctx context.Context) error {
	status, err := n.local.StatusWithoutPeers(ctx)
	if err != nil {
		return errs.Of(ctx, err)
	}
	if len(status.CertDomains) == 0 {
		return errs.New(errs.NotAllowed, "the tailnet gives its nodes no certificates: enable MagicDNS and HTTPS for it")
	}
	return nil
}

// listenFunnel takes streams from the Internet, which Tailscale's servers hand on, and from the tailnet unless only
// is set. tsnet has no other way in for them than its own listener.
func (l *Listener) listenFunnel(only bool) error {
	options := []tsnet.FunnelOption{tsnet.FunnelTLSConfig(l.tls)}
	if only {
		options = append(options, tsnet.FunnelOnly())
	}
	listener, err := l.node.server.ListenFunnel("tcp", ":"+strconv.Itoa(int(l.local.Port())), options...)
	if err != nil {
		l.Close()
		return errs.New(errs.NotAllowed, "Funnel: %s", strings.TrimPrefix(err.Error(), "tsnet: "))
	}
	context.AfterFunc(l.ctx, safely.Func(func() {
		listener.Close()
		l.drain()
	}, nil))
	safely.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				l.Close()
				return
			}
			in := incoming{conn, funnelSource(conn), addrPortOf(conn.LocalAddr())}
			if secured, ok := conn.(*tls.Conn); ok {
				in.conn = secured.NetConn()
				l.handshake(in, secured)
			} else {
				l.enqueue(in)
			}
		}
	}, func(error) { l.Close() })
	return nil
}

// funnelSource is who has dialled, as Tailscale's servers say for a stream from the Internet.
func funnelSource(conn net.Conn) netip.AddrPort {
	if secured, ok := conn.(*tls.Conn); ok {
		if funnelled, ok := secured.NetConn().(*ipn.FunnelConn); ok {
			return funnelled.Src
		}
	}
	return addrPortOf(conn.RemoteAddr())
}
