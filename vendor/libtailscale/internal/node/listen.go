package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"math"
	"net"
	"net/netip"
	"strconv"

	"tailscale.com/tailcfg"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

const defaultBacklog = 128

// ListenOptions is what tailscale_listen takes; tailscale.h says what each key means.
type ListenOptions struct {
	Address    string              `json:"address"`
	AllPorts   bool                `json:"all_ports"`
	Backlog    uint16              `json:"backlog"`
	TLS        bool                `json:"tls"`
	ALPN       []string            `json:"alpn"`
	Funnel     bool                `json:"funnel"`
	FunnelOnly bool                `json:"funnel_only"`
	Service    tailcfg.ServiceName `json:"service"`
}

// ParseListenOptions reads ListenOptions and checks them.
func ParseListenOptions(text []byte) (o ListenOptions, local netip.AddrPort, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		return o, local, errs.New(errs.InvalidArgument, "listen: %v", err)
	}
	if local, err = parseListenAddress(o.Address); err != nil {
		return o, local, err
	}
	if local.Addr().IsUnspecified() {
		local = netip.AddrPortFrom(netip.Addr{}, local.Port())
	}
	refuse := func(text string) error { return errs.New(errs.InvalidArgument, "listen: %s", text) }
	switch {
	case len(o.ALPN) > 0 && !o.endsTLS():
		err = refuse("only TLS agrees on a protocol")
	case o.AllPorts && (local.Port() != 0 || o.Funnel || o.FunnelOnly || o.Service != ""):
		err = refuse("for all ports there is neither a port nor Funnel nor a service")
	case (o.Funnel || o.FunnelOnly) && (local.Addr().IsValid() || o.Service != ""):
		err = refuse("Funnel is on all of the node's addresses and for no service")
	case o.Service != "" && (local.Addr().IsValid() || local.Port() == 0):
		err = refuse("a service has its own addresses and needs a port")
	case o.Service != "":
		if invalid := o.Service.Validate(); invalid != nil {
			err = refuse(invalid.Error())
		}
	}
	if err == nil {
		err = checkALPN(o.ALPN)
	}
	return o, local, err
}

// endsTLS reports whether the listener does, as one with Funnel always does.
func (o *ListenOptions) endsTLS() bool { return o.TLS || o.Funnel || o.FunnelOnly }

// checkALPN holds names of protocols to what fits into a TLS handshake (RFC 7301).
func checkALPN(protocols []string) error {
	whole := 0
	for _, name := range protocols {
		if len(name) == 0 || len(name) > math.MaxUint8 {
			return errs.New(errs.InvalidArgument, "listen: a protocol's name has 1 to 255 bytes, and %q has %d", name, len(name))
		}
		whole += 1 + len(name)
	}
	if whole > math.MaxUint16 {
		return errs.New(errs.InvalidArgument, "listen: %d protocols are too many", len(protocols))
	}
	return nil
}

// Listener takes streams from other nodes. tsnet's own listeners do not say who a stream comes from before
// its handshake is over, and drop one that waits for a second; these know from the first packet, and
// refuse it at once when too many wait.
type Listener struct {
	node     *Node
	local    netip.AddrPort // its address is not valid for all of the node's
	allPorts bool
	service  tailcfg.ServiceName // or empty
	tls      *tls.Config         // of a listener that ends TLS, or nil
	tlsHandshakes
	queue  chan incoming
	ctx    context.Context // ends with the listener
	cancel context.CancelCauseFunc
}

// incoming is a stream that waits to be accepted.
type incoming struct {
	conn     net.Conn
	src, dst netip.AddrPort
}

// alpn is the protocol that TLS agreed on, or empty.
func (in incoming) alpn() string {
	if secured, ok := in.conn.(*tls.Conn); ok {
		return secured.ConnectionState().NegotiatedProtocol
	}
	return ""
}

