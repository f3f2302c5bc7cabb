package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"tailscale.com/ipn/ipnext"
	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"
	"tailscale.com/types/dnstype"
	"tailscale.com/util/dnsname"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
	"github.com/kolaboree/kolaboree-node/libtailscale/internal/safely"
)

const (
	// tcpAfter is how long a server may be silent by UDP before it is asked by TCP as well.
	tcpAfter = raceAfter
	// tcpTimeout is how long it may take to answer by TCP. What it cut short by UDP is taken then.
	tcpTimeout = 3 * time.Second
	// sendAgain is how long a server may be silent by UDP before the question may have been lost.
	sendAgain = time.Second
)

// mediaType is that of a question and of an answer by HTTP (RFC 8484, section 6).
const mediaType = "application/dns-message"

// dialer connects to an address of the tailnet; network is "udp" or "tcp".
type dialer func(ctx context.Context, network string, address netip.AddrPort) (net.Conn, error)

// server is a DNS server.
type server interface {
	// exchange carries one question, and gives what is a reply to it.
	exchange(ctx context.Context, dial dialer, question []byte) (reply []byte, err error)
	address() netip.AddrPort
	String() string
}

// plainServer is asked by UDP, and by TCP when that gives no whole answer.
type plainServer netip.AddrPort

func (s plainServer) address() netip.AddrPort { return netip.AddrPort(s) }
func (s plainServer) String() string          { return "the DNS server " + s.address().String() }

func (s plainServer) exchange(ctx context.Context, dial dialer, question []byte) ([]byte, error) {
	cut := make(chan []byte, 1)
	byUDP := func(ctx context.Context) ([]byte, error) {
		reply, err := exchangeUDP(ctx, dial, s.address(), question)
		if err == nil && isTruncated(reply) {
			cut <- reply
			return nil, errors.New("the answer is too long for UDP")
		}
		return reply, err
	}
	byTCP := func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, tcpTimeout)
		defer cancel()
		return exchangeTCP(ctx, dial, s.address(), question)
	}
	reply, err := race(ctx, tcpAfter, func([]byte) {}, byUDP, byTCP)
	if err != nil {
		select {
		case reply = <-cut:
			return reply, nil
		default:
		}
	}
	return reply, err
}

func exchangeUDP(ctx context.Context, dial dialer, server netip.AddrPort, question []byte) ([]byte, error) {
	conn, err := dial(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, safely.Func(func() { conn.Close() }, nil))()
	buffer := make([]byte, 1<<16)
	for {
		if _, err := conn.Write(question); err != nil {
			return nil, err
		}
		conn.SetReadDeadline(time.Now().Add(sendAgain))
		for {
			n, err := conn.Read(buffer)
			if err == nil {
				if reply := buffer[:n]; isReply(reply, question) {
					return reply, nil
				}
				continue // anybody can have sent it
			}
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				return nil, err
			}
			break
		}
	}
}

// exchangeTCP makes a connection for one question (RFC 1035, section 4.2.2): there are servers that take no second one.
func exchangeTCP(ctx context.Context, dial dialer, server netip.AddrPort, question []byte) ([]byte, error) {
	conn, err := dial(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, safely.Func(func() { conn.Close() }, nil))()
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(question)))
	if _, err := conn.Write(append(framed, question...)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	reply := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err = io.ReadFull(conn, reply); err != nil {
		return nil, err
	}
	return checked(reply, question)
}

// httpServer is asked by HTTP (RFC 8484): a node that answers DNS on a port of its own, such as an exit node.
type httpServer struct {
	at   netip.AddrPort
	path string
	exit string // the exit node's name; or empty
}

// httpServerAt reads a URL, which is one of the tailnet when its host is an address.
func httpServerAt(text string) (s httpServer, ok bool) {
	at, err := url.Parse(text)
	if err != nil || at.Scheme != "http" {
		return s, false
	}
	if s.at, err = netip.ParseAddrPort(at.Host); err != nil {
		return s, false
	}
	s.path = at.RequestURI()
	return s, true
}

func (s httpServer) address() netip.AddrPort { return s.at }

func (s httpServer) String() string {
	if s.exit != "" {
		return "the exit node " + s.exit
	}
	return "the DNS server http://" + s.at.String() + s.path
}

func (s httpServer) exchange(ctx context.Context, dial dialer, question []byte) ([]byte, error) {
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, "tcp", s.at) },
		DisableKeepAlives: true,
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.at.String()+s.path, bytes.NewReader(question))
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
	reply, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errs.New(errs.Unreachable, "%s: %s", response.Status, bytes.TrimSpace(reply[:min(len(reply), 200)]))
	}
	return checked(reply, question)
}

// exitNode is how the chosen exit node has names looked up.
type exitNode struct {
	chosen    bool
	asked     *httpServer         // where it does so itself; or nil
	resolvers []*dnstype.Resolver // those that it names instead, when it is no node of Tailscale's
}

func exitNodeOf(status *ipnstate.Status, nodes ipnext.NodeBackend) (exit exitNode) {
	for _, peer := range status.Peer {
		if !peer.ExitNode {
			continue
		}
		exit.chosen = true
		for _, text := range peer.PeerAPIURL {
			if server, ok := httpServerAt(text + "/dns-query"); ok {
				server.exit = peer.HostName
				exit.asked = &server
				return exit
			}
		}
		named := func(node tailcfg.NodeView) bool { return node.StableID() == peer.ID && node.IsWireGuardOnly() }
		for _, node := range nodes.AppendMatchingPeers(nil, named) {
			exit.resolvers = node.AsStruct().ExitNodeDNSResolvers
		}
	}
	return exit
}

// collectServers gives the DNS servers that the tailnet names: by domain (split DNS), and for everything else. Beside an
// exit node that looks names up itself only those count that are meant for it.
func collectServers(config *tailcfg.DNSConfig, exit exitNode) map[dnsname.FQDN][]server {
	besideExit := exit.asked != nil
	others := serversOf(config.Resolvers, besideExit)
	switch {
	case len(others) > 0:
	case besideExit:
		others = []server{*exit.asked}
	case len(exit.resolvers) > 0:
		others = serversOf(exit.resolvers, false)
	case exit.chosen:
		others = serversOf(config.FallbackResolvers, false)
	}
	servers := map[dnsname.FQDN][]server{".": others}
	for domain, resolvers := range config.Routes {
		fqdn, err := dnsname.ToFQDN(strings.ToLower(domain))
		if err != nil {
			continue
		}
		found := serversOf(resolvers, besideExit)
		if besideExit && len(found) == 0 && len(resolvers) > 0 {
			continue // none that may be used beside it
		}
		servers[fqdn] = found
	}
	return servers
}

// serversOf leaves out servers that are asked by TLS: those are outside of the tailnet.
func serversOf(resolvers []*dnstype.Resolver, besideExit bool) (found []server) {
	for _, resolver := range resolvers {
		if besideExit && !resolver.UseWithExitNode {
			continue
		}
		if address, ok := resolver.IPPort(); ok {
			found = append(found, plainServer(address))
		} else if server, ok := httpServerAt(resolver.Addr); ok {
			found = append(found, server)
		}
	}
	return found
}