// Listen listens as the options, which are JSON, say.
func (n *Node) Listen(ctx context.Context, options []byte) (*Listener, error) {
	o, local, err := ParseListenOptions(options)
	if err != nil {
		return nil, err
	}
	if err := n.joined(ctx); err != nil {
		return nil, err
	}
	if err := n.checkOwn(local.Addr()); err != nil {
		return nil, err
	}
	if o.Backlog == 0 {
		o.Backlog = defaultBacklog
	}
	l := &Listener{node: n, local: local, allPorts: o.AllPorts, service: o.Service, queue: make(chan incoming, o.Backlog)}
	if o.TLS {
		if err := n.checkHTTPS(ctx); err != nil {
			return nil, err
		}
	}
	if o.endsTLS() {
		l.tls = &tls.Config{GetCertificate: n.local.GetCertificate, NextProtos: o.ALPN}
	}
	l.ctx, l.cancel = context.WithCancelCause(n.ctx)
	if o.Funnel || o.FunnelOnly {
		return l, l.listenFunnel(o.FunnelOnly)
	}
	if err := n.listeners.add(l); err != nil {
		return nil, err
	}
	context.AfterFunc(l.ctx, safely.Func(l.end, nil))
	if o.Service != "" {
		if err := n.hostService(ctx, o.Service, local.Port()); err != nil {
			l.Close()
			return nil, err
		}
		context.AfterFunc(l.ctx, safely.Func(func() { n.leaveService(o.Service, local.Port()) }, nil))
	}
	return l, nil
}

// checkOwn fails unless ip is an address of the node's own, or not valid.
func (n *Node) checkOwn(ip netip.Addr) error {
	if v4, v6 := n.server.TailscaleIPs(); ip.IsValid() && ip != v4 && ip != v6 {
		return errs.New(errs.InvalidArgument, "%s is not an address of this node, which has %s and %s", ip, v4, v6)
	}
	return nil
}

func parseListenAddress(address string) (netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, errs.New(errs.InvalidArgument, "address %q is not ip:port or :port", address)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return netip.AddrPort{}, errs.New(errs.InvalidArgument, "address %q: the port must be a number up to 65535", address)
	}
	var ip netip.Addr
	if host != "" {
		if ip, err = netip.ParseAddr(host); err != nil {
			return netip.AddrPort{}, errs.New(errs.InvalidArgument, "address %q: %q is not an IP address", address, host)
		}
		ip = ip.Unmap()
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

// incoming says who takes a stream that another node begins: tsnet.FallbackTCPHandler.
func (n *Node) incoming(src, dst netip.AddrPort) (handler func(net.Conn), intercept bool) {
	safely.Do(func() error { handler, intercept = n.takerOf(src, dst); return nil })
	return handler, intercept
}

func (n *Node) takerOf(src, dst netip.AddrPort) (taker func(net.Conn), intercept bool) {
	service := n.serviceAt(dst.Addr())
	if v4, v6 := n.server.TailscaleIPs(); service == "" && dst.Addr() != v4 && dst.Addr() != v6 {
		return nil, false // for a subnet that this node routes
	}
	l := n.listeners.find(dst, service)
	if l == nil || len(l.queue) == cap(l.queue) {
		return nil, false // refused
	}
	return func(conn net.Conn) {
		safely.Func(func() { l.take(incoming{conn, src, dst}) }, func(error) { conn.Close() })()
	}, true
}

// take queues a stream, once TLS is agreed on where the listener has it.
func (l *Listener) take(in incoming) {
	if l.tls == nil {
		l.enqueue(in)
		return
	}
	l.handshake(in, tls.Server(in.conn, l.tls))
}

func (l *Listener) enqueue(in incoming) {
	select {
	case l.queue <- in:
		if l.ctx.Err() != nil {
			l.drain()
		}
	default:
		in.conn.Close() // others came first
	}
}

// Context ends with the listener.
func (l *Listener) Context() context.Context { return l.ctx }

// Addr is where it listens.
func (l *Listener) Addr() string { return shownAddress(l.local) }

// shownAddress is the text of an address, unspecified when it is all of the node's.
func shownAddress(local netip.AddrPort) string {
	if local.Addr().IsValid() {
		return local.String()
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), local.Port()).String()
}

// Accept waits for a stream.
func (l *Listener) Accept(ctx context.Context) (*Stream, error) {
	select {
	case in := <-l.queue:
		stream, err := l.node.adopt(in.conn, in.dst, in.src)
		if err != nil {
			return nil, err
		}
		stream.ALPN = in.alpn()
		l.node.counters.Accepted.Add(1)
		return stream, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close ends the listener and the streams that nobody has accepted.
func (l *Listener) Close() { l.cancel(errs.New(errs.Closed, "the listener was closed")) }

func (l *Listener) end() {
	l.node.listeners.remove(l)
	l.drain()
}

func (l *Listener) drain() {
	for {
		select {
		case in := <-l.queue:
			in.conn.Close()
		default:
			return
		}
	}
}
